import { type Fault, type FaultRow, faultRow } from "./faults.ts";

export interface IronicErrorFields {
  fault: Fault;
  /** Completes "Could not …". */
  tried: string;
  /** Method and path, e.g. `PATCH /v1/nodes/worker-1`. */
  request: string;
  /** Ironic's own text, unwrapped and free of secrets, or what went wrong on the way. */
  detail: string;
  status?: number | undefined;
  requestId?: string | undefined;
  node?: string | undefined;
  advice?: string | undefined;
  /** Who answered; default "Ironic". */
  server?: string | undefined;
  /** The server's own wish, from Retry-After. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

const messageOf = (fields: IronicErrorFields): string => {
  const node = fields.node === undefined || fields.tried.includes(fields.node) ? "" : ` (node ${fields.node})`;
  const id = fields.requestId ? ` (${fields.requestId})` : "";
  const unanswered = fields.fault === "unsupported" ? "" : `${fields.request}: `;
  const answered =
    fields.status === undefined ? unanswered : `${fields.server ?? "Ironic"} answered ${fields.status}${id}: `;
  const advice = fields.advice ?? faultRow(fields.fault).advice;
  return `Could not ${fields.tried}${node}: ${answered}${sentence(fields.detail || "no explanation")} ${advice}`;
};

/** An answer of Ironic that is not a success, or none. The message is complete for a user. */
export class IronicError extends Error {
  override readonly name = "IronicError";
  readonly fault: Fault;
  readonly tried: string;
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
    this.tried = fields.tried;
    this.request = fields.request;
    this.detail = fields.detail;
    this.advice = fields.advice ?? faultRow(fields.fault).advice;
    if (fields.status !== undefined) this.status = fields.status;
    if (fields.requestId !== undefined) this.requestId = fields.requestId;
    if (fields.node !== undefined) this.node = fields.node;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
  }
}

export interface ProblemFields {
  /** What is wrong, without the final full stop. */
  problem: string;
  /** What the user can do. */
  advice: string;
  node?: string | undefined;
  cause?: unknown;
}

/** A refusal of our own: nothing was asked of Ironic, or nothing further. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: string;
  readonly advice: string;
  readonly node?: string;

  constructor(fields: ProblemFields) {
    const { problem, advice, cause } = fields;
    super([sentence(problem), advice].filter(Boolean).join(" "), cause === undefined ? {} : { cause });
    this.problem = problem;
    this.advice = advice;
    if (fields.node !== undefined) this.node = fields.node;
  }
}

/** The user interrupted the run, or the engine ended. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
  constructor(message = "Cancelled", cause?: unknown) {
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

/** True where Ironic itself says that there is no such node. */
export const isNodeGone = has(({ absent }) => absent === "node");

/** True where what was asked for is not there, be it a node or another object. */
export const isGone = has(({ absent }) => absent === "node" || absent === "object");

/** True where an object is not shown to this account; Ironic's policies may answer as if it did not exist. */
export const isHidden = has(({ absent }) => absent === "hidden" || absent === "object");
