import { readErrorBody } from "./answers.ts";
import type { Authenticator } from "./auth.ts";
import { createLimiter, type Limiter, type Load } from "./limiter.ts";
import { type Exchange, type Reply, type Transport, TransportError } from "./transport.ts";

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
}

export interface Session {
  /** One request with the connection's proof of identity, within the limit of requests in flight. */
  exchange(request: SessionRequest): Promise<Reply>;
  readonly stats: SessionStats;
  readonly limiter: Limiter;
}

const redirectsMax = 3;

/** Statuses that move a GET elsewhere: https://www.rfc-editor.org/rfc/rfc9110#name-redirection-3xx */
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

const loadOfReply = (reply: Reply): Load => {
  if (reply.status === 503 || reply.status === 429) return "overloaded";
  if (reply.status === 409 && readErrorBody(reply.text).detail.includes("is locked by host")) return "busy";
  return reply.status >= 500 ? "unknown" : "fine";
};

/** `/v1/nodes/{}/states`: one counter for all nodes. */
const counterOf = (method: string, pathname: string): string => {
  const path = pathname.replace(/^.*?\/v1(?=\/|$)/, "");
  return `${method} ${path.replace(/^\/(\w+)\/[^/]+/, "/$1/{}") || "/"}`;
};

/** Where a redirect leads, if it stays at the origin that was asked: credentials go nowhere else. */
export const redirectTarget = (reply: Reply, from: URL): URL | undefined => {
  const { location } = reply.headers;
  if (!redirectStatuses.has(reply.status) || typeof location !== "string") return undefined;
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  return target?.origin === from.origin ? target : undefined;
};

export const createSession = (options: {
  transport: Transport;
  auth: Authenticator;
  now: () => number;
  concurrency: number;
}): Session => {
  const { transport, auth, now } = options;
  const limiter = createLimiter({ max: options.concurrency, now });
  const stats: SessionStats = { requests: 0, retries: 0, byPath: {} };
  const once = async (request: SessionRequest): Promise<Reply> => {
    const kind = counterOf(request.method, request.url.pathname);
    stats.requests += 1;
    stats.byPath[kind] = (stats.byPath[kind] ?? 0) + 1;
    return limiter.run(
      () => transport.exchange(request),
      (reply, error) => {
        if (reply !== undefined) return loadOfReply(reply);
        return error instanceof TransportError && error.sent ? "overloaded" : "unknown";
      },
      { kind, ahead: request.ahead, later: request.later, signal: request.signal },
    );
  };

  /** With one renewal of the token if the server refuses the present one. */
  const proven = async (request: SessionRequest): Promise<Reply> => {
    for (let renewals = 0; ; renewals += 1) {
      const proof = await auth.headers(request.signal);
      const reply = await once({ ...request, headers: { ...request.headers, ...proof } });
      if (reply.status !== 401 || renewals > 0 || !auth.renew(proof)) return reply;
    }
  };

  return {
    stats,
    limiter,
    exchange: async (request) => {
      let { url } = request;
      for (let redirects = 0; ; redirects += 1) {
        const reply = await proven({ ...request, url });
        const target = redirectTarget(reply, url);
        if (request.method !== "GET" || target === undefined || redirects >= redirectsMax) return reply;
        url = target;
      }
    },
  };
};
