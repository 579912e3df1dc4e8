import { type Connection, describeEndpoint, formatMinor, secretsOf } from "../connection/index.ts";
import {
  type Answer,
  CancelledError,
  type Clock,
  IronicError,
  type IronicErrorFields,
  isAnswer,
  memoise,
  ProblemError,
  redact,
  secretsOfBody,
  systemClock,
} from "../core/index.ts";
import { classify, readErrorBody } from "./answers.ts";
import { type Authenticator, createAuthenticator } from "./auth.ts";
import { type Discovered, discover, joinUrl } from "./discovery.ts";
import { adviceForStaleToken } from "./keystone.ts";
import { type Retrying, retriesOfGet, retriesOfSend, retry } from "./retry.ts";
import { createSession, type Session, type SessionRequest, type SessionStats } from "./session.ts";
import { createTransport, type Exchange, type Reply, TransportError } from "./transport.ts";
import { adviceFor, type Feature, featureMinors, featureTitle } from "./versions.ts";

export interface CallOptions {
  /** Completes "Could not …" in errors. */
  tried: string;
  /** Name or UUID for errors. */
  node?: string | undefined;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Does not wait for a place among the requests in flight: for the one light question that all wait for. */
  ahead?: boolean | undefined;
  /** Begins something: waits until nothing else waits for a place among the requests in flight. */
  later?: boolean | undefined;
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
  supports(feature: Feature, signal?: AbortSignal): Promise<boolean>;
  /** Rejects with an IronicError "unsupported" that names feature, needed and offered version. */
  require(feature: Feature, tried: string, signal?: AbortSignal): Promise<void>;
  /** Safe to repeat, so it is: with back-off on resets, time-outs, overload, 5xx and missing conductors. */
  get<T>(path: string, options: CallOptions): Promise<T>;
  /** One attempt, except after what surely was not applied: no connection, 401 (one renewal), a 503 of Ironic itself. */
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

/** What the parts of a client share. */
interface Parts {
  connection: Connection;
  session: Session;
  auth: Authenticator;
  retrying(signal: AbortSignal | undefined): Retrying;
  failer(tried: string, request: string, options?: CallOptions): Fail;
}

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

const answerOf = ({ untrusted, sent }: TransportError): Answer =>
  untrusted ? "untrusted" : sent ? "ambiguous" : "unreachable";

const errorOfTransport = (error: TransportError, url: URL, fail: Fail): IronicError =>
  fail({ answer: answerOf(error), detail: `${url.origin}: ${error.message}`, cause: error });

/** Errors of one call, with nothing secret in them. */
const createFailer =
  (connection: Connection, auth: Authenticator): Parts["failer"] =>
  (tried, request, options) =>
  (fields) => {
    const secrets = [...secretsOf(connection), ...auth.secrets(), ...secretsOfBody(options?.body)];
    const isStaleToken = fields.answer === "unauthorized" && connection.auth.kind === "fixed_token";
    return new IronicError({
      tried,
      request,
      node: options?.node,
      ...(isStaleToken && { advice: adviceForStaleToken }),
      ...fields,
      detail: redact(fields.detail, secrets),
    });
  };

/** Where Ironic is and which version is spoken; found out once, with the first call. */
const createAgreement = ({ connection, session, auth, retrying, failer }: Parts) => {
  const fail = failer(`agree on an API version with ${describeEndpoint(connection)}`, "GET /v1");
  const get = async (url: URL): Promise<Reply> => {
    const headers = { accept: "application/json" };
    try {
      return await session.exchange({ method: "GET", url, headers, timeoutMs: connection.requestTimeoutMs });
    } catch (error) {
      throw error instanceof TransportError ? errorOfTransport(error, url, fail) : error;
    }
  };
  let endpoint = describeEndpoint(connection);
  const discovered = memoise(() =>
    retry(retriesOfGet, retrying(undefined), async () => {
      const found = await discover({
        endpoint: await auth.endpoint(),
        pinned: connection.minor,
        get,
        refuse: (reply, url) => errorOfReply(reply, url, fail),
      });
      endpoint = found.base;
      return found;
    }),
  );
  return { ...discovered, endpoint: () => endpoint };
};

/** Throws what the user should know when the server, or the pinned version, is too old. */
const refuseBelow = (
  needed: number,
  found: Discovered,
  pinned: number | undefined,
  words: { what: string; tried: string; advice?: string },
): void => {
  const { base, minor, range } = found;
  if (minor >= needed) return;
  const offered = `${base} offers ${formatMinor(range.minMinor)} to ${formatMinor(range.maxMinor)}`;
  const pin = pinned !== undefined && minor < range.maxMinor ? `, pinned to ${formatMinor(minor)}` : "";
  throw new IronicError({
    answer: "unsupported",
    tried: words.tried,
    request: "not sent",
    detail: `${words.what}: API ${formatMinor(needed)} is needed, ${offered}${pin}`,
    advice: words.advice ?? `Upgrade Ironic to one that speaks API ${formatMinor(needed)}, or leave this out.`,
  });
};

const requestOf = (
  method: Exchange["method"],
  url: URL,
  minor: number,
  options: CallOptions,
  defaultMs: number,
): SessionRequest => {
  const headers: Record<string, string> = {
    accept: "application/json",
    "x-openstack-ironic-api-version": formatMinor(minor),
  };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  return {
    method,
    url,
    headers,
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
    timeoutMs: options.timeoutMs ?? defaultMs,
    signal: options.signal,
    ahead: options.ahead,
    later: options.later,
  };
};

/** An interruption looks the same wherever it comes: while queued, pausing or waiting for an answer. */
const interruptible = async <T>(tried: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!signal?.aborted || error instanceof IronicError || error instanceof ProblemError) throw error;
    throw new CancelledError(`Cancelled: could not ${tried}`, error);
  }
};

type Agreement = ReturnType<typeof createAgreement>;

const attempt = async <T>(
  { connection, session, failer }: Parts,
  { base, minor }: Discovered,
  method: Exchange["method"],
  path: string,
  options: CallOptions,
): Promise<T> => {
  const fail = failer(options.tried, `${method} /v1${path}`, options);
  const url = joinUrl(base, path, options.query);
  try {
    const reply = await session.exchange(requestOf(method, url, minor, options, connection.requestTimeoutMs));
    if (reply.status >= 200 && reply.status < 300) return parseReply<T>(reply, fail);
    throw errorOfReply(reply, url, fail);
  } catch (error) {
    throw error instanceof TransportError ? errorOfTransport(error, url, fail) : error;
  }
};

const createCall = (parts: Parts, agreement: Agreement) => {
  const once = async <T>(method: Exchange["method"], path: string, options: CallOptions): Promise<T> => {
    const found = await agreement.get(options.signal);
    if (options.version !== undefined) {
      refuseBelow(options.version, found, parts.connection.minor, { what: `${method} ${path}`, tried: options.tried });
    }
    try {
      return await attempt<T>(parts, found, method, path, options);
    } catch (error) {
      // A server that was upgraded or rolled back during the run refuses the version: agree on one again, once.
      if (!isAnswer(error, "unacceptable")) throw error;
      agreement.forget();
      return await attempt<T>(parts, await agreement.get(options.signal), method, path, options);
    }
  };
  return <T>(method: Exchange["method"], path: string, options: CallOptions): Promise<T> => {
    const rules = method === "GET" ? retriesOfGet : retriesOfSend;
    return interruptible(options.tried, options.signal, async () => {
      // Tried often enough by itself: not to be repeated as often again.
      await agreement.get(options.signal);
      return retry(rules, parts.retrying(options.signal), () => once<T>(method, path, options));
    });
  };
};

/** Starts no request; the first call does. `warn` gets what the user should know of the connection itself. */
export function createClient(connection: Connection, deps: ClientDeps = {}): Client {
  const clock = deps.clock ?? systemClock;
  const transport = createTransport({ ...connection, connections: connection.concurrency + 1 });
  const auth = createAuthenticator(connection, transport, clock.now);
  const session = createSession({ transport, auth, now: clock.now, concurrency: connection.concurrency });
  const onRetry = (): void => {
    session.stats.retries += 1;
  };
  const random = deps.random ?? Math.random;
  const retrying: Parts["retrying"] = (signal) => ({ clock, random, signal, onRetry });
  const parts: Parts = { connection, session, auth, retrying, failer: createFailer(connection, auth) };
  const agreement = createAgreement(parts);
  const call = createCall(parts, agreement);
  const found = (signal?: AbortSignal): Promise<Discovered> =>
    interruptible("agree on an API version", signal, () => agreement.get(signal));
  for (const warning of connection.warnings) deps.warn?.(warning);
  return {
    get endpoint() {
      return agreement.endpoint();
    },
    minor: async (signal) => (await found(signal)).minor,
    supports: async (feature, signal) => (await found(signal)).minor >= featureMinors[feature],
    require: async (feature, tried, signal) =>
      refuseBelow(featureMinors[feature], await found(signal), connection.minor, {
        what: featureTitle(feature),
        tried,
        advice: adviceFor(feature),
      }),
    get: (path, options) => call("GET", path, options),
    send: (method, path, options) => call(method, path, options),
    stats: session.stats,
    close: () => transport.close(),
  };
}
