/**
 * What can go wrong with a request to Ironic or Keystone, and what follows from it: one row a fault, read by the client
 * (repetition of a request), the limiter, the reconcile loop and the poller (repetition of a decision) and the handlers.
 * How an answer becomes a fault is the other table, recognitions.ts. Both are explained in docs/development/repetition.md.
 */

import type { Attempts, FaultRow } from "./fault-row.ts";

export type { Attempts, FaultRow, Load, Remedy } from "./fault-row.ts";

/** As often as there is time: the deadline of the operation ends it. */
const TILL_DEADLINE = Number.POSITIVE_INFINITY;

/** The load passes by itself, and more requests make it worse. */
const WHEN_FREE: Attempts = { attempts: 8, pauseMs: 1000 };
const WHEN_REACHED: Attempts = { attempts: 4, pauseMs: 500 };

/** Nothing was done, and asking again would be answered alike. */
const REFUSED = { applied: "no", read: "once", write: "once" } as const;

export const FAULTS = {
  /** Another operation holds the node's lock. */
  locked: {
    code: "ironic-locked",
    label: "the node is locked",
    advice: "Another operation holds the node's lock; run again when it has ended.",
    ...REFUSED,
    again: TILL_DEADLINE,
    load: "busy",
    absent: "no",
  },
  inTransition: {
    code: "ironic-wrong-state",
    label: "the node is changing its state",
    advice: "The node is changing its state; run again when it has settled.",
    ...REFUSED,
    again: TILL_DEADLINE,
    load: "fine",
    absent: "no",
  },
  wrongState: {
    code: "ironic-wrong-state",
    label: "the state of the node does not allow it",
    advice: "The node's present state does not allow this; see its provision state and last error in Ironic.",
    ...REFUSED,
    again: 3,
    load: "fine",
    absent: "no",
  },
  /** Somebody else holds the object, or has written it since it was read. */
  conflict: {
    code: "ironic-conflict",
    label: "something else holds it",
    advice:
      "Something else already holds this, or changed the node at the same time; see the node's instance_uuid in Ironic, or run again.",
    ...REFUSED,
    again: 3,
    load: "fine",
    absent: "no",
  },
  /** What was to be made under a UUID of its own is there. */
  alreadyExists: {
    code: "ironic-conflict",
    label: "it exists already",
    advice: "It exists already; run again, and it is read first.",
    applied: "yes",
    read: "once",
    write: "once",
    again: 3,
    load: "fine",
    absent: "no",
  },
  invalid: {
    code: "ironic-invalid-request",
    label: "Ironic refuses a value",
    advice: "Correct the value that Ironic names.",
    ...REFUSED,
    again: "stop",
    load: "fine",
    absent: "no",
  },
  forbidden: {
    code: "ironic-forbidden",
    label: "Ironic does not allow it",
    advice: "Ironic's policy or the node's protection refuses it; check the roles of the account and `protected`.",
    ...REFUSED,
    again: "stop",
    load: "fine",
    absent: "hidden",
  },
  unauthorized: {
    code: "ironic-unauthorized",
    label: "the credentials are refused",
    advice:
      "Check the credentials (`ironic:*` configuration, OS_* variables or clouds.yaml). `pulumi refresh` and `destroy` use the connection that the last update stored: after a change, run `pulumi up` first.",
    ...REFUSED,
    remedy: "newToken",
    again: "stop",
    load: "fine",
    absent: "no",
  },
  nodeGone: {
    code: "node-not-found",
    label: "the node does not exist",
    advice:
      "The node does not exist in this Ironic, or this account cannot see it; check the project and roles of the account, then check the name and `ironic:endpoint`.",
    ...REFUSED,
    again: "stop",
    load: "fine",
    absent: "node",
  },
  allocationGone: {
    code: "ironic-not-found",
    label: "the allocation does not exist",
    advice: "The allocation does not exist in this Ironic, or this account cannot see it.",
    ...REFUSED,
    again: "stop",
    load: "fine",
    absent: "allocation",
  },
  /** The item after which the next page begins was deleted: a stranger to whoever reads the list. */
  listChanged: {
    code: "ironic-conflict",
    label: "the list changed while it was read",
    advice: "Something was deleted while the list was read; run again.",
    ...REFUSED,
    again: TILL_DEADLINE,
    load: "fine",
    absent: "no",
  },
  noConductor: {
    code: "ironic-no-conductor",
    label: "no conductor serves the node's driver",
    advice: "No conductor serves this node's driver at present; run again when one does.",
    applied: "no",
    read: { attempts: 4, pauseMs: 1000 },
    write: "once",
    again: TILL_DEADLINE,
    load: "fine",
    absent: "no",
  },
  notFound: {
    code: "ironic-not-found",
    label: "it was not found",
    advice: "Check `ironic:endpoint` (host, port, path prefix) and that the object exists.",
    ...REFUSED,
    again: "stop",
    load: "fine",
    absent: "object",
  },
  unacceptable: {
    code: "api-version-unusable",
    label: "the API version is not supported",
    advice: "The server does not support the requested API version; check `ironic:apiVersion`, and run again.",
    ...REFUSED,
    // A server that was upgraded or rolled back during the run refuses the version.
    remedy: "newVersion",
    again: "stop",
    load: "fine",
    absent: "no",
  },
  /**
   * Ironic itself says that it did not begin. What it says later about a write may be about a node that others took
   * meanwhile, so only the loop, which looks first, asks again.
   */
  overloaded: {
    code: "ironic-overloaded",
    label: "Ironic has no free capacity",
    advice: "Ironic has no free capacity; run again later or lower `ironic:concurrency`.",
    applied: "no",
    read: WHEN_FREE,
    write: "once",
    again: TILL_DEADLINE,
    load: "overloaded",
    absent: "no",
  },
  /** Keystone has no capacity for the login that comes before the request: nothing was asked of Ironic. */
  loginOverloaded: {
    code: "keystone-failed",
    label: "Keystone has no free capacity",
    advice: "Keystone, or a gateway before it, has no free capacity; run again later.",
    applied: "no",
    read: WHEN_FREE,
    write: WHEN_FREE,
    again: TILL_DEADLINE,
    load: "unknown",
    absent: "no",
  },
  /** A gateway answered: it may have passed the request on. */
  unavailable: {
    code: "ironic-unavailable",
    label: "a gateway answers in place of Ironic",
    advice: "A gateway or load balancer answered in place of Ironic; run again when Ironic is back.",
    applied: "unknown",
    read: WHEN_FREE,
    write: "once",
    // A gateway that passes on what is read, but for minutes no write, will not.
    again: 20,
    load: "overloaded",
    absent: "no",
  },
  serverError: {
    code: "ironic-server-error",
    label: "Ironic reports an internal error",
    advice: "This is a fault of the server; Ironic's API log has the request id.",
    applied: "unknown",
    read: { attempts: 6, pauseMs: 500 },
    write: "once",
    again: 3,
    load: "unknown",
    absent: "no",
  },
  /** The request left, and no complete answer came. */
  ambiguous: {
    code: "ironic-outcome-unknown",
    label: "Ironic did not answer",
    advice: "It is not known whether Ironic carried it out; run again, and the node is read first.",
    applied: "unknown",
    read: { attempts: 8, pauseMs: 100 },
    write: "once",
    again: TILL_DEADLINE,
    load: "overloaded",
    absent: "no",
  },
  /** The answer is JSON, but not of the shape that Ironic's API has. */
  malformed: {
    code: "endpoint-not-ironic",
    label: "the answer is not one of Ironic",
    advice:
      "This is not how Ironic's API answers: check what `ironic:endpoint` leads to. If it is an Ironic of a supported version, report this as a bug of pulumi-ironic.",
    applied: "unknown",
    read: "once",
    write: "once",
    again: "stop",
    load: "fine",
    absent: "no",
  },
  /** Not one byte of the request left. */
  unreachable: {
    code: "connection-failed",
    label: "Ironic cannot be reached",
    advice: "Nothing was changed. Check `ironic:endpoint`, the network, proxies and certificates.",
    applied: "no",
    read: WHEN_REACHED,
    write: WHEN_REACHED,
    again: TILL_DEADLINE,
    load: "unknown",
    absent: "no",
  },
  /** The two sides do not accept each other's certificates. */
  untrusted: {
    code: "tls-failed",
    label: "the TLS connection is refused",
    advice: "Nothing was sent. Correct the certificates or the address.",
    ...REFUSED,
    again: "stop",
    load: "unknown",
    absent: "no",
  },
  /** Not sent: the version that was agreed on does not know it. */
  unsupported: {
    code: "api-version-too-old",
    label: "the API version is too old",
    advice: "Use a newer Ironic, or remove what needs it.",
    ...REFUSED,
    again: "stop",
    load: "unknown",
    absent: "no",
  },
} as const satisfies Record<string, FaultRow>;

/** What an answer of Ironic, or the lack of one, means. */
export type Fault = keyof typeof FAULTS;

export const faultRow = (fault: Fault): FaultRow => FAULTS[fault];
