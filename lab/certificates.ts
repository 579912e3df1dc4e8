// Certificates of one lab, by an authority that nobody else trusts.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./processes.ts";

/** Paths of PEM files. */
export interface Certificates {
  ca: string;
  serverCert: string;
  serverKey: string;
  clientCert: string;
  clientKey: string;
  /** An authority that signed nothing here: for tests of a wrong one. */
  otherCa: string;
}

export async function makeCertificates(python: string, dir: string): Promise<Certificates> {
  const folder = join(dir, "tls");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await run(python, [fileURLToPath(new URL("./certificates.py", import.meta.url)), folder], { timeoutMs: 60_000 });
  return {
    ca: join(folder, "ca.pem"),
    serverCert: join(folder, "server.pem"),
    serverKey: join(folder, "server.key"),
    clientCert: join(folder, "client.pem"),
    clientKey: join(folder, "client.key"),
    otherCa: join(folder, "other-ca.pem"),
  };
}
