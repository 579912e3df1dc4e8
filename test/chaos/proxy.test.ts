// Each fault as a client sees it, and whether the request reached the server behind the proxy.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { type Fault, type FaultKind, faultKinds, schedule } from "../../chaos/faults.ts";
import { type ChaosProxy, startProxy } from "../../chaos/proxy.ts";

const BODY = JSON.stringify({ nodes: "x".repeat(500) });

/** One fault of this kind, from whichever seed has it. */
function faultOf(kind: FaultKind): Fault {
  for (let nth = 0, faults = schedule(1, "up", 1); nth < 5_000; nth++) {
    const fault = faults.next("PUT", "/");
    if (fault?.kind === kind) return { ...fault, delayMs: Math.min(fault.delayMs, 5) };
  }
  throw new Error(`no ${kind} was drawn`);
}

/** What came back: a status with a whole body, or nothing that can be used. */
async function ask(url: string, signal?: AbortSignal): Promise<number | "nothing"> {
  try {
    const response = await fetch(`${url}/v1/nodes`, { method: "PUT", body: "{}", signal: signal ?? null });
    await response.text();
    return response.status;
  } catch {
    return "nothing";
  }
}

const EXPECTED: Readonly<Record<FaultKind, [seen: number | "nothing", reached: number]>> = {
  delay: [200, 1],
  "reset before": ["nothing", 0],
  "reset after": ["nothing", 1],
  truncated: ["nothing", 1],
  "hang before": ["nothing", 0],
  "hang after": ["nothing", 1],
  "409 locked": [409, 0],
  "404 no valid host": [404, 0],
  "500 before": [500, 0],
  "502 before": [502, 0],
  "502 after": [502, 1],
  "503 before": [503, 0],
  "503 after": [503, 1],
  "504 before": [504, 0],
  "504 after": [504, 1],
};

describe("the chaos proxy", () => {
  let server: Server;
  let proxy: ChaosProxy;
  let reached = 0;

  before(async () => {
    server = createServer((incoming, response) => {
      reached++;
      incoming.resume().on("end", () => response.end(BODY));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    proxy = await startProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  after(async () => {
    await proxy.close();
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    reached = 0;
    proxy.take();
  });

  for (const kind of faultKinds)
    it(`does "${kind}" and writes it down`, async () => {
      const fault = faultOf(kind);
      const patience = new AbortController();
      proxy.obey({
        fault: () => fault,
        // Counted from where an answer could have come, so that a busy machine does not look like a hang.
        watch: async (when) => {
          if (when === "after" && kind.startsWith("hang")) setTimeout(() => patience.abort(), 100);
        },
      });
      const [seen, times] = EXPECTED[kind];
      expect(await ask(proxy.url, patience.signal)).to.equal(seen);
      expect(reached).to.equal(times);
      expect(proxy.take().map((passage) => passage.fault)).to.deep.equal([kind]);
    });

  it("passes everything on when it is told nothing", async () => {
    proxy.obey();
    const response = await fetch(`${proxy.url}/v1/nodes?x=1`);
    expect(await response.text()).to.equal(BODY);
    const [passage] = proxy.take();
    expect(passage).to.include({ method: "GET", path: "/v1/nodes?x=1", status: 200, reached: true });
  });

  it("cuts the connection, or answers 502, while there is no server", async () => {
    const gone = await startProxy("http://127.0.0.1:1");
    try {
      expect(await ask(gone.url)).to.equal("nothing");
      gone.obey({ fault: () => undefined, outage: () => "502" });
      expect(await ask(gone.url)).to.equal(502);
      expect(gone.take().map((passage) => passage.reached)).to.deep.equal([false, false]);
    } finally {
      await gone.close();
    }
  });

  it("gives another answer in Ironic's place, to requests that would reach it", async () => {
    const canned = { status: 404, type: "application/json", body: "{}" };
    proxy.obey({ fault: () => undefined, conceal: () => canned });
    expect(await ask(proxy.url)).to.equal(404);
    expect(reached).to.equal(0);
    const fault = faultOf("reset before");
    proxy.obey({ fault: () => fault, conceal: () => canned });
    expect(await ask(proxy.url)).to.equal("nothing");
    expect(proxy.take().map(({ concealed }) => concealed)).to.deep.equal([true, undefined]);
  });

  it("passes on something else than Ironic's answer to a read, but not to a write", async () => {
    const asked: unknown[] = [];
    proxy.obey({
      fault: () => undefined,
      alter: (_, body) => {
        asked.push(body);
        return asked.length === 1 ? { nodes: [] } : undefined;
      },
    });
    const read = () => fetch(`${proxy.url}/v1/nodes`).then((response) => response.text());
    expect(await read()).to.equal('{"nodes":[]}');
    expect(await read()).to.equal(BODY);
    await ask(proxy.url);
    expect(asked).to.deep.equal([JSON.parse(BODY), JSON.parse(BODY)]);
  });

  it("asks before and after, for those who wait for a certain request", async () => {
    const moments: string[] = [];
    proxy.obey({
      fault: () => undefined,
      watch: async (when, { method }) => {
        moments.push(`${when} ${method}`);
      },
    });
    await ask(proxy.url);
    expect(moments).to.deep.equal(["before PUT", "after PUT"]);
  });
});
