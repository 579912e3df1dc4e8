// What may happen to a request on its way, and which request meets what: a table and a schedule made from the seed.
import { chance, pick } from "./dice.ts";

/** What the proxy does with one request. */
export interface Fault {
  kind: FaultKind;
  /** Does the request get to Ironic? */
  reaches: boolean;
  /** What becomes of the answer: it is passed on, cut off, never sent, or replaced. */
  answer: "passed" | "reset" | "truncated" | "silence" | { status: number; type: string; body: string };
  /** Milliseconds before anything is done. */
  delayMs: number;
}

interface Rule {
  reaches: boolean;
  answer: Fault["answer"];
  /** Ironic and what stands before it give this answer to these methods only. */
  only?: readonly string[];
}

/** As Ironic words its refusals: a text of JSON in JSON. */
const ironicSays = (status: number, faultstring: string): Fault["answer"] => ({
  status,
  type: "application/json",
  body: JSON.stringify({ error_message: JSON.stringify({ faultcode: "Client", faultstring, debuginfo: null }) }),
});

/** As a load balancer words them. */
const gatewaySays = (status: number, title: string): Fault["answer"] => ({
  status,
  type: "text/html",
  body: `<html><head><title>${status} ${title}</title></head><body><h1>${title}</h1></body></html>`,
});

const WRITES = ["PUT", "PATCH", "POST", "DELETE"];

const RULES = {
  delay: { reaches: true, answer: "passed" },
  "reset before": { reaches: false, answer: "reset" },
  "reset after": { reaches: true, answer: "reset" },
  truncated: { reaches: true, answer: "truncated" },
  "hang before": { reaches: false, answer: "silence" },
  "hang after": { reaches: true, answer: "silence" },
  "409 locked": {
    reaches: false,
    answer: ironicSays(409, "Node chaos is locked by host lab, please retry after the current operation is completed."),
    only: WRITES,
  },
  "404 no valid host": {
    reaches: false,
    answer: ironicSays(404, "No valid host was found. Reason: No conductor service registered which supports it."),
    only: WRITES,
  },
  "500 before": { reaches: false, answer: ironicSays(500, "Internal error, as the chaos run wants it.") },
  "502 before": { reaches: false, answer: gatewaySays(502, "Bad Gateway") },
  "502 after": { reaches: true, answer: gatewaySays(502, "Bad Gateway") },
  "503 before": { reaches: false, answer: gatewaySays(503, "Service Unavailable") },
  "503 after": { reaches: true, answer: gatewaySays(503, "Service Unavailable") },
  "504 before": { reaches: false, answer: gatewaySays(504, "Gateway Time-out") },
  "504 after": { reaches: true, answer: gatewaySays(504, "Gateway Time-out") },
} as const satisfies Record<string, Rule>;

export type FaultKind = keyof typeof RULES;
export const faultKinds = Object.keys(RULES) as FaultKind[];

/** More in a row for the same request would be an outage and no passing fault; a client may then give up. */
const MAX_IN_A_ROW = 2;
const MAX_DELAY_MS = 800;

/** Decides for each request of one phase of a run; the same seed and phase decide the same. */
export interface Schedule {
  /** `key` names what is asked for, the same in each run of a seed; the answer depends on how often it came before. */
  next(method: string, key: string): Fault | undefined;
}

export function schedule(seed: number, phase: string, rate: number): Schedule {
  const counts = new Map<string, { asked: number; inRow: number }>();
  return {
    next(method, name) {
      const key = `${method} ${name}`;
      const count = counts.get(key) ?? { asked: 0, inRow: 0 };
      counts.set(key, count);
      const nth = count.asked++;
      if (count.inRow >= MAX_IN_A_ROW || chance(seed, phase, key, nth, "fault") >= rate) {
        count.inRow = 0;
        return undefined;
      }
      count.inRow++;
      const kinds = faultKinds.filter((kind) => {
        const { only }: Rule = RULES[kind];
        return only === undefined || only.includes(method);
      });
      const kind = pick(kinds, seed, phase, key, nth, "kind");
      const delayMs = kind === "delay" ? Math.round(chance(seed, phase, key, nth, "delay") * MAX_DELAY_MS) : 0;
      const { reaches, answer }: Rule = RULES[kind];
      return { kind, reaches, answer, delayMs };
    },
  };
}
