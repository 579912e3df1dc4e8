/** What the table of faults (faults.ts) says of each. */
import type { Code } from "./codes.ts";

/** What an exchange tells about the server's load. `unknown` changes nothing; `fine` lets more requests in. */
export type Load = "fine" | "unknown" | "busy" | "overloaded";

/** How often one and the same request is sent. */
export interface Attempts {
  /** In all. */
  attempts: number;
  /** The first pause between two of them; it doubles each time, with jitter of a half to one and a half. */
  pauseMs: number;
}

/** What makes another attempt worthwhile at once, without a pause: a new token, or an API version that both sides support. */
export type Remedy = "newToken" | "newVersion";

export interface FaultRow {
  /** The code of its message; a row of recognitions.ts, or a caller that knows more, has another one. */
  code: Code;
  /** What went wrong, for the progress line of an action that is tried again. */
  label: string;
  /** What the user can do about it; a caller that knows more passes its own advice. */
  advice: string;
  /** Was what was asked for done? `yes`: by an earlier attempt, the answer of which was lost. */
  applied: "no" | "unknown" | "yes";
  /** How often a request that only reads is sent. */
  read: Attempts | "once";
  /** How often a request that changes something is sent: more than once only after what surely never left for Ironic. */
  write: Attempts | "once";
  remedy?: Remedy;
  /**
   * What follows for a decision that led to this fault. `stop`: no look at the node would change the answer, and no wait
   * for it either. A number: looks at the node and decides anew, as often as this in a row with the same action.
   */
  again: "stop" | number;
  load: Load;
  /**
   * What it says of the object that was asked for. `node`, `allocation`: Ironic itself says that there is none of that
   * name, or hides it. `object`: what the path names was not found, or is not shown to this account. `hidden`: it is not
   * shown to this account.
   */
  absent: "no" | "node" | "allocation" | "object" | "hidden";
}
