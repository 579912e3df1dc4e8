import { type Asked, faultRow, type Load, type Recognition, recognise } from "../core/index.ts";
import { readErrorBody, shorten } from "./error-body.ts";
import { createLimiter, type Limiter } from "./limiter.ts";
import { type Exchange, type Reply, signOf, type Transport, TransportError } from "./transport.ts";

export interface SessionStats {
  /** Requests sent, repetitions included. */
  requests: number;
  retries: number;
  /** Requests by method and path, ids left out. */
  byPath: Record<string, number>;
}

export interface SessionRequest extends Exchange {
  /** Does not wait for a place among the requests in flight. */
  ahead?: boolean | undefined;
  /** Begins something: waits until nothing else waits for a place. */
  later?: boolean | undefined;
  /** What the request is about. */
  asked?: Asked | undefined;
}

export interface Refusal {
  recognition: Recognition;
  /** The server's own text, of any length. */
  detail: string;
}

export interface Outcome {
  reply: Reply;
  /** What it means, for a reply that is no success. */
  refusal?: Refusal;
}

export interface Session {
  /** One request within the limit of requests in flight; a GET follows redirects at the same origin. */
  exchange(request: SessionRequest): Promise<Outcome>;
  readonly stats: SessionStats;
  readonly limiter: Limiter;
}

const redirectsMax = 3;

/** Statuses that move a GET elsewhere: https://www.rfc-editor.org/rfc/rfc9110#name-redirection-3xx */
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

const outcomeOf = (reply: Reply, asked: Asked | undefined): Outcome => {
  if (reply.status >= 200 && reply.status < 300) return { reply };
  const detail = readErrorBody(reply.text);
  return {
    reply,
    refusal: {
      recognition: recognise({ server: "ironic", status: reply.status, text: shorten(detail), asked }),
      detail,
    },
  };
};

const loadOf = (outcome: Outcome | undefined, error: unknown): Load => {
  if (outcome !== undefined) return outcome.refusal ? faultRow(outcome.refusal.recognition.fault).load : "fine";
  if (!(error instanceof TransportError)) return "unknown";
  return faultRow(recognise({ server: "ironic", sign: signOf(error) }).fault).load;
};

/** `/v1/nodes/{}/states`: one counter for all nodes. */
const counterOf = (method: string, pathname: string): string => {
  const path = pathname.replace(/^.*?\/v1(?=\/|$)/, "");
  return `${method} ${path.replace(/^\/(\w+)\/[^/]+/, "/$1/{}") || "/"}`;
};

/** Where a redirect leads, if it stays at the origin that was asked: credentials go nowhere else. */
const redirectTarget = (reply: Reply, from: URL): URL | undefined => {
  const { location } = reply.headers;
  if (!redirectStatuses.has(reply.status) || typeof location !== "string") return undefined;
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  return target?.origin === from.origin ? target : undefined;
};

export const createSession = (options: { transport: Transport; now: () => number; concurrency: number }): Session => {
  const { transport, now } = options;
  const limiter = createLimiter({ max: options.concurrency, now });
  const stats: SessionStats = { requests: 0, retries: 0, byPath: {} };
  const once = async (request: SessionRequest): Promise<Outcome> => {
    const kind = counterOf(request.method, request.url.pathname);
    stats.requests += 1;
    stats.byPath[kind] = (stats.byPath[kind] ?? 0) + 1;
    const { ahead, later, signal, asked } = request;
    return limiter.run(async () => outcomeOf(await transport.exchange(request), asked), loadOf, {
      kind,
      ahead,
      later,
      signal,
    });
  };

  return {
    stats,
    limiter,
    exchange: async (request) => {
      let { url } = request;
      for (let redirects = 0; ; redirects += 1) {
        const outcome = await once({ ...request, url });
        const target = redirectTarget(outcome.reply, url);
        if (request.method !== "GET" || target === undefined || redirects >= redirectsMax) return outcome;
        url = target;
      }
    },
  };
};
