import { type Connection, describeEndpoint, formatMinor } from "../connection/index.ts";
import {
  type Asked,
  CancelledError,
  type Clock,
  type Code,
  IronicError,
  memoise,
  ProblemError,
  systemClock,
} from "../core/index.ts";
import { type Authenticator, createAuthenticator } from "./auth.ts";
import {
  createFailer,
  errorOfRefusal,
  errorOfTransport,
  type Failer,
  parseReply,
  refuseForeign,
} from "./call-errors.ts";
import { type Discovered, discover, joinUrl } from "./discovery.ts";
import type { Here } from "./place.ts";
import { type Repeating, repeat } from "./repeat.ts";
import { createSession, type Outcome, type Session, type SessionRequest, type SessionStats } from "./session.ts";
import type { Shape } from "./shape.ts";
import { createTransport, type Exchange, TransportError } from "./transport.ts";
import { type Feature, featureAdviceFor, featureMinors, featureTitle } from "./versions.ts";

export interface CallOptions {
  /** Completes "Could not …" in errors. */
  operation: string;
  /** Name or UUID: for errors, and for what a 404 means. */
  node?: string | undefined;
  /** UUID: for what a 404 means. */
  allocation?: string | undefined;
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

/** A call with what its answer must look like: what is not described is not given to the caller. */
export interface ReadOptions<T> extends CallOptions {
  /** `ignored` where nobody reads the body. Without a body, `undefined` is what has to fit. */
  shape: Shape<T>;
}

/** Ironic's API below `/v1`, as one connection of this process sees it. */
export interface Client {
  /** For messages; the catalogue's address is known only after the first call. */
  readonly endpoint: string;
  /** Where and as whom it asks; `undefined` before the first answer. */
  readonly here: Here | undefined;
  /** The negotiated minor of API 1.x; asked once, and again after a failure. */
  minor(signal?: AbortSignal): Promise<number>;
  supports(feature: Feature, signal?: AbortSignal): Promise<boolean>;
  /** Rejects with an IronicError "unsupported" that names feature, needed and offered version. */
  require(feature: Feature, operation: string, signal?: AbortSignal): Promise<void>;
  /** Safe to repeat, so it is repeated as the table of faults says: on resets, timeouts, overload, 5xx and missing conductors. */
  get<T>(path: string, options: ReadOptions<T>): Promise<T>;
  /** One attempt, except after what surely never left (no connection, no login) and after a 401 or 406, which are remedied at once. */
  send<T>(method: "PUT" | "PATCH" | "POST" | "DELETE", path: string, options: ReadOptions<T>): Promise<T>;
  readonly stats: SessionStats;
  close(): Promise<void>;
}

export interface ClientDeps {
  clock?: Clock;
  random?: () => number;
  warn?: (code: Code, text: string) => void;
}

/** What the parts of a client share. */
interface Parts {
  connection: Connection;
  session: Session;
  auth: Authenticator;
  repeating(signal: AbortSignal | undefined, remedies: Repeating["remedies"]): Repeating;
  failer: Failer;
}

/** Requests with the connection's proof of identity. Of one call: it remembers which proof was refused. */
const createProof = ({ auth, session }: Parts) => {
  let used: Record<string, string> | undefined;
  return {
    async send(request: SessionRequest): Promise<Outcome> {
      used = undefined;
      used = await auth.headers(request.signal);
      return session.exchange({ ...request, headers: { ...request.headers, ...used } });
    },
    /** False where the login itself was refused, or what is sent cannot be renewed. */
    renew: async (): Promise<boolean> => used !== undefined && auth.renew(used),
  };
};

type Proof = ReturnType<typeof createProof>;

/** Where Ironic is and which API version is used; found out once, with the first call. */
const createAgreement = (parts: Parts) => {
  const { connection, auth, repeating, failer } = parts;
  const fail = failer(`negotiate an API version with ${describeEndpoint(connection)}`, "GET /v1");
  const get = async (proof: Proof, url: URL): Promise<Outcome> => {
    const headers = { accept: "application/json" };
    try {
      return await proof.send({ method: "GET", url, headers, timeoutMs: connection.requestTimeoutMs });
    } catch (error) {
      throw error instanceof TransportError ? errorOfTransport(error, url, fail) : error;
    }
  };
  let base: string | undefined;
  let current: Discovered | undefined;
  const discovered = memoise(() => {
    let proof = createProof(parts);
    const how = repeating(undefined, { newToken: () => proof.renew() });
    return repeat("read", how, async () => {
      proof = createProof(parts);
      const found = await discover({
        endpoint: await auth.endpoint(),
        pinned: connection.minor,
        get: (url) => get(proof, url),
        refuse: (reply, refusal, url) => errorOfRefusal(reply, refusal, url, fail),
      });
      base = found.base;
      current = found;
      return found;
    });
  });
  return {
    get: discovered.get,
    /** After a 406 to `refused`: the next `get` negotiates again, once for all callers that were refused. */
    renew: (refused: Discovered): void => {
      if (current !== refused) return;
      current = undefined;
      discovered.forget();
    },
    /** Ironic's root; `undefined` before it was found. */
    base: () => base,
  };
};

/** Throws what the user should know when the server, or the pinned version, is too old. */
const refuseBelow = (
  needed: number,
  found: Discovered,
  pinned: number | undefined,
  words: { what: string; operation: string; advice?: string },
): void => {
  const { base, minor, range } = found;
  if (minor >= needed) return;
  const offered = `${base} offers ${formatMinor(range.minMinor)} to ${formatMinor(range.maxMinor)}`;
  const pin = pinned !== undefined && minor < range.maxMinor ? `, pinned to ${formatMinor(minor)}` : "";
  throw new IronicError({
    fault: "unsupported",
    operation: words.operation,
    request: "not sent",
    detail: `${words.what}: API ${formatMinor(needed)} is needed, ${offered}${pin}`,
    advice: words.advice ?? `Upgrade Ironic to one that supports API ${formatMinor(needed)}, or remove this.`,
  });
};

/** What Ironic's answer to a call would name as not found. */
export const askedBy = ({ node, allocation, query }: CallOptions): Asked => ({
  node,
  allocation,
  marker: query?.marker === undefined ? undefined : String(query.marker),
});

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
    asked: askedBy(options),
  };
};

/** An interruption looks the same wherever it comes: while queued, pausing or waiting for an answer. */
const interruptible = async <T>(
  operation: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!signal?.aborted || error instanceof IronicError || error instanceof ProblemError) throw error;
    throw new CancelledError(`The run was interrupted: could not ${operation}`, error);
  }
};

type Agreement = ReturnType<typeof createAgreement>;

const attempt = async <T>(
  { connection, failer }: Parts,
  proof: Proof,
  { base, minor }: Discovered,
  method: Exchange["method"],
  path: string,
  options: ReadOptions<T>,
): Promise<T> => {
  const request = `${method} /v1${path}`;
  const fail = failer(options.operation, request, options);
  const url = joinUrl(base, path, options.query);
  try {
    const { reply, refusal } = await proof.send(requestOf(method, url, minor, options, connection.requestTimeoutMs));
    if (refusal !== undefined) throw errorOfRefusal(reply, refusal, url, fail);
    if (method !== "GET") refuseForeign(reply, fail);
    return parseReply(reply, options.shape, request, fail);
  } catch (error) {
    throw error instanceof TransportError ? errorOfTransport(error, url, fail) : error;
  }
};

const createCall = (parts: Parts, agreement: Agreement) => {
  const { connection, repeating } = parts;
  const agree = async (method: Exchange["method"], path: string, { operation, version, signal }: CallOptions) => {
    const found = await agreement.get(signal);
    if (version !== undefined) refuseBelow(version, found, connection.minor, { what: `${method} ${path}`, operation });
    return found;
  };
  const call = async <T>(method: Exchange["method"], path: string, options: ReadOptions<T>): Promise<T> => {
    // Repeated by itself, and outside of the call's own repetition: never the one times the other.
    let found = await agree(method, path, options);
    const proof = createProof(parts);
    const newVersion = async (): Promise<boolean> => {
      agreement.renew(found);
      found = await agree(method, path, options);
      return true;
    };
    const how = repeating(options.signal, { newToken: proof.renew, newVersion });
    return repeat(method === "GET" ? "read" : "write", how, () => attempt(parts, proof, found, method, path, options));
  };
  return <T>(method: Exchange["method"], path: string, options: ReadOptions<T>): Promise<T> =>
    interruptible(options.operation, options.signal, () => call(method, path, options));
};

/** Starts no request; the first call does. `warn` gets what the user should know of the connection itself. */
export function createClient(connection: Connection, deps: ClientDeps = {}): Client {
  const clock = deps.clock ?? systemClock;
  const transport = createTransport({ ...connection, connections: connection.concurrency + 1 });
  const auth = createAuthenticator(connection, transport, clock.now, deps.warn);
  const session = createSession({ transport, now: clock.now, concurrency: connection.concurrency });
  const onRepeat = (): void => {
    session.stats.retries += 1;
  };
  const random = deps.random ?? Math.random;
  const repeating: Parts["repeating"] = (signal, remedies) => ({ clock, random, signal, onRepeat, remedies });
  const parts: Parts = { connection, session, auth, repeating, failer: createFailer(connection, auth) };
  const agreement = createAgreement(parts);
  const call = createCall(parts, agreement);
  const found = (signal?: AbortSignal): Promise<Discovered> =>
    interruptible("negotiate an API version", signal, () => agreement.get(signal));
  for (const { code, text } of connection.warnings) deps.warn?.(code, text);
  return {
    get endpoint() {
      return agreement.base() ?? describeEndpoint(connection);
    },
    get here() {
      const [endpoint, account] = [agreement.base(), auth.account()];
      if (endpoint === undefined || account === undefined) return undefined;
      const { region } = connection;
      return { endpoint, scope: account.scope, account: account.name, ...(region !== undefined && { region }) };
    },
    minor: async (signal) => (await found(signal)).minor,
    supports: async (feature, signal) => (await found(signal)).minor >= featureMinors[feature],
    require: async (feature, operation, signal) =>
      refuseBelow(featureMinors[feature], await found(signal), connection.minor, {
        what: featureTitle(feature),
        operation,
        advice: featureAdviceFor(feature),
      }),
    get: (path, options) => call("GET", path, options),
    send: (method, path, options) => call(method, path, options),
    stats: session.stats,
    close: () => transport.close(),
  };
}
