// The way between the provider and Ironic: a loopback HTTP server that passes requests on, and spoils some of them.
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, FaultKind } from "./faults.ts";

/** One request as it went by. */
export interface Passage {
  /** Number of the request in this proxy's life. */
  id: number;
  at: number;
  method: string;
  /** Path and query. */
  path: string;
  /** Text of the body, for requests that write. */
  body?: string;
  fault?: FaultKind;
  /** Ironic's status; absent if the request did not get there, or nothing came back. */
  status?: number;
  reached: boolean;
  /** Answered as if the node did not exist. */
  concealed?: true;
  /** How old the answer is that a lagging replica gave. */
  ageMs?: number;
  doneAt?: number;
}

/** An answer that is not Ironic's. */
export interface Canned {
  status: number;
  type: string;
  body: string;
}

export interface Rules {
  fault(method: string, path: string): Fault | undefined;
  /** Awaited before a request goes on and when Ironic has answered; for kills at a certain request. */
  watch?(when: "before" | "after", passage: Passage): Promise<void>;
  /** What a request meets while Ironic is not there. Default: a reset. */
  outage?(passage: Passage): "reset" | "502";
  /** Given in Ironic's place to a request that would reach it. */
  conceal?(passage: Passage): Canned | undefined;
  /** Told of what Ironic answers to reads; what it gives is passed on in the place of that. */
  alter?(passage: Passage, body: unknown): unknown;
}

const transparent: Rules = { fault: () => undefined };

/** Longer than any client here waits; then the connection is cut, so that nothing hangs for good. */
const SILENCE_MS = 6_000;
const UPSTREAM_TIMEOUT_MS = 60_000;

export interface ChaosProxy {
  /** Root of the API as the provider is to know it. */
  url: string;
  /** All requests since the last call. */
  take(): Passage[];
  /** From now on; without an argument everything passes. */
  obey(rules?: Rules): void;
  close(): Promise<void>;
}

interface Upstream {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** A fresh connection each time: one-process Ironics close idle ones, and that fault would not be of the seed's making. */
function forward(target: URL, incoming: IncomingMessage, body: Buffer): Promise<Upstream> {
  return new Promise((resolve, reject) => {
    const { host: _host, connection: _connection, ...headers } = incoming.headers;
    const outgoing = request(
      new URL(incoming.url ?? "/", target),
      { method: incoming.method, headers, agent: new Agent({ keepAlive: false }), timeout: UPSTREAM_TIMEOUT_MS },
      (answer) => {
        bytesOf(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }),
          reject,
        );
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("Ironic did not answer")));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function passOn(response: ServerResponse, { status, headers, body }: Upstream): void {
  const { connection: _connection, "keep-alive": _keep, "transfer-encoding": _coding, ...rest } = headers;
  response.writeHead(status, { ...rest, "content-length": body.length }).end(body);
}

/** The head says how long the body is, and then the connection ends before that. */
async function passHalf(response: ServerResponse, upstream: Upstream): Promise<void> {
  const half = upstream.body.subarray(0, Math.floor(upstream.body.length / 2));
  const { connection: _connection, "transfer-encoding": _coding, ...rest } = upstream.headers;
  response.writeHead(upstream.status, { ...rest, "content-length": Math.max(1, upstream.body.length) });
  response.flushHeaders();
  if (half.length > 0) await new Promise((resolve) => response.write(half, resolve));
  response.socket?.destroy();
}

/** Starts the proxy on a free port of the loopback. */
export async function startProxy(target: string): Promise<ChaosProxy> {
  let rules = transparent;
  let passages: Passage[] = [];
  let count = 0;
  /** Of its last answer: versions and the like, which stand in each. */
  let ironicHeaders: IncomingMessage["headers"] = {};
  const server = createServer((incoming, response) => {
    response.on("error", () => {});
    handle(incoming, response).catch(() => response.socket?.destroy());
  });
  server.keepAliveTimeout = 30_000;

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url: path = "/" } = incoming;
    const body = await bytesOf(incoming);
    const passage: Passage = { id: count++, at: Date.now(), method, path, reached: false };
    if (method !== "GET") passage.body = body.toString();
    passages.push(passage);
    const { watch, fault: faultFor } = rules;
    const fault = faultFor(method, path);
    if (fault !== undefined) passage.fault = fault.kind;
    try {
      await watch?.("before", passage);
      if (fault?.delayMs) await sleep(fault.delayMs);
      const upstream = fault?.reaches === false ? undefined : await seen(incoming, body, passage, response);
      if (upstream === "answered") return;
      await watch?.("after", passage);
      await answer(response, fault, upstream);
    } finally {
      passage.doneAt = Date.now();
    }
  }

  /** What comes back from there, as far as this client may know it. */
  async function seen(
    incoming: IncomingMessage,
    body: Buffer,
    passage: Passage,
    response: ServerResponse,
  ): Promise<Upstream | "answered"> {
    const { conceal, alter } = rules;
    const canned = conceal?.(passage);
    if (canned !== undefined) {
      passage.concealed = true;
      passage.status = canned.status;
      const headers = { ...ironicHeaders, "content-type": canned.type };
      return { status: canned.status, headers, body: Buffer.from(canned.body) };
    }
    const upstream = await reach(incoming, body, passage, response);
    if (upstream === "answered" || passage.method !== "GET" || upstream.status !== 200 || !alter) return upstream;
    const altered = alter(passage, jsonOf(upstream.body));
    return altered === undefined ? upstream : { ...upstream, body: Buffer.from(JSON.stringify(altered)) };
  }

  async function reach(
    incoming: IncomingMessage,
    body: Buffer,
    passage: Passage,
    response: ServerResponse,
  ): Promise<Upstream | "answered"> {
    try {
      passage.reached = true;
      const upstream = await forward(new URL(target), incoming, body);
      passage.status = upstream.status;
      const own = Object.entries(upstream.headers).filter(([name]) => /^(x-)?openstack-/.test(name));
      ironicHeaders = Object.fromEntries(own);
      return upstream;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") passage.reached = false;
      if (rules.outage?.(passage) === "502") response.writeHead(502, { "content-type": "text/html" }).end("<html/>");
      else response.socket?.destroy();
      return "answered";
    }
  }

  async function answer(response: ServerResponse, fault: Fault | undefined, upstream?: Upstream): Promise<void> {
    const how = fault?.answer ?? "passed";
    if (typeof how === "object") {
      response.writeHead(how.status, { "content-type": how.type, "content-length": Buffer.byteLength(how.body) });
      response.end(how.body);
      return;
    }
    if (how === "silence") await sleep(SILENCE_MS, undefined, { ref: false });
    if (how === "reset" || how === "silence" || upstream === undefined) response.socket?.destroy();
    else if (how === "truncated") await passHalf(response, upstream);
    else passOn(response, upstream);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const taken = passages;
      passages = [];
      return taken;
    },
    obey: (next = transparent) => {
      rules = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
