/** What every room may use: errors, the clock, checks of values, redaction. */

export { type Clock, inTime, systemClock } from "./clock.ts";
export {
  type Clean,
  CODES,
  type Code,
  describeFailure,
  type Failure,
  failureLines,
  type Warning,
  withCode,
} from "./codes.ts";
export { type Deadline, deadlineFrom } from "./deadline.ts";
export {
  CancelledError,
  CodedError,
  IronicError,
  type IronicErrorFields,
  isAllocationGone,
  isFault,
  isFinal,
  isHidden,
  isNodeGone,
  isRefusal,
  ProblemError,
  printed,
} from "./errors.ts";
export { faultRow, type Load, type Remedy } from "./faults.ts";
export { canonicalJson } from "./json.ts";
export { printable, printableName } from "./printable.ts";
export { memoise, raceAbort } from "./promises.ts";
export { type Asked, type Recognition, recognise, type Sign, STALE_TOKEN_ADVICE } from "./recognitions.ts";
export { withoutRecords } from "./records.ts";
export { redact, secretsOfBody } from "./redact.ts";
export { createSlowHash, type SlowHash } from "./slow-hash.ts";
export { countTries, pausesMs, type Tries } from "./tries.ts";
