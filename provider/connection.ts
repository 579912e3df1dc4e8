import { ProblemError } from "./errors.ts";
import { parseMinor } from "./versions.ts";

export type ConfigGetter = (key: string) => string | undefined;

export type Auth = { kind: "none" } | { kind: "http_basic"; username: string; password: string };

/** Everything needed to talk to one Ironic: plain data, secrets included. Never stored, never printed. */
export interface Connection {
  endpoint?: string;
  auth: Auth;
  caCertificate?: string;
  clientCertificate?: string;
  clientKey?: string;
  insecure: boolean;
  /** Pinned minor of the API version. */
  minor?: number;
  requestTimeoutMs: number;
  concurrency: number;
  proxy: { http?: string; https?: string; none?: string };
}

/** Values that must never appear in a message. */
export const secretsOf = (connection: Connection): string[] =>
  connection.auth.kind === "http_basic" ? [connection.auth.password] : [];

export const resolveConnection = (get: ConfigGetter, _env: NodeJS.ProcessEnv): Connection => {
  const endpoint = get("endpoint");
  if (!endpoint) throw new ProblemError({ problem: "No Ironic is configured", advice: "Set ironic:endpoint." });
  const minor = parseMinor(get("apiVersion") ?? "");
  return {
    endpoint,
    auth: { kind: "none" },
    insecure: get("insecure") === "true",
    ...(minor === undefined ? {} : { minor }),
    requestTimeoutMs: Number(get("requestTimeoutSeconds") ?? 60) * 1000,
    concurrency: Number(get("concurrency") ?? 32),
    proxy: {},
  };
};
