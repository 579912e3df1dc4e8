import { classify, readErrorBody } from "./answers.ts";
import { createAuthenticator } from "./auth.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Connection, describeEndpoint, secretsOf } from "./connection.ts";
import { type Discovered, discover, joinUrl } from "./discovery.ts";
import { CancelledError, IronicError, type IronicErrorFields, isAnswer, ProblemError } from "./errors.ts";
import { redact, secretsOfBody } from "./redact.ts";
import { memoise, type Retrying, raceAbort, retriesOfGet, retriesOfSend, retry } from "./retry.ts";
import { createSession, type SessionStats } from "./session.ts";
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
  version?: number | undefined;
}

/** Ironic's API below `/v1`, as one connection of this process sees it. */
export interface Client {
  /** For messages; the catalogue's address is known only after the first call. */
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
  readonly stats: SessionStats;
  close(): Promise<void>;
}

export interface ClientDeps {
  clock?: Clock;
  random?: () => number;
  warn?: (message: string) => void;
}

type FailFields = Pick<
  IronicErrorFields,
  "answer" | "detail" | "status" | "requestId" | "advice" | "retryAfterMs" | "cause"
>;

type Fail = (fields: FailFields) => IronicError;

const headerOf = (reply: Reply, name: string): string | undefined => {
  const value = reply.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Since API 1.107 under the first name, through oslo.middleware under the second. */
const requestIdOf = (reply: Reply): string | undefined =>
  headerOf(reply, "openstack-request-id") ?? headerOf(reply, "x-openstack-request-id");

const retryAfterOf = (reply: Reply): number | undefined => {
  const seconds = Number(headerOf(reply, "retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
};

const errorOfReply = (reply: Reply, url: URL, fail: Fail): IronicError => {
  const { detail } = readErrorBody(reply.text);
  const location = headerOf(reply, "location");
  const target = location && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  const fields = { status: reply.status, requestId: requestIdOf(reply), retryAfterMs: retryAfterOf(reply) };
  if (reply.status >= 300 && reply.status < 400) {
    return fail({
      ...fields,
      answer: "notFound",
      detail: `${url.origin} redirects to ${target ? target.origin + target.pathname : "nowhere"}; it was not followed`,
      advice: "Credentials are sent to the configured address only: set `ironic:endpoint` to where Ironic really is.",
    });
  }
  return fail({ ...fields, answer: classify(reply.status, detail), detail });
};

const parseReply = <T>(reply: Reply, fail: Fail): T => {
  if (reply.text.trim() === "") return undefined as T;
  try {
    return JSON.parse(reply.text) as T;
  } catch (cause) {
    throw fail({
      answer: "ambiguous",
      status: reply.status,
      requestId: requestIdOf(reply),
      detail: "the body is cut short or not JSON",
      cause,
    });
  }
};

const errorOfTransport = (error: TransportError, url: URL, fail: Fail): IronicError =>
  fail({ answer: error.sent ? "ambiguous" : "unreachable", detail: `${url.origin}: ${error.message}`, cause: error });

/** Starts no request; the first call does. `warn` gets what the user should know of the connection itself. */
export function createClient(connection: Connection, deps: ClientDeps = {}): Client {
  const clock = deps.clock ?? systemClock;
  const transport = createTransport({ ...connection, connections: connection.concurrency });
  const auth = createAuthenticator(connection, transport, clock.now);
  const session = createSession({ transport, auth, now: clock.now, concurrency: connection.concurrency });
  const secrets = secretsOf(connection);
  let base: string | undefined;

  for (const warning of connection.warnings) deps.warn?.(warning);

  const retrying = (signal: AbortSignal | undefined): Retrying => ({
    clock,
    random: deps.random ?? Math.random,
    signal,
    onRetry: () => {
      session.stats.retries += 1;
    },
  });

  const failer =
    (tried: string, request: string, options?: CallOptions): Fail =>
    (fields) =>
      new IronicError({
        tried,
        request,
        node: options?.node,
        ...fields,
        detail: redact(fields.detail, [...secrets, ...auth.secrets(), ...secretsOfBody(options?.body)]),
      });

  const negotiate = async (): Promise<Discovered> => {
    const fail = failer(`agree on an API version with ${describeEndpoint(connection)}`, "GET /v1");
    const get = async (url: URL): Promise<Reply> => {
      const headers = { accept: "application/json" };
      try {
        return await session.exchange({ method: "GET", url, headers, timeoutMs: connection.requestTimeoutMs });
      } catch (error) {
        throw error instanceof TransportError ? errorOfTransport(error, url, fail) : error;
      }
    };
    const found = await discover({
      endpoint: await auth.endpoint(),
      pinned: connection.minor,
      get,
      refuse: (reply, url) => errorOfReply(reply, url, fail),
    });
    base = found.base;
    return found;
  };
  const discovered = memoise(() => retry(retriesOfGet, retrying(undefined), negotiate));

  const attempt = async <T>(method: Exchange["method"], path: string, options: CallOptions): Promise<T> => {
    const { base, minor } = await discovered.get(options.signal);
    const fail = failer(options.tried, `${method} /v1${path}`, options);
    const url = joinUrl(base, path, options.query);
    const headers: Record<string, string> = {
      accept: "application/json",
      "x-openstack-ironic-api-version": formatMinor(minor),
    };
    if (options.body !== undefined) headers["content-type"] = "application/json";
    try {
      const reply = await session.exchange({
        method,
        url,
        headers,
        body: options.body === undefined ? undefined : JSON.stringify(options.body),
        timeoutMs: options.timeoutMs ?? connection.requestTimeoutMs,
        signal: options.signal,
      });
      if (reply.status >= 200 && reply.status < 300) return parseReply<T>(reply, fail);
      throw errorOfReply(reply, url, fail);
    } catch (error) {
      throw error instanceof TransportError ? errorOfTransport(error, url, fail) : error;
    }
  };

  /** A server that was upgraded or rolled back during the run refuses the version: agree on one again, once. */
  const attemptWithVersion = async <T>(method: Exchange["method"], path: string, options: CallOptions): Promise<T> => {
    try {
      return await attempt<T>(method, path, options);
    } catch (error) {
      if (!isAnswer(error, "unacceptable")) throw error;
      discovered.forget();
      return await attempt<T>(method, path, options);
    }
  };

  const requireMinor = async (needed: number, what: string, tried: string, advice?: string): Promise<void> => {
    const { minor, range } = await discovered.get();
    if (minor >= needed) return;
    const offered = `${client.endpoint} offers ${formatMinor(range.minMinor)} to ${formatMinor(range.maxMinor)}`;
    const pinned = minor < range.maxMinor && connection.minor !== undefined ? `, pinned to ${formatMinor(minor)}` : "";
    throw new IronicError({
      answer: "unsupported",
      tried,
      request: "not sent",
      detail: `${what}: API ${formatMinor(needed)} is needed, ${offered}${pinned}`,
      advice: advice ?? `Upgrade Ironic to one that speaks API ${formatMinor(needed)}, or leave this out.`,
    });
  };

  /** An interruption looks the same wherever it comes: while queued, pausing or waiting for an answer. */
  const interruptible = async <T>(
    tried: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!signal?.aborted || error instanceof IronicError || error instanceof ProblemError) throw error;
      throw new CancelledError(`Cancelled: could not ${tried}`, error);
    }
  };

  const call = <T>(method: Exchange["method"], path: string, options: CallOptions): Promise<T> => {
    const { signal, version, tried } = options;
    return interruptible(tried, signal, async () => {
      if (version !== undefined) await raceAbort(requireMinor(version, `${method} ${path}`, tried), signal);
      const rules = method === "GET" ? retriesOfGet : retriesOfSend;
      return await retry(rules, retrying(signal), () => attemptWithVersion<T>(method, path, options));
    });
  };

  const client: Client = {
    get endpoint() {
      return base ?? describeEndpoint(connection);
    },
    minor: (signal) =>
      interruptible("agree on an API version", signal, async () => (await discovered.get(signal)).minor),
    supports: async (feature) => (await discovered.get()).minor >= featureMinors[feature],
    require: (feature, tried) => requireMinor(featureMinors[feature], featureTitle(feature), tried, adviceFor(feature)),
    get: (path, options) => call("GET", path, options),
    send: (method, path, options) => call(method, path, options),
    stats: session.stats,
    close: () => transport.close(),
  };
  return client;
}
