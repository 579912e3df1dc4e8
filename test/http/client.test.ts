import { expect } from "chai";
import nock from "nock";
import { CancelledError, isRefusal } from "../../provider/core/errors.ts";
import type { Fault } from "../../provider/core/faults.ts";
import type { Client } from "../../provider/http/client.ts";
import { anything, clientFor, fault, rejection, type StepClock, versionHeaders } from "../fakes/http-server.ts";
import { answerOf, greet, origin, withMockedClient } from "./answers.ts";

describe("client", () => {
  let clock: StepClock;
  let client: Client;
  withMockedClient((made, its) => {
    client = made;
    clock = its;
  });

  it("agrees on a version once and sends it with every request", async () => {
    greet();
    nock(origin, { reqheaders: { "x-openstack-ironic-api-version": "1.115" } })
      .get("/v1/nodes/n")
      .query({ fields: "uuid" })
      .twice()
      .reply(200, { uuid: "u" });
    const reads = [1, 2].map(() =>
      client.get("/nodes/n", { shape: anything, operation: "read", query: { fields: "uuid", no: undefined } }),
    );
    expect(await Promise.all(reads)).to.deep.equal([{ uuid: "u" }, { uuid: "u" }]);
    expect(await client.minor()).to.equal(115);
    expect(client.stats).to.deep.equal({ requests: 3, retries: 0, byPath: { "GET /": 1, "GET /nodes/{}": 2 } });
  });

  for (const [endpoint, at, path] of [
    [`${origin}/v1/`, origin, "/v1"],
    [`${origin}/baremetal`, origin, "/baremetal/v1"],
    [`${origin}/baremetal/v1`, origin, "/baremetal/v1"],
    ["https://[2001:db8::1]:8443//", "https://[2001:db8::1]:8443", "/v1"],
  ] as const) {
    it(`finds Ironic at ${endpoint}`, async () => {
      client = clientFor({ endpoint, authType: "none" });
      greet(path, at);
      nock(at).get(`${path}/nodes`).reply(200, { nodes: [] });
      expect(await client.get("/nodes", { shape: anything, operation: "list" })).to.deep.equal({ nodes: [] });
    });
  }

  it("looks below /baremetal when the web server has no /v1", async () => {
    nock(origin).get("/v1").reply(404, "not here");
    greet("/baremetal/v1");
    expect(await client.minor()).to.equal(115);
    expect(client.endpoint).to.equal(`${origin}/baremetal`);
  });

  it("says so if nothing there is Ironic, and asks again the next time", async () => {
    nock(origin).get("/v1").reply(200, "<html>hello</html>").get("/baremetal/v1").reply(404, "no");
    expect((await rejection(client.minor())).message).to.match(/No Ironic answers at .*\/v1 \(200\) nor at .* \(404\)/);
    greet();
    expect(await client.minor()).to.equal(115);
  });

  it("refuses a feature by name, needed and offered version, before anything is sent", async () => {
    nock(origin).get("/v1").reply(200, {}, versionHeaders(1, 46));
    const error = await answerOf(client.require("automatedClean", "turn cleaning off"));
    expect(error.fault).to.equal("unsupported");
    expect(error.message).to.match(
      /^Could not turn cleaning off: .*API 1\.47 is needed, .* offers 1\.1 to 1\.46\. Remove/,
    );
    expect(await client.supports("protected")).to.equal(false);
    expect(await client.supports("fault")).to.equal(true);
    const call = client.get("/x", { shape: anything, operation: "look", version: 78 });
    expect((await answerOf(call)).message).to.contain("API 1.78 is needed");
  });

  it("agrees anew when a server that was rolled back refuses the version", async () => {
    greet();
    nock(origin)
      .get("/v1/nodes")
      .reply(406, fault("Version 1.115 was requested"))
      .get("/v1")
      .reply(200, {}, versionHeaders(1, 82));
    nock(origin, { reqheaders: { "x-openstack-ironic-api-version": "1.82" } })
      .get("/v1/nodes")
      .reply(200, {});
    await client.get("/nodes", { shape: anything, operation: "list" });
  });

  it("agrees anew once for all whose version is refused", async () => {
    greet();
    await client.minor();
    nock(origin, { reqheaders: { "x-openstack-ironic-api-version": "1.115" } })
      .get("/v1/nodes")
      .times(5)
      .reply(406, fault("Version 1.115 was requested"));
    nock(origin).get("/v1").reply(200, {}, versionHeaders(1, 82));
    nock(origin, { reqheaders: { "x-openstack-ironic-api-version": "1.82" } })
      .get("/v1/nodes")
      .times(5)
      .reply(200, {});
    await Promise.all(Array.from({ length: 5 }, () => client.get("/nodes", { shape: anything, operation: "list" })));
    expect(client.stats.byPath).to.deep.equal({ "GET /": 2, "GET /nodes": 10 });
  });

  it("does not multiply the attempts to agree anew with those of the call", async () => {
    greet();
    nock(origin)
      .get("/v1/nodes")
      .reply(406, fault("Version 1.115 was requested"))
      .get("/v1")
      .times(6)
      .reply(500, fault("database is locked"));
    expect((await answerOf(client.get("/nodes", { shape: anything, operation: "list" }))).fault).to.equal(
      "serverError",
    );
    expect(client.stats.byPath["GET /"]).to.equal(7);
    expect(clock.slept).to.have.length(5);
  });

  for (const [status, text, expected] of [
    [409, "Node n is locked by host h", "locked"],
    [404, "Node n could not be found.", "nodeGone"],
    [500, "boom", "serverError"],
    [400, "bad", "invalid"],
  ] as Array<[number, string, Fault]>) {
    it(`sends a write once and leaves ${expected} to the caller`, async () => {
      greet();
      nock(origin)
        .patch("/v1/nodes/n", [{ op: "add" }])
        .reply(status, fault(text), { "Openstack-Request-Id": "req-7" });
      const error = await answerOf(
        client.send("PATCH", "/nodes/n", { shape: anything, operation: "claim", node: "n", body: [{ op: "add" }] }),
      );
      expect(error).to.include({
        fault: expected,
        status,
        requestId: "req-7",
        node: "n",
        request: "PATCH /v1/nodes/n",
      });
      expect(error.detail).to.equal(text);
      expect(client.stats.retries).to.equal(0);
    });
  }

  for (const status of [503, 429])
    it(`leaves a write that found no free capacity to the caller, who looks at the node first (${status})`, async () => {
      greet();
      nock(origin)
        .put("/v1/x")
        .reply(status, fault("Requested action cannot be performed due to lack of free conductor workers."), {
          "retry-after": "90",
        });
      const error = await answerOf(client.send("PUT", "/x", { shape: anything, operation: "deploy", body: {} }));
      expect(error).to.include({ fault: "overloaded", retryAfterMs: 90_000 });
      expect(isRefusal(error)).to.equal(true);
      expect(client.stats.retries).to.equal(0);
      expect(clock.slept).to.deep.equal([]);
    });

  for (const body of [
    "upstream connect error or disconnect/reset before headers",
    "<html>503 Service Unavailable</html>",
    "",
  ])
    it(`leaves a 503 of something in between to the caller, as the write may have passed ("${body}")`, async () => {
      greet();
      nock(origin).put("/v1/x").reply(503, body);
      const error = await answerOf(client.send("PUT", "/x", { shape: anything, operation: "deploy", body: {} }));
      expect(error.fault).to.equal("unavailable");
      expect(isRefusal(error)).to.equal(false);
      expect(client.stats.retries).to.equal(0);
    });

  it("repeats a read after a 503 of something in between", async () => {
    greet();
    nock(origin).get("/v1/x").times(2).reply(503, "").get("/v1/x").reply(200, { uuid: "u" });
    expect(await client.get("/x", { shape: anything, operation: "read" })).to.deep.equal({ uuid: "u" });
    expect(clock.slept).to.deep.equal([1000, 2000]);
  });

  it("waits as long as the server asks", async () => {
    greet();
    nock(origin).get("/v1/x").reply(429, "", { "retry-after": "7" }).get("/v1/x").reply(200, {});
    await client.get("/x", { shape: anything, operation: "read" });
    expect(clock.slept).to.deep.equal([7000]);
  });

  it("repeats reads, but not for ever", async () => {
    greet();
    nock(origin).get("/v1/x").times(6).reply(500, fault("database is locked"));
    expect((await answerOf(client.get("/x", { shape: anything, operation: "read" }))).fault).to.equal("serverError");
    expect(clock.slept).to.have.length(5);
  });

  it("calls a cut body ambiguous and reads again", async () => {
    greet();
    nock(origin).get("/v1/x").reply(200, '{"a": ').get("/v1/x").reply(200, { a: 1 }).put("/v1/x").reply(200, '{"a": ');
    expect(await client.get("/x", { shape: anything, operation: "read" })).to.deep.equal({ a: 1 });
    expect((await answerOf(client.send("PUT", "/x", { shape: anything, operation: "write" }))).fault).to.equal(
      "ambiguous",
    );
  });

  it("follows a redirect at the same origin, never one to another, and never with a write", async () => {
    greet();
    nock(origin).get("/v1/a").reply(302, "", { location: "/v1/b" }).get("/v1/b").reply(200, { b: 1 });
    expect(await client.get("/a", { shape: anything, operation: "read" })).to.deep.equal({ b: 1 });
    nock(origin).get("/v1/c").reply(302, "", { location: "https://evil.example.org/v1/c?token=x" });
    const error = await answerOf(client.get("/c", { shape: anything, operation: "read" }));
    expect(error.code).to.equal("endpoint-not-ironic");
    expect(error.message).to.contain("redirects to https://evil.example.org/v1/c; the redirect was not followed");
    nock(origin).put("/v1/d").reply(307, "", { location: "/v1/e" });
    expect((await answerOf(client.send("PUT", "/d", { shape: anything, operation: "write" }))).fault).to.equal(
      "notFound",
    );
  });

  it("tells the user once that certificates are not verified", () => {
    const warnings: string[] = [];
    clientFor({ endpoint: origin, insecure: "true" }, { warn: (code, text) => warnings.push(`${code}: ${text}`) });
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/^certificates-not-verified: .* not verified/);
  });

  it("ends at once when the run is interrupted", async () => {
    const abort = new AbortController();
    abort.abort(new Error("stop"));
    greet();
    await client.minor();
    const error = await rejection(client.get("/x", { shape: anything, operation: "read it", signal: abort.signal }));
    expect(error).to.be.instanceOf(CancelledError);
    expect(error.message).to.equal("The run was interrupted: could not read it");
    for (const asked of [
      client.minor(abort.signal),
      client.supports("allocations", abort.signal),
      client.require("allocations", "allocate a node", abort.signal),
    ])
      expect(await rejection(asked)).to.be.instanceOf(CancelledError);
  });
});
