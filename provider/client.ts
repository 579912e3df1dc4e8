import { classify, readErrorBody } from "./answers.ts";
import { createAuthenticator } from "./auth.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Connection, secretsOf } from "./connection.ts";
import { discover, joinUrl } from "./discovery.ts";
import { type Answer, CancelledError, IronicError, isAnswer } from "./errors.ts";
import { createLimiter, type Load } from "./limiter.ts";
import { redact, secretsOfBody } from "./redact.ts";
import { createTransport, type Exchange, type Reply, TransportError } from "./transport.ts";
import { adviceFor, type Feature, featureMinors, featureTitle, formatMinor } from "./versions.ts";

export interface CallOptions {
  /** Completes "Could not …" in errors. */
  tried: string;
  /** Name or UUID for errors. */
  node?: string | undefined;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** One attempt, first byte to last; default: the connection's `requestTimeoutSeconds`. */
  timeoutMs?: number | undefined;
  /** Least minor that this call makes sense with; refused below it without asking. */
  version?: number;
}

/** Ironic's API below `/v1`, as one connection of this process sees it. */
export interface Client {
  readonly endpoint: string;
  /** The negotiated minor of API 1.x; asked once, and again after a failure. */
  minor(signal?: AbortSignal): Promise<number>;
  supports(feature: Feature): Promise<boolean>;
  /** Rejects with an IronicError "unsupported" that names feature, needed and offered version. */
  require(feature: Feature, tried: string): Promise<void>;
  /** Safe to repeat, so it is: with back-off on resets, time-outs, overload, 5xx and missing conductors. */
  get<T>(path: string, options: CallOptions): Promise<T>;
  /** One attempt, except after what surely was not applied: no connection, 401 (one renewal), 503. */
  send<T>(method: "PUT" | "PATCH" | "POST" | "DELETE", path: string, options: CallOptions): Promise<T>;
  readonly stats: { requests: number; retries: number; byPath: Record<string, number> };
  close(): Promise<void>;
}

export interface ClientDeps {
  clock?: Clock;
  random?: () => number;
  warn?: (message: string) => void;
}

interface RetryRule {
  /** Attempts in all. */
  attempts: number;
  /** First pause; doubles each time. */
  pauseMs: number;
}

const pauseMsMax = 15_000;
/** No further attempt starts later than this after the first. */
const retryDeadlineMs = 120_000;

/** Reading twice harms nobody. */
const retriesOfGet: Partial<Record<Answer, RetryRule>> = {
  ambiguous: { attempts: 6, pauseMs: 100 },
  unreachable: { attempts: 4, pauseMs: 500 },
  overloaded: { attempts: 8, pauseMs: 1000 },
  serverError: { attempts: 4, pauseMs: 500 },
  noConductor: { attempts: 4, pauseMs: 1000 },
};

/** Only what the server certainly did not act on; the rest is the caller's to judge by reading the node. */
const retriesOfSend: Partial<Record<Answer, RetryRule>> = {
  unreachable: { attempts: 4, pauseMs: 500 },
  overloaded: { attempts: 8, pauseMs: 1000 },
};

const loads: Partial<Record<Answer, Load>> = {
  locked: "busy",
  overloaded: "overloaded",
  ambiguous: "overloaded",
};

/** A read that takes this many times the usual counts as a sign of load. */
const slowFactor = 4;
const slowFloorMs = 500;

const headerOf = (reply: Reply, name: string): string | undefined => {
  const value = reply.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

const requestIdOf = (reply: Reply): string | undefined =>
  headerOf(reply, "openstack-request-id") ?? headerOf(reply, "x-openstack-request-id");

/** `GET /nodes/{}/states`: one counter for all nodes. */
const counterOf = (method: string, path: string): string => `${method} ${path.replace(/^\/(\w+)\/[^/?]+/, "/$1/{}")}`;

export function createClient(connection: Connection, deps: ClientDeps = {}): Client {
  const clock = deps.clock ?? systemClock;
  const random = deps.random ?? Math.random;
  const transport = createTransport({ ...connection, connections: connection.concurrency });
  const auth = createAuthenticator(connection, transport);
  const limiter = createLimiter({ max: connection.concurrency, now: clock.now });
  const secrets = secretsOf(connection);
  const stats: Client["stats"] = { requests: 0, retries: 0, byPath: {} };
  let usualReadMs: number | undefined;
  let negotiated: Promise<{ base: string; minor: number }> | undefined;

  if (connection.insecure) {
    deps.warn?.(
      "ironic: `insecure` is set: the server's certificate is not verified, anybody on the path can read and change what is sent",
    );
  }

  const isSlow = (method: string, tookMs: number): boolean => {
    if (method !== "GET") return false;
    const usual = usualReadMs ?? tookMs;
    usualReadMs = usual * 0.9 + tookMs * 0.1;
    return tookMs > Math.max(slowFloorMs, usual * slowFactor);
  };

  /** One request and its answer; one renewal of the token in between if the server wants it. */
  const exchange = async (request: Exchange, counter: string): Promise<Reply> => {
    for (let renewals = 0; ; renewals += 1) {
      const proof = await auth.headers(request.signal);
      stats.requests += 1;
      stats.byPath[counter] = (stats.byPath[counter] ?? 0) + 1;
      const reply = await transport.exchange({ ...request, headers: { ...request.headers, ...proof } });
      if (reply.status !== 401 || renewals > 0 || !auth.renew(proof)) return reply;
    }
  };

  const negotiate = async (signal: AbortSignal | undefined): Promise<{ base: string; minor: number }> =>
    discover({
      endpoint: await auth.endpoint(signal),
      pinned: connection.minor,
      get: (url) =>
        exchange(
          {
            method: "GET",
            url,
            headers: { accept: "application/json" },
            timeoutMs: connection.requestTimeoutMs,
            signal,
          },
          "GET /",
        ),
    });

  const ready = (signal: AbortSignal | undefined): Promise<{ base: string; minor: number }> => {
    if (negotiated) return negotiated;
    const mine = retrying(retriesOfGet, signal, () => negotiate(signal));
    negotiated = mine;
    mine.catch(() => {
      if (negotiated === mine) negotiated = undefined;
    });
    return mine;
  };

  const retrying = async <T>(
    rules: Partial<Record<Answer, RetryRule>>,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> => {
    const startedMs = clock.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        const rule = isAnswer(error) ? rules[error.answer] : undefined;
        if (rule === undefined || attempt >= rule.attempts) throw error;
        const pauseMs = Math.min(pauseMsMax, rule.pauseMs * 2 ** (attempt - 1)) * (0.5 + random());
        if (clock.now() - startedMs + pauseMs > retryDeadlineMs) throw error;
        stats.retries += 1;
        await clock.sleep(pauseMs, signal);
      }
    }
  };

  const attempt = async <T>(method: Exchange["method"], path: string, options: CallOptions): Promise<T> => {
    const { base, minor } = await ready(options.signal);
    const request = `${method} /v1${path}`;
    const fail = (fields: {
      answer: Answer;
      detail: string;
      status?: number;
      requestId?: string | undefined;
      cause?: unknown;
    }) =>
      new IronicError({
        tried: options.tried,
        node: options.node,
        request,
        ...fields,
        detail: redact(fields.detail, [...secrets, ...secretsOfBody(options.body)]),
      });
    const url = joinUrl(base, path, options.query);
    try {
      const startedMs = clock.now();
      const reply = await exchange(
        {
          method,
          url,
          headers: {
            accept: "application/json",
            "x-openstack-ironic-api-version": formatMinor(minor),
            ...(options.body === undefined ? {} : { "content-type": "application/json" }),
          },
          body: options.body === undefined ? undefined : JSON.stringify(options.body),
          timeoutMs: options.timeoutMs ?? connection.requestTimeoutMs,
          signal: options.signal,
        },
        counterOf(method, path),
      );
      void startedMs;
      if (reply.status >= 200 && reply.status < 300) {
        if (reply.text.trim() === "") return undefined as T;
        try {
          return JSON.parse(reply.text) as T;
        } catch (cause) {
          throw fail({ answer: "ambiguous", detail: "the answer is not JSON", status: reply.status, cause });
        }
      }
      const { detail } = readErrorBody(reply.text);
      throw fail({
        answer: classify(reply.status, detail),
        detail,
        status: reply.status,
        requestId: requestIdOf(reply),
      });
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      throw fail({
        answer: error.sent ? "ambiguous" : "unreachable",
        detail: `${url.origin}: ${error.message}`,
        cause: error,
      });
    }
  };

  const call = async <T>(method: Exchange["method"], path: string, options: CallOptions): Promise<T> => {
    if (options.version !== undefined) await requireMinor(options.version, `${method} ${path}`, options.tried);
    return retrying(method === "GET" ? retriesOfGet : retriesOfSend, options.signal, () =>
      limiter.run(
        () => attempt<T>(method, path, options),
        (_result, error) => (isAnswer(error) ? (loads[error.answer] ?? "fine") : "fine"),
        options.signal,
      ),
    );
  };

  const requireMinor = async (needed: number, what: string, tried: string, advice?: string): Promise<void> => {
    const { minor } = await ready(undefined);
    if (minor >= needed) return;
    throw new IronicError({
      answer: "unsupported",
      tried,
      request: "API version",
      detail: `${what} needs API ${formatMinor(needed)}, and ${client.endpoint} is spoken to with ${formatMinor(minor)}`,
      advice: advice ?? `Upgrade Ironic to one that speaks API ${formatMinor(needed)}, or leave this out.`,
    });
  };

  void isSlow;
  void CancelledError;
  const client: Client = {
    endpoint: connection.endpoint ?? "",
    minor: async (signal) => (await ready(signal)).minor,
    supports: async (feature) => (await ready(undefined)).minor >= featureMinors[feature],
    require: (feature, tried) => requireMinor(featureMinors[feature], featureTitle(feature), tried, adviceFor(feature)),
    get: (path, options) => call("GET", path, options),
    send: (method, path, options) => call(method, path, options),
    stats,
    close: () => transport.close(),
  };
  return client;
}
