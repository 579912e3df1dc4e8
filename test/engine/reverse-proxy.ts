// What stands in front of a lab's Ironic: passes requests on, and lets a test change what comes back.
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface FrontAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface ReverseProxy {
  url: string;
  /** Requests so far, as "GET /v1/nodes". */
  requests: string[];
  close(): Promise<void>;
}

/** `before` may answer itself; `after` sees what Ironic answered, and may change it. */
export interface Ways {
  before?(method: string, path: string, headers: IncomingHttpHeaders, body: string): FrontAnswer | undefined;
  after?(answer: FrontAnswer): FrontAnswer;
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const HOP = ["host", "connection", "content-length", "transfer-encoding", "keep-alive"];
const without = (headers: Iterable<[string, string | string[] | undefined]>): Record<string, string> =>
  Object.fromEntries([...headers].filter(([key]) => !HOP.includes(key)).map(([key, value]) => [key, String(value)]));

export async function startFront(target: string, { before, after }: Ways): Promise<ReverseProxy> {
  const requests: string[] = [];
  async function answerTo(incoming: IncomingMessage): Promise<FrontAnswer> {
    const { method = "GET", url = "/", headers } = incoming;
    requests.push(`${method} ${url}`);
    const body = await textOf(incoming);
    const own = before?.(method, url, headers, body);
    if (own) return own;
    const reply = await fetch(target + url, {
      method,
      headers: without(Object.entries(headers)),
      ...(body !== "" && { body }),
      signal: AbortSignal.timeout(60_000),
    });
    const answer = { status: reply.status, headers: without(reply.headers), body: await reply.text() };
    return after?.(answer) ?? answer;
  }
  const server = createServer((incoming, response) => {
    answerTo(incoming).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const VERSION = "x-openstack-ironic-api-version";

/**
 * An Ironic that says that it is older, and refuses what it does not know by then. Ironic itself answers in the version
 * that it is asked in, so what an old one lacks, the lab's leaves out.
 */
export const olderIronic = (target: string, maxMinor: number): Promise<ReverseProxy> =>
  startFront(target, {
    before(_method, _path, headers) {
      const asked = Number(/^1\.(\d+)$/.exec(String(headers[VERSION] ?? "1.1"))?.[1]);
      if (asked <= maxMinor) return undefined;
      const range = {
        "x-openstack-ironic-api-minimum-version": "1.1",
        "x-openstack-ironic-api-maximum-version": `1.${maxMinor}`,
      };
      return { status: 406, headers: range, body: JSON.stringify({ error_message: "unsupported version" }) };
    },
    after: (answer) => ({
      ...answer,
      headers: { ...answer.headers, "x-openstack-ironic-api-maximum-version": `1.${maxMinor}` },
    }),
  });
