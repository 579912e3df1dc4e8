import { expect } from "chai";
import { createSession, type SessionRequest } from "../../provider/http/session.ts";
import { type Exchange, type Reply, TransportError } from "../../provider/http/transport.ts";
import { fault, rejection } from "../fakes/http-server.ts";

const origin = "http://ironic.example.org:6385";
type Answer = Reply | Error;

const reply = (status: number, more: Partial<Reply> = {}): Reply => ({ status, headers: {}, text: "", ...more });
const moved = (status: number, location?: string): Reply => reply(status, { headers: { location } });
const lost = (fields: { sent: boolean; cause?: unknown }): TransportError =>
  new TransportError({ text: "lost", timedOut: false, cause: undefined, ...fields });

/** A session whose server answers by path; what it has no answer to is empty and a success. */
const scene = (answers: Record<string, Answer> = {}) => {
  const sent: Exchange[] = [];
  const session = createSession({
    now: () => 0,
    concurrency: 16,
    transport: {
      exchange: async (request) => {
        sent.push(request);
        const answer = answers[request.url.pathname] ?? reply(200);
        if (answer instanceof Error) throw answer;
        return answer;
      },
      close: async () => undefined,
    },
  });
  const exchange = (method: Exchange["method"], path: string, more: Partial<SessionRequest> = {}) =>
    session.exchange({ method, url: new URL(path, origin), headers: {}, timeoutMs: 1, ...more });
  return { session, exchange, paths: () => sent.map(({ url }) => url.href.replace(origin, "")) };
};

describe("a session", () => {
  it("counts requests by method and path, without prefixes and ids", async () => {
    const { session, exchange } = scene();
    for (const path of ["/v1", "/baremetal/v1/nodes", "/v1/nodes/a?fields=uuid", "/v1/nodes/b", "/v1/nodes/b/states"])
      await exchange("GET", path);
    await exchange("PUT", "/v1/nodes/b/states/provision");
    expect(session.stats).to.deep.equal({
      requests: 6,
      retries: 0,
      byPath: {
        "GET /": 1,
        "GET /nodes": 1,
        "GET /nodes/{}": 2,
        "GET /nodes/{}/states": 1,
        "PUT /nodes/{}/states/provision": 1,
      },
    });
  });

  it("says what an answer means that is no success, and hands on its whole text", async () => {
    const text = `Node n could not be found. ${"x".repeat(2000)}`;
    const { exchange } = scene({ "/v1/nodes/n": reply(404, { text: fault(text) }), "/v1/none": reply(204) });
    const { refusal } = await exchange("GET", "/v1/nodes/n", { asked: { node: "n" } });
    expect(refusal?.recognition.fault).to.equal("nodeGone");
    expect(refusal?.detail).to.equal(text);
    expect((await exchange("GET", "/v1/nodes/n")).refusal?.recognition.fault).to.equal("notFound");
    expect(await exchange("GET", "/v1/none")).not.to.have.property("refusal");
  });

  for (const status of [301, 302, 303, 307, 308])
    it(`reads where a ${status} leads, and counts both`, async () => {
      const { session, exchange, paths } = scene({ "/v1/a": moved(status, "b?x=1") });
      expect((await exchange("GET", "/v1/a")).reply.status).to.equal(200);
      expect(paths()).to.deep.equal(["/v1/a", "/v1/b?x=1"]);
      expect(session.stats.requests).to.equal(2);
    });

  const STAYS: readonly (readonly [what: string, method: Exchange["method"], answer: Reply])[] = [
    ["a write", "PUT", moved(308, "/v1/b")],
    ["another scheme", "GET", moved(302, "https://ironic.example.org:6385/v1/b")],
    ["another port", "GET", moved(302, "http://ironic.example.org/v1/b")],
    ["another host", "GET", moved(302, "//evil.example.org:6385/v1/b")],
    ["no address", "GET", moved(302, "http://")],
    ["nowhere", "GET", moved(302)],
    ["what is no redirect", "GET", moved(300, "/v1/b")],
    ["a success", "GET", moved(201, "/v1/b")],
  ];
  for (const [what, method, answer] of STAYS)
    it(`follows no redirect of ${what}`, async () => {
      const { exchange, paths } = scene({ "/v1/a": answer });
      expect((await exchange(method, "/v1/a")).reply).to.equal(answer);
      expect(paths()).to.deep.equal(["/v1/a"]);
    });

  it("follows three redirects and no more", async () => {
    const { exchange, paths } = scene({ "/v1/a": moved(302, "/v1/a") });
    expect((await exchange("GET", "/v1/a")).refusal?.recognition.fault).to.equal("notFound");
    expect(paths()).to.have.length(4);
  });

  const certificate = Object.assign(new Error("no"), { code: "CERT_HAS_EXPIRED" });
  const LOADS: readonly (readonly [what: string, answer: Answer, limit: number])[] = [
    ["a success", reply(200), 9],
    ["a refusal of the request alone", reply(400), 9],
    ["a locked node", reply(409, { text: fault("Node n is locked by host h") }), 8 * 0.8],
    ["an overloaded server", reply(429), 4],
    ["no answer", lost({ sent: true }), 4],
    ["a certificate that is not trusted", lost({ sent: false, cause: certificate }), 8],
    ["a fault of the program", new Error("bug"), 8],
  ];
  for (const [what, answer, limit] of LOADS)
    it(`sends at most ${limit} at once after ${what}, and 8 before`, async () => {
      const { session, exchange } = scene({ "/v1/a": answer });
      expect(session.limiter.limit).to.equal(8);
      const answered = exchange("GET", "/v1/a");
      if (answer instanceof Error) expect(await rejection(answered)).to.equal(answer);
      else await answered;
      expect(session.limiter.limit).to.equal(limit);
    });
});
