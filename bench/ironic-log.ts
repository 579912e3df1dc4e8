// What Ironic's own log says of a span of time: each request with its duration, each change of a provision state. It costs
// nobody anything, and treats all clients alike.
import { closeSync, openSync, readSync, statSync } from "node:fs";

export interface LoggedRequest {
  /** Milliseconds since the epoch. */
  startMs: number;
  endMs: number;
  method: string;
  path: string;
  status: number;
}

export interface Span {
  requests: LoggedRequest[];
  /** Node UUID → when it was last seen to become active. */
  active: Map<string, number>;
}

const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) /;
const REQUEST = /ironic\.api \[.*?\] \S+ - ([A-Z]+) (\S+) - (\d{3}) \(([\d.]+)ms\)/;
const MOVE = /Node ([0-9a-f-]{36}) moved to provision state "active" from state "deploying"/;
/** The lab's own agent looks for nodes that clean, whoever is measured. */
const AGENT = "provision_state=clean%20wait";

/** Where the log ends now. */
export const endOf = (file: string): number => statSync(file).size;

export function readSpan(file: string, from: number): Span {
  const bytes = Buffer.alloc(Math.max(0, endOf(file) - from));
  const handle = openSync(file, "r");
  try {
    readSync(handle, bytes, 0, bytes.length, from);
  } finally {
    closeSync(handle);
  }
  return parseSpan(bytes.toString());
}

export function parseSpan(text: string): Span {
  const span: Span = { requests: [], active: new Map() };
  for (const line of text.split("\n")) {
    const [, day, time] = TIME.exec(line) ?? [];
    if (day === undefined) continue;
    const endMs = new Date(`${day}T${time}`).getTime();
    const moved = MOVE.exec(line)?.[1];
    if (moved !== undefined) span.active.set(moved, endMs);
    const [, method, path, status, ms] = REQUEST.exec(line) ?? [];
    if (method === undefined || path === undefined || path.includes(AGENT)) continue;
    span.requests.push({ startMs: endMs - Number(ms), endMs, method, path, status: Number(status) });
  }
  return span;
}

export interface Figures {
  /** Seconds from the first write to the last node noticed. */
  seconds: number;
  /** Seconds from the first write to the last node active, whoever noticed. */
  activeSeconds: number;
  /** Seconds from active to noticed. */
  noticedMedian: number;
  noticedP95: number;
  requestsPerNode: number;
  polls: number;
  active: number;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

const isList = ({ method, path }: LoggedRequest): boolean =>
  method === "GET" && /^\/v1\/nodes(\?|$|\/detail)/.test(path);

/** The poller of this project reads one node with the same few fields when only one waits. */
const isPoll = (request: LoggedRequest): boolean =>
  isList(request) || (request.method === "GET" && /^\/v1\/nodes\/[^/?]+\?fields=/.test(request.path));

/** The request reads this node's state. */
const shows = (request: LoggedRequest, uuid: string, name: string): boolean => {
  if (isList(request)) return true;
  const of = /^\/v1\/nodes\/([^/?]+)(\/states)?(\?|$)/.exec(request.path)?.[1];
  return request.method === "GET" && (of === uuid || of === name);
};

/** Ironic writes a change to the database a moment before it logs it. */
const LOGGED_LATE_MS = 20;

/** A client has noticed once a request that began after the change has been answered. */
export function figuresOf({ requests, active }: Span, nodes: readonly { uuid: string; name: string }[]): Figures {
  const writes = requests.filter(({ method }) => method === "PATCH" || method === "PUT");
  const firstMs = Math.min(...writes.map(({ startMs }) => startMs));
  const waits = nodes.flatMap(({ uuid, name }) => {
    const activeMs = active.get(uuid);
    if (activeMs === undefined) return [];
    const reads = requests.filter((request) => request.endMs >= activeMs && shows(request, uuid, name));
    const sure = reads.filter(({ startMs }) => startMs >= activeMs - LOGGED_LATE_MS);
    // Who asks no more has seen it, even by a read that was begun before the log says so.
    const noticedMs = Math.min(...(sure.length > 0 ? sure : reads.slice(-1)).map(({ endMs }) => endMs));
    return Number.isFinite(noticedMs) ? [{ activeMs, noticedMs }] : [];
  });
  const late = waits.map(({ activeMs, noticedMs }) => (noticedMs - activeMs) / 1000).sort((a, b) => a - b);
  const own = requests.filter((request) => /^\/v1\/nodes\/[^?]/.test(request.path) && !isPoll(request));
  return {
    seconds: (Math.max(...waits.map(({ noticedMs }) => noticedMs)) - firstMs) / 1000,
    activeSeconds: (Math.max(...active.values()) - firstMs) / 1000,
    noticedMedian: at(late, 0.5),
    noticedP95: at(late, 0.95),
    requestsPerNode: own.length / nodes.length,
    polls: requests.filter(isPoll).length,
    active: waits.length,
  };
}
