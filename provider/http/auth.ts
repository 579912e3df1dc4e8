import type { Connection } from "../connection/index.ts";
import { isSameHost, originOf, otherHostError, secretsOfAuth, unencryptedWarning } from "../connection/index.ts";
import { type Code, memoise, ProblemError } from "../core/index.ts";
import { endpointsIn, findEndpoint, logIn, type Service, type Token } from "./keystone.ts";
import { type Account, accountWithoutLogin } from "./place.ts";
import type { Transport } from "./transport.ts";

/** Proof of identity for one connection. */
export interface Authenticator {
  /** Headers for one request; logs in first where that is needed, once for all who wait. */
  headers(signal?: AbortSignal): Promise<Record<string, string>>;
  /** After a 401 on `used`: true if the next `headers` will differ. One renewal for all who were refused. */
  renew(used: Record<string, string>): boolean;
  /** Where Ironic is: the configured endpoint, else the catalogue's. */
  endpoint(signal?: AbortSignal): Promise<string>;
  /** Who asks; `undefined` before the first login. */
  account(): Account | undefined;
  /** Secrets that came up during the run. */
  secrets(): string[];
}

const fixed = (headers: Record<string, string>, account: Account, endpoint: string | undefined): Authenticator => ({
  account: () => account,
  headers: async () => headers,
  renew: () => false,
  secrets: () => [],
  endpoint: async () => {
    if (endpoint !== undefined) return endpoint;
    throw new ProblemError({
      code: "connection-not-configured",
      problem: "No endpoint of Ironic is configured",
      advice: "Set `ironic:endpoint`.",
    });
  },
});

/** A token is renewed this long before its end, or after nine tenths of a short life. */
const renewBeforeMs = 60_000;
const renewBeforeShare = 0.1;

const tokenHeader = "x-auth-token";

type Warn = (code: Code, text: string) => void;

/** Throws where the token would go to a host that the catalogue does not have, and that nobody named beside the login. */
const checkHost = (endpoint: string, connection: Connection, authUrl: string, catalogue: Service[]): void => {
  const { endpointBeside, serviceType } = connection;
  if (endpointBeside === undefined) return;
  const known = endpointsIn(catalogue, serviceType);
  if (known.some((address) => isSameHost(address, endpoint))) return;
  const has =
    known.length > 0
      ? `${known.map(originOf).join(", ")}, as the catalogue of ${authUrl} has it`
      : `the cloud of ${authUrl}, whose catalogue has no Ironic`;
  throw otherHostError(endpoint, endpointBeside, has);
};

const keystone = (connection: Connection, transport: Transport, now: () => number, warn: Warn): Authenticator => {
  const { auth } = connection;
  if (auth.kind !== "keystone") throw new Error("not a Keystone connection");
  let warnedOf: string | undefined;
  let current: Token | undefined;
  let account: Account | undefined;
  let renewAtMs = Number.POSITIVE_INFINITY;
  const login = memoise(async () => {
    const token = await logIn({
      auth,
      transport,
      secrets: secretsOfAuth(auth),
      timeoutMs: connection.requestTimeoutMs,
    });
    // The lifetime comes from Keystone's clock and is counted with ours, so the two may differ.
    const lifeMs = token.lifetimeMs ?? (token.expiresAtMs === undefined ? undefined : token.expiresAtMs - Date.now());
    renewAtMs =
      lifeMs === undefined
        ? Number.POSITIVE_INFINITY
        : now() + lifeMs - Math.min(renewBeforeMs, lifeMs * renewBeforeShare);
    current = token;
    account = token.account;
    return token;
  });
  const token = (signal?: AbortSignal): Promise<Token> => {
    if (current !== undefined && now() >= renewAtMs) {
      current = undefined;
      login.forget();
    }
    return login.get(signal);
  };
  return {
    headers: async (signal) => ({ [tokenHeader]: (await token(signal)).value }),
    renew: (used) => {
      // Another caller was refused as well and has renewed the token, or is about to.
      if (current !== undefined && current.value === used[tokenHeader]) {
        current = undefined;
        login.forget();
      }
      return true;
    },
    account: () => account,
    secrets: () => (current === undefined ? [] : [current.value]),
    endpoint: async (signal) => {
      if (connection.endpoint !== undefined && connection.endpointBeside === undefined) return connection.endpoint;
      const { catalogue } = await token(signal);
      if (connection.endpoint !== undefined) {
        checkHost(connection.endpoint, connection, auth.authUrl, catalogue);
        return connection.endpoint;
      }
      const found = findEndpoint(catalogue, { ...connection, authUrl: auth.authUrl });
      const warning = warnedOf === found ? undefined : unencryptedWarning(found);
      warnedOf = found;
      if (warning !== undefined) warn(warning.code, warning.text);
      return found;
    },
  };
};

export const createAuthenticator = (
  connection: Connection,
  transport: Transport,
  now: () => number = () => performance.now(),
  warn: Warn = () => {},
): Authenticator => {
  const { auth, endpoint } = connection;
  switch (auth.kind) {
    case "none":
      return fixed({}, accountWithoutLogin(auth), endpoint);
    case "http_basic":
      return fixed(
        { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}` },
        accountWithoutLogin(auth),
        endpoint,
      );
    case "fixed_token":
      return fixed({ [tokenHeader]: auth.token }, accountWithoutLogin(auth), endpoint);
    case "keystone":
      return keystone(connection, transport, now, warn);
  }
};
