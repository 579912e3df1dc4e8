// What the lab's own little servers (images, agent, TLS) share: each is a detached process that tells its port in a file.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LabError } from "./problem.ts";
import { type Child, isAlive, spawnDetached, tailOf } from "./processes.ts";

/** What a server of ours is told by its starter. */
export interface Orders {
  role: "images" | "agent" | "tls";
  dir: string;
  /** 0 for any. */
  port: number;
  /** File in which it tells that it listens. */
  ready: string;
  /** Of the images' server, the first: the lab ends when this process does, however far its start has come. */
  owner?: { pid: number; born: string };
  /** TLS only: where decrypted traffic goes, and whether a client certificate is asked for. */
  tls?: { target: number; cert: string; key: string; ca: string; clientCertificate: boolean };
}

/** Starts one of our servers (serve.ts) and waits for its port; `begun` writes it down before that. */
export async function startOwn(
  name: string,
  orders: Omit<Orders, "ready">,
  begun: (child: Child) => void,
): Promise<number> {
  const ready = join(orders.dir, `${name}.ready`);
  rmSync(ready, { force: true });
  const script = fileURLToPath(new URL("./serve.ts", import.meta.url));
  const log = join(orders.dir, "logs", `${name}.log`);
  const full: Orders = { ...orders, ready };
  const child = spawnDetached(name, process.execPath, [script, JSON.stringify(full)], log);
  begun(child);
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(30)) {
    if (existsSync(ready)) {
      const { port } = JSON.parse(readFileSync(ready, "utf8")) as { port: number };
      rmSync(ready, { force: true });
      return port;
    }
    if (!isAlive(child)) break;
  }
  throw new LabError(`The lab's ${name} server did not start`, `Its log is ${log}`, tailOf(log));
}

/** Listens on loopback and tells the starter where. */
export async function listen(server: Server, orders: Orders): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(orders.port, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  writeFileSync(`${orders.ready}.part`, JSON.stringify({ port }));
  renameSync(`${orders.ready}.part`, orders.ready);
  return port;
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
