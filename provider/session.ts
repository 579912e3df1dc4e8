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

export interface Session {
  /** One request with the connection's proof of identity, within the limit of requests in flight. */
  exchange(request: Exchange): Promise<Reply>;
  readonly stats: SessionStats;
  readonly limiter: Limiter;
}

/** A read that takes this many times the usual is a sign of load. */
const slowFactor = 4;
const slowFloorMs = 500;
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
  let usualReadMs: number | undefined;

  const isSlow = (method: string, tookMs: number): boolean => {
    if (method !== "GET") return false;
    const usualMs = usualReadMs ?? tookMs;
    usualReadMs = usualMs * 0.9 + tookMs * 0.1;
    return tookMs > Math.max(slowFloorMs, usualMs * slowFactor);
  };

  const once = async (request: Exchange): Promise<Reply> => {
    const counter = counterOf(request.method, request.url.pathname);
    stats.requests += 1;
    stats.byPath[counter] = (stats.byPath[counter] ?? 0) + 1;
    let tookMs = 0;
    return limiter.run(
      async () => {
        const startedMs = now();
        const reply = await transport.exchange(request);
        tookMs = now() - startedMs;
        return reply;
      },
      (reply, error) => {
        if (reply === undefined) return error instanceof TransportError && error.sent ? "overloaded" : "unknown";
        const load = loadOfReply(reply);
        return isSlow(request.method, tookMs) && load === "fine" ? "busy" : load;
      },
      request.signal,
    );
  };

  /** With one renewal of the token if the server refuses the present one. */
  const proven = async (request: Exchange): Promise<Reply> => {
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
