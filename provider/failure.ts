import { CancelledError, IronicError, ProblemError } from "./errors.ts";
import type { Props } from "./handler.ts";
import { PartialFailure } from "./handler.ts";

/** An error as the SDK's dynamic provider reports it: `message` at the resource, `toString()` and `stack` below the stack. */
interface Failure extends Error {
  id?: string;
  properties?: Props;
  reasons?: string[];
}

const failure = (message: string, summary: string): Failure => {
  const error: Failure = new Error(message);
  // Printed beside the message otherwise, and says nothing to a user.
  error.stack = "";
  Object.defineProperty(error, "toString", { value: () => summary });
  return error;
};

const prepared = new WeakSet<Error>();

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return `Unexpected failure: ${String(error)}`;
  const own = [IronicError, ProblemError, CancelledError, PartialFailure].some((type) => error instanceof type);
  if (own || error.constructor === Error) return error.message || error.name;
  return `Unexpected ${error.name}: ${error.message}`;
};

const summaryOf = (error: unknown, what: string): string => {
  if (!(error instanceof IronicError)) return what;
  const status = error.status === undefined ? error.answer : String(error.status);
  return `${error.request} → ${status}${error.requestId ? ` (${error.requestId})` : ""}`;
};

/** What the user sees of `error`; `what` names the call, `clean` removes secrets. */
export const failureOf = (error: unknown, what: string, clean: (text: string) => string): Error => {
  if (error instanceof Error && prepared.has(error)) return error;
  const result = failure(clean(messageOf(error)), clean(summaryOf(error, what)));
  prepared.add(result);
  return result;
};

/**
 * Keeps the resource in the state with what is known, and the reasons as its `initErrors`; the next run updates it.
 * https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/
 */
export const partialFailure = (id: string, properties: Props, reasons: string[]): Error => {
  const result = Object.assign(failure(reasons.join("\n"), reasons.join("\n")), { id, properties, reasons });
  prepared.add(result);
  return result;
};
