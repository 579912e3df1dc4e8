/** What every room may use: errors, the clock, checks of values, redaction. */
export { type Clock, inTime, systemClock } from "./clock.ts";
export {
  type Answer,
  CancelledError,
  IronicError,
  type IronicErrorFields,
  isAnswer,
  isRefusal,
  ProblemError,
} from "./errors.ts";
export { memoise, raceAbort } from "./promises.ts";
export { redact, secretsOfBody } from "./redact.ts";
