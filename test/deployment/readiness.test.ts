import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { expect } from "chai";
import nock from "nock";
import { type Clock, systemClock } from "../../provider/core/clock.ts";
import { CancelledError } from "../../provider/core/errors.ts";
import { parseDeployment } from "../../provider/deployment/args.ts";
import { awaitReadiness } from "../../provider/deployment/readiness.ts";
import { type VirtualClock, virtualClock } from "../fakes/clock.ts";
import { INPUTS, scene } from "../fakes/deployments.ts";
import { deploymentBy } from "../fakes/identities.ts";

const listening = (server: Server, port = 0): Promise<number> =>
  new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));

/** Collects what is said, and lets the pause pass that follows it. */
const pausing =
  (said: string[], clock: VirtualClock) =>
  (text: string): void => {
    said.push(text);
    setImmediate(() => void clock.pass(clock.slept.at(-1) ?? 0));
  };

type Readiness = Parameters<typeof awaitReadiness>[0];

/** What the wait ends with: nothing, or its error. */
const outcome = (
  readiness: Readiness,
  clock: Clock,
  onProgress: (text: string) => void = () => {},
  signal = new AbortController().signal,
): Promise<Error | undefined> =>
  awaitReadiness(readiness, "worker-1", clock, signal, onProgress).then(
    () => undefined,
    (error: Error) => error,
  );

describe("the readiness probe", () => {
  // nock answers for any socket: with it, a port at which nobody listens is open.
  before(() => nock.restore());
  after(() => nock.activate());

  it("asks the whole address until the deadline, and shows no query, user or password of it", async () => {
    const asked: string[] = [];
    const server = createServer(({ url }, response) => {
      asked.push(String(url));
      response.writeHead(503).end();
    });
    const port = await listening(server);
    const http = `http://user:planted1@127.0.0.1:${port}/health?token=planted2`;
    const said: string[] = [];
    const clock = virtualClock();
    try {
      const failure = await outcome({ http, timeoutSeconds: 5 }, clock, pausing(said, clock));
      expect(failure?.message).to.match(
        /active, but http:\/\/127\.0\.0\.1:\d+\/health did not become ready within 5 s: HTTP 503/,
      );
      expect(`${failure} ${said}`).not.to.contain("planted");
      // At 0, 2, 4 and, as the last look, 4.5 s.
      expect(asked).to.deep.equal(Array.from({ length: 4 }, () => "/health?token=planted2"));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("waits for the HTTP status that is asked for", async () => {
    const statuses = [200, 404, 204];
    const server = createServer((_, response) => void response.writeHead(statuses.shift() ?? 500).end());
    const http = `http://127.0.0.1:${await listening(server)}/`;
    const said: string[] = [];
    const clock = virtualClock();
    try {
      expect(await outcome({ http, status: 204 }, clock, pausing(said, clock))).to.equal(undefined);
      expect(said.map((text) => /\((.*)\)/.exec(text)?.[1])).to.deep.equal(["HTTP 200", "HTTP 404"]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("waits for a TCP port until somebody listens there", async () => {
    const server = createTcpServer((socket) => socket.destroy());
    // Below those that systems give away, so that nobody else is given it meanwhile.
    const port = 20_000 + (process.pid % 10_000);
    const said: string[] = [];
    const clock = virtualClock();
    try {
      const ended = await outcome({ tcp: `127.0.0.1:${port}` }, clock, (text) => {
        said.push(text);
        void listening(server, port).then(() => clock.pass(2_000));
      });
      expect(ended).to.equal(undefined);
      expect(said).to.deep.equal([`waiting until 127.0.0.1:${port} is ready (ECONNREFUSED), 0 s`]);
    } finally {
      server.close();
    }
  });

  /** Takes connections and says nothing. */
  async function silently(work: (http: string) => Promise<void>): Promise<void> {
    const server = createServer(() => {});
    try {
      await work(`http://127.0.0.1:${await listening(server)}/`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  for (const [timeoutSeconds, endsMs, reason] of [
    [3, 3_000, "no answer within 3 s"],
    [8, 8_000, "no answer within 1 s"],
    [6, 6_000, "no answer within 0.5 s"],
  ] as const)
    it(`ends an attempt at the deadline of ${timeoutSeconds} s`, () =>
      silently(async (http) => {
        const clock = virtualClock();
        const failure = await clock.run(outcome({ http, timeoutSeconds }, clock));
        expect(failure?.message).to.contain(`did not become ready within ${timeoutSeconds} s: ${reason}.`);
        expect(clock.now()).to.equal(endsMs);
      }));

  it("ends where customTimeouts end, which count from the beginning of the call", async () => {
    await silently(async (http) => {
      const w = scene();
      w.fake.fate.deployMs = 50_000;
      Object.assign(w.call, { timeoutMs: 60_000 });
      const { stored, error } = await w.up(undefined, { ...INPUTS, readiness: { http, timeoutSeconds: 600 } });
      expect(error?.message).to.match(/did not become ready within [\d.]+ s, which is all that customTimeouts left: /);
      expect(w.clock.now()).to.be.within(59_000, 60_500);
      expect(stored?.outs).to.deep.include({ ready: false, provisionState: "active" });
    });
  });

  it("ends with an interruption amid an attempt", () =>
    silently(async (http) => {
      const interruption = new AbortController();
      setImmediate(() => interruption.abort());
      const ended = await outcome({ http }, systemClock, undefined, interruption.signal);
      expect(ended).to.be.instanceOf(CancelledError);
      expect(ended?.message).to.contain("The next run resumes");
    }));

  it("ends with an interruption between two attempts", async () => {
    const server = createServer((_, response) => void response.writeHead(503).end());
    const http = `http://127.0.0.1:${await listening(server)}/`;
    const interruption = new AbortController();
    const interrupt = () => void setImmediate(() => interruption.abort());
    try {
      const ended = await outcome({ http }, systemClock, interrupt, interruption.signal);
      expect(ended).to.be.instanceOf(CancelledError);
      expect(ended?.message).to.contain("The next run resumes");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("the check of the readiness probe", () => {
  const failures = (readiness: object) => {
    const parsed = parseDeployment({ node: "n", bootIso: "http://h/iso", ...deploymentBy("o", "r"), readiness });
    return parsed.kind === "failed" ? parsed.failures : [];
  };
  for (const tcp of ["192.0.2.10:22", "[2001:db8::1]:65535", "host.example:1"])
    it(`takes ${tcp}`, () => expect(failures({ tcp })).to.deep.equal([]));
  for (const tcp of ["host:70000", "host:0", "host:65536", "host:", ":22", "host"])
    it(`refuses ${tcp}`, () => expect(failures({ tcp }).map(({ path }) => path)).to.deep.equal(["readiness.tcp"]));
  it("takes http://[2001:db8::1]:8080/health", () =>
    expect(failures({ http: "http://[2001:db8::1]:8080/health" })).to.deep.equal([]));
  for (const http of ["http://x:99999/", "http://x:0/", "http://[1/", "ftp://x/"])
    it(`refuses ${http}`, () => expect(failures({ http }).map(({ path }) => path)).to.deep.equal(["readiness.http"]));
});
