import type { Connection } from "./connection.ts";
import type { Transport } from "./transport.ts";

/** Proof of identity for one connection. */
export interface Authenticator {
  /** Headers for one request; logs in first where that is needed, once for all who wait. */
  headers(signal?: AbortSignal): Promise<Record<string, string>>;
  /** After a 401 on `used`: true if the next `headers` will differ. One renewal for all who were refused. */
  renew(used: Record<string, string>): boolean;
  /** Where Ironic is: the configured endpoint, else the catalogue's. */
  endpoint(signal?: AbortSignal): Promise<string>;
}

export const createAuthenticator = (connection: Connection, _transport: Transport): Authenticator => {
  const { auth } = connection;
  const fixed: Record<string, string> =
    auth.kind === "http_basic"
      ? { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}` }
      : {};
  return {
    headers: async () => fixed,
    renew: () => false,
    endpoint: async () => connection.endpoint ?? "",
  };
};
