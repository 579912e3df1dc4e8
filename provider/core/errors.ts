/** What an answer of Ironic, or the lack of one, means for the caller. Decided once, in answers.ts. */
export type Answer =
  | "locked"
  | "inTransition"
  | "wrongState"
  | "conflict"
  | "invalid"
  | "forbidden"
  | "unauthorized"
  | "nodeGone"
  | "noConductor"
  | "notFound"
  | "unacceptable"
  | "overloaded"
  | "unavailable"
  | "serverError"
  | "ambiguous"
  | "unreachable"
  | "untrusted"
  | "unsupported";

/** What the user can do about it; a caller that knows more passes its own advice. */
const adviceByAnswer: Record<Answer, string> = {
  locked: "Another operation holds the node's lock; run again when it has ended.",
  inTransition: "The node is between two states; run again when it has settled.",
  wrongState: "The node's present state does not allow this; see its provision state and last error in Ironic.",
  conflict: "Something else already holds this; see the node's instance_uuid in Ironic.",
  invalid: "Correct the value that Ironic names.",
  forbidden: "Ironic's policy or the node's protection refuses it; check the roles of the account and `protected`.",
  unauthorized:
    "Check the credentials (`ironic:*` configuration, OS_* variables or clouds.yaml). `pulumi refresh` and `destroy` use the connection that the last update stored: after a change of it, run `pulumi up` first.",
  nodeGone: "The node does not exist in this Ironic; check the name and the endpoint.",
  noConductor: "No conductor serves this node's driver at present; run again when one does.",
  notFound: "Check `ironic:endpoint` (host, port, path prefix) and that the object exists.",
  unacceptable: "The server does not speak the asked API version; check `ironic:apiVersion`.",
  overloaded: "Ironic has no free capacity; run again later or lower `ironic:concurrency`.",
  unavailable:
    "Something between here and Ironic (a gateway, a load balancer) answered in its place; run again when Ironic is back.",
  serverError: "This is a fault of the server; Ironic's API log has the request id.",
  ambiguous: "It is not known whether Ironic did it; run again, the node is then read first.",
  unreachable: "Nothing was changed. Check `ironic:endpoint`, the network, proxies and certificates.",
  untrusted: "Nothing was sent. Correct the certificates or the address: asking again would not help.",
  unsupported: "Use a newer Ironic or leave out what needs it.",
};

export interface IronicErrorFields {
  answer: Answer;
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
  const unanswered = fields.answer === "unsupported" ? "" : `${fields.request}: `;
  const answered =
    fields.status === undefined ? unanswered : `${fields.server ?? "Ironic"} answered ${fields.status}${id}: `;
  const advice = fields.advice ?? adviceByAnswer[fields.answer];
  return `Could not ${fields.tried}${node}: ${answered}${sentence(fields.detail || "no explanation")} ${advice}`;
};

/** An answer of Ironic that is not a success, or none. The message is complete for a user. */
export class IronicError extends Error {
  override readonly name = "IronicError";
  readonly answer: Answer;
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
    this.answer = fields.answer;
    this.tried = fields.tried;
    this.request = fields.request;
    this.detail = fields.detail;
    this.advice = fields.advice ?? adviceByAnswer[fields.answer];
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

/** True for an answer after which what was asked for surely was not done. */
export const isRefusal = (error: unknown): error is IronicError =>
  isAnswer(error) && !isAnswer(error, "ambiguous", "serverError", "unavailable");

/** True for an IronicError of one of the given classes; of any class when none is given. */
export const isAnswer = (error: unknown, ...answers: Answer[]): error is IronicError =>
  error instanceof IronicError && (answers.length === 0 || answers.includes(error.answer));
