import { type Clean, type Code, describeFailure, type Failure, failureLines, withCode } from "./codes.ts";
import { type Fault, type FaultRow, faultRow } from "./faults.ts";
import { printable } from "./printable.ts";

export interface IronicErrorFields {
  fault: Fault;
  /** Completes "Could not …". */
  operation: string;
  /** Method and path, e.g. `PATCH /v1/nodes/worker-1`. */
  request: string;
  /** Ironic's own text, unwrapped and free of secrets, or what went wrong on the way. */
  detail: string;
  status?: number | undefined;
  requestId?: string | undefined;
  node?: string | undefined;
  advice?: string | undefined;
  /** Where the fault's own code does not fit. */
  code?: Code | undefined;
  /** Who answered; default "Ironic". */
  server?: string | undefined;
  /** The pause that the server asks for, from Retry-After. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

const messageOf = (fields: IronicErrorFields): string => {
  const node = fields.node === undefined || fields.operation.includes(fields.node) ? "" : ` (node ${fields.node})`;
  const id = fields.requestId ? ` (${fields.requestId})` : "";
  const unanswered = fields.fault === "unsupported" ? "" : `${fields.request}: `;
  const answered =
    fields.status === undefined ? unanswered : `${fields.server ?? "Ironic"} answered ${fields.status}${id}: `;
  const advice = fields.advice ?? faultRow(fields.fault).advice;
  const asked = fields.retryAfterMs ? ` It asks to wait ${fields.retryAfterMs / 1000} s before the next request.` : "";
  return `Could not ${fields.operation}${node}: ${answered}${sentence(fields.detail || "no explanation")}${asked} ${advice}`;
};

/** An error whose message is written for a user. */
export abstract class CodedError extends Error {
  abstract readonly code: Code;

  /** The message without secrets and with its code; of several failures, each line has its own. */
  printed(clean: Clean): string {
    return withCode(clean(this.message), this.code);
  }
}

/** Any error as a user sees it; `clean` removes secrets, and never touches a code. */
export function printed(error: unknown, clean: Clean = (text) => text): string {
  if (error instanceof CodedError) return error.printed(clean);
  return withCode(clean(error instanceof Error ? error.message || error.name : String(error)), "internal-error");
}

/** An answer of Ironic that is not a success, or none. The message is complete for a user. */
export class IronicError extends CodedError {
  override readonly name = "IronicError";
  readonly fault: Fault;
  readonly code: Code;
  readonly operation: string;
  readonly request: string;
  readonly detail: string;
  readonly status?: number;
  readonly advice: string;
  readonly requestId?: string;
  readonly node?: string;
  readonly retryAfterMs?: number;

  constructor(fields: IronicErrorFields) {
    super(messageOf(fields), fields.cause === undefined ? {} : { cause: fields.cause });
    this.fault = fields.fault;
    this.code = fields.code ?? faultRow(fields.fault).code;
    this.operation = fields.operation;
    this.request = fields.request;
    this.detail = fields.detail;
    this.advice = fields.advice ?? faultRow(fields.fault).advice;
    if (fields.status !== undefined) this.status = fields.status;
    if (fields.requestId !== undefined) this.requestId = fields.requestId;
    if (fields.node !== undefined) this.node = fields.node;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
  }
}

interface OneProblem {
  code: Code;
  /** What is wrong, without the final full stop. */
  problem: string;
  /** What the user can do. */
  advice: string;
}

interface SeveralProblems {
  /** What is wrong and what the user can do, with a colon at the end: the failures follow, one a line. */
  problem: string;
  failures: readonly [Failure, ...Failure[]];
}

export type ProblemFields = (OneProblem | SeveralProblems) & {
  node?: string | undefined;
  cause?: unknown;
};

const textOf = (fields: ProblemFields): string =>
  "failures" in fields
    ? [fields.problem, ...fields.failures.map(describeFailure)].join("\n")
    : [sentence(fields.problem), fields.advice].filter(Boolean).join(" ");

/** A refusal of our own: nothing was asked of Ironic, or nothing further. */
export class ProblemError extends CodedError {
  override readonly name = "ProblemError";
  /** Of several failures, the first one's. */
  readonly code: Code;
  readonly failures: readonly Failure[];
  readonly problem: string;
  readonly advice: string;
  readonly node?: string;

  constructor(fields: ProblemFields) {
    super(textOf(fields), fields.cause === undefined ? {} : { cause: fields.cause });
    this.problem = fields.problem;
    this.advice = "failures" in fields ? "" : fields.advice;
    this.code = "failures" in fields ? fields.failures[0].code : fields.code;
    this.failures = "failures" in fields ? fields.failures : [];
    if (fields.node !== undefined) this.node = fields.node;
  }

  override printed(clean: Clean): string {
    if (this.failures.length === 0) return super.printed(clean);
    return `${printable(clean(this.problem))}\n${failureLines(this.failures, clean)}`;
  }
}

/** The user interrupted the run, or the engine ended. */
export class CancelledError extends CodedError {
  override readonly name = "CancelledError";
  readonly code = "run-interrupted";
  constructor(message = "The run was interrupted", cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
  }
}

/** True for an IronicError of one of the given faults; of any when none is given. */
export const isFault = (error: unknown, ...faults: Fault[]): error is IronicError =>
  error instanceof IronicError && (faults.length === 0 || faults.includes(error.fault));

const has =
  (condition: (row: FaultRow) => boolean) =>
  (error: unknown): boolean =>
    isFault(error) && condition(faultRow(error.fault));

/** True where what was asked for surely was not done. */
export const isRefusal = has(({ applied }) => applied === "no");

/** True where no repetition of the question, and no wait, would change the answer. */
export const isFinal = has(({ again }) => again === "stop");

/** True where Ironic itself says that there is no node of the name that was asked for, or hides it. */
export const isNodeGone = has(({ absent }) => absent === "node");

/** True where Ironic itself says that there is no allocation of the UUID that was asked for, or hides it. */
export const isAllocationGone = has(({ absent }) => absent === "allocation");

/** True where an object is not shown to this account; Ironic's policies may answer as if it did not exist. */
export const isHidden = has(({ absent }) => absent === "hidden" || absent === "object" || absent === "allocation");
