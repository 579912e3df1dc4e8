import { type Clean, CodedError, IronicError, printable, printed, withCode } from "../core/index.ts";
import type { Props } from "./handler.ts";
import { PartialFailure } from "./handler.ts";

/** An error as the SDK reports it: `message` at the resource, `toString()` and `stack` below the stack. */
const failure = (message: string, summary: string): Error => {
  const error = new Error(message);
  // Printed beside the message otherwise, and says nothing to a user.
  error.stack = "";
  Object.defineProperty(error, "toString", { value: () => summary });
  return error;
};

/** True for what no handler throws on purpose: a fault of ours, or of a library. */
export const isUnexpected = (error: unknown): boolean =>
  error instanceof Error &&
  error.constructor !== Error &&
  !(error instanceof CodedError || error instanceof PartialFailure);

const messageOf = (error: unknown, clean: Clean): string => {
  const internal = (text: string): string => withCode(clean(text), "internal-error");
  if (!(error instanceof Error)) return internal(`Unexpected failure: ${String(error)}`);
  if (isUnexpected(error)) return internal(`Unexpected ${error.name}: ${error.message}`);
  return error instanceof PartialFailure ? messageOf(error.cause, clean) : printed(error, clean);
};

const summaryOf = (error: unknown, what: string): string => {
  if (!(error instanceof IronicError)) return what;
  const status = error.status === undefined ? error.fault : String(error.status);
  return `${error.request} → ${status}${error.requestId ? ` (${error.requestId})` : ""}`;
};

/** What the user sees of `error`; `what` names the call, `clean` removes secrets. */
export const failureOf = (error: unknown, what: string, clean: Clean): Error =>
  failure(messageOf(error, clean), printable(clean(summaryOf(error, what))));

/**
 * Keeps the resource in the state with what is known, and the reasons as its `initErrors`; the next run updates it.
 * https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/
 */
export const partialFailure = (id: string, properties: Props, reasons: string[]): Error =>
  Object.assign(failure(reasons.join("\n"), reasons.join("\n")), { id, properties, reasons });
