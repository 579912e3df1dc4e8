/**
 * How an answer, or the lack of one, becomes a fault. Ironic has no machine-readable reason beside the status, so its texts
 * are the contract; they come from https://opendev.org/openstack/ironic/src/branch/master/ironic/common/exception.py
 */
import type { Code } from "./codes.ts";
import type { Fault } from "./faults.ts";

export type Server = "ironic" | "keystone";

/**
 * What came instead of an answer. `untrusted`: certificates were refused. `unsent`: not one byte of the request left.
 * `unanswered`: it left, and no complete answer came. `unreadable`: a success whose body is cut short or no JSON.
 * `misshapen`: it is JSON, but not what the API describes. `foreign`: a success of something that is not Ironic.
 */
export type Sign = "untrusted" | "unsent" | "unanswered" | "unreadable" | "misshapen" | "foreign";

/** The objects that a request is about, as Ironic's answer would name them. */
export interface Asked {
  /** Name or UUID. */
  node?: string | undefined;
  allocation?: string | undefined;
  /** The item after which a page begins. */
  marker?: string | undefined;
}

export type Evidence =
  | { server: Server; status: number; text: string; asked?: Asked | undefined }
  | { server: Server; sign: Sign };

export interface Recognition {
  fault: Fault;
  /** Who was asked; either where it is left out. */
  server?: Server;
  sign?: Sign;
  /** One, or the first and the last of several. */
  status?: number | readonly [first: number, last: number];
  text?: RegExp;
  /** What the text says is not there: only if it names the very object that was asked for. */
  absent?: keyof Asked;
  /** Where the fault's own advice does not fit. */
  advice?: string;
  /** Where the fault's own code does not fit. */
  code?: Code;
}

export const STALE_TOKEN_ADVICE =
  "The token has expired or was revoked: use a new one, or a password or an application credential, which are renewed automatically.";

const KEYSTONE_ADDRESS_ADVICE =
  "Check `auth_url` (ironic:authUrl, OS_AUTH_URL), the network, proxies and certificates.";
const NO_KEYSTONE_ADVICE = "Check `auth_url` (ironic:authUrl, OS_AUTH_URL): no Keystone v3 answers there.";

/** Keystone calls a token that has ended "not found". */
const STALE_TOKEN = /validate token|find token|invalid token/i;

/** First match wins. */
export const RECOGNITIONS: readonly Recognition[] = [
  // A login that failed has asked nothing of Ironic: to the caller it is as if the server had not been reached, so that
  // also a write may be repeated.
  { server: "keystone", sign: "untrusted", fault: "untrusted", advice: KEYSTONE_ADDRESS_ADVICE },
  { server: "keystone", sign: "unsent", fault: "unreachable", advice: KEYSTONE_ADDRESS_ADVICE },
  { server: "keystone", sign: "unanswered", fault: "unreachable", advice: KEYSTONE_ADDRESS_ADVICE },
  { server: "keystone", sign: "unreadable", fault: "notFound", code: "keystone-failed", advice: NO_KEYSTONE_ADVICE },
  { server: "keystone", sign: "misshapen", fault: "notFound", code: "keystone-failed", advice: NO_KEYSTONE_ADVICE },
  { server: "keystone", status: 429, fault: "loginOverloaded" },
  { server: "keystone", status: [502, 504], fault: "loginOverloaded" },
  { server: "keystone", status: [500, 599], fault: "unreachable", code: "keystone-failed" },
  {
    server: "keystone",
    status: 401,
    text: STALE_TOKEN,
    fault: "unauthorized",
    code: "token-expired",
    advice: STALE_TOKEN_ADVICE,
  },
  {
    server: "keystone",
    status: 404,
    text: STALE_TOKEN,
    fault: "unauthorized",
    code: "token-expired",
    advice: STALE_TOKEN_ADVICE,
  },
  {
    server: "keystone",
    status: 401,
    fault: "unauthorized",
    code: "keystone-unauthorized",
    advice:
      "Check user, password or application credential, their domains, and that they are neither disabled nor expired. `pulumi refresh` and `destroy` use those that the last update stored: after a change, run `pulumi up` first.",
  },
  {
    server: "keystone",
    status: 403,
    fault: "forbidden",
    code: "keystone-forbidden",
    advice: "The account may not log in with this scope: check project, domain or system scope and its roles.",
  },
  { server: "keystone", status: 404, fault: "notFound", code: "keystone-failed", advice: NO_KEYSTONE_ADVICE },

  { sign: "untrusted", fault: "untrusted" },
  { sign: "unsent", fault: "unreachable" },
  { sign: "unanswered", fault: "ambiguous" },
  { sign: "unreadable", fault: "ambiguous" },
  { sign: "misshapen", fault: "malformed" },
  // A portal or gateway that says 200 to everything has most likely not passed it on, but nobody knows.
  {
    sign: "foreign",
    fault: "ambiguous",
    code: "endpoint-not-ironic",
    advice:
      "A proxy, a gateway or a login page stands between, and whether Ironic carried it out is not known. Correct the way to `ironic:endpoint`, and run again: the node is read first.",
  },

  {
    server: "ironic",
    status: [300, 399],
    fault: "notFound",
    code: "endpoint-not-ironic",
    advice: "Credentials are sent only to the configured address: set `ironic:endpoint` to the final address.",
  },
  { status: [300, 399], fault: "notFound" },
  { status: 409, text: /is locked by host/i, fault: "locked" },
  { status: 409, text: /while a state transition is in progress/i, fault: "inTransition" },
  { status: 409, text: /can ?not have .* updated unless/is, fault: "wrongState" },
  { status: 409, text: /An allocation with UUID \S+ already exists/i, fault: "alreadyExists" },
  { status: 409, fault: "conflict" },
  { status: 400, text: /can ?not be performed .*while .*in (?:the )?state/is, fault: "wrongState" },
  // It was made for the node as it was read; somebody, or another resource of the run, has written since.
  { status: 400, text: /Couldn't apply patch/i, fault: "conflict" },
  { status: 401, fault: "unauthorized" },
  { status: 403, fault: "forbidden" },
  { status: 404, text: /\bNo valid host was found/i, fault: "noConductor" },
  { server: "ironic", status: 404, absent: "node", fault: "nodeGone" },
  { server: "ironic", status: 404, absent: "allocation", fault: "allocationGone" },
  { server: "ironic", status: 404, absent: "marker", fault: "listChanged" },
  { status: 404, fault: "notFound" },
  { status: 406, fault: "unacceptable" },
  { status: 429, fault: "overloaded" },
  // Ironic's own, by which nothing was begun: no worker, too many cleanings at once, a token that could not be checked.
  {
    status: 503,
    text: /free conductor workers|temporarily unavailable, please retry|concurrent action limit|Keystone service is temporarily unavailable/i,
    fault: "overloaded",
  },
  // Whoever else answers may have passed it on.
  { status: [502, 504], fault: "unavailable" },
  { status: [500, 599], fault: "serverError" },
  { status: [400, 499], fault: "invalid" },
];

/** For a status that no table of HTTP knows. */
const UNKNOWN: Recognition = { fault: "invalid" };

const isWithin = (status: number, wanted: Recognition["status"]): boolean => {
  if (wanted === undefined) return true;
  return typeof wanted === "number" ? status === wanted : status >= wanted[0] && status <= wanted[1];
};

/** How Ironic's text about a missing object begins. A list's marker is of any kind. */
const KINDS: Readonly<Record<keyof Asked, string>> = { node: "Node ", allocation: "Allocation ", marker: " " };

const namesAsAbsent = (text: string, kind: keyof Asked, asked: Asked | undefined): boolean => {
  const name = asked?.[kind];
  return name !== undefined && text.includes(`${KINDS[kind]}${name} could not be found`);
};

const fits = (row: Recognition, evidence: Evidence): boolean => {
  if (row.server !== undefined && row.server !== evidence.server) return false;
  if ("sign" in evidence) return row.sign === evidence.sign;
  return (
    row.sign === undefined &&
    isWithin(evidence.status, row.status) &&
    (row.text === undefined || row.text.test(evidence.text)) &&
    (row.absent === undefined || namesAsAbsent(evidence.text, row.absent, evidence.asked))
  );
};

/** Meaning of an answer that is no success, by its status and the server's unwrapped text, or of none. */
export const recognise = (evidence: Evidence): Recognition =>
  RECOGNITIONS.find((row) => fits(row, evidence)) ?? UNKNOWN;
