import { expect } from "chai";
import nock from "nock";
import { CancelledError } from "../../provider/core/errors.ts";
import type { Client } from "../../provider/http/client.ts";
import { anything, clientFor, type Loopback, loopback, rejection } from "../fakes/http-server.ts";
import { answerOf } from "./answers.ts";

describe("client, on a real socket", () => {
  let server: Loopback;
  let client: Client;
  const start = async (respond: Parameters<typeof loopback>[0]): Promise<void> => {
    server = await loopback(respond);
    client = clientFor({ endpoint: server.url, authType: "none" });
  };
  before(() => nock.restore());
  after(() => nock.activate());
  afterEach(async () => {
    await client.close();
    await server?.close();
  });

  it("calls a write ambiguous if the connection ends after it was sent, and sends it no second time", async () => {
    await start((request) => request.socket.destroy());
    const error = await answerOf(client.send("PUT", "/x", { shape: anything, operation: "deploy", body: {} }));
    expect(error.fault).to.equal("ambiguous");
    expect(server.seen).to.deep.equal(["PUT /v1/x"]);
  });

  it("calls a write ambiguous if the answer is cut short", async () => {
    await start((request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"a":', () => request.socket.destroy());
    });
    expect((await answerOf(client.send("PUT", "/x", { shape: anything, operation: "deploy" }))).fault).to.equal(
      "ambiguous",
    );
  });

  it("calls a write ambiguous if no answer comes in time", async () => {
    await start(() => undefined);
    const error = await answerOf(client.send("PUT", "/x", { shape: anything, operation: "deploy", timeoutMs: 50 }));
    expect(error.fault).to.equal("ambiguous");
    expect(error.message).to.contain("no answer within 0.05 seconds");
  });

  it("reads again after resets", async () => {
    await start((request, response, count) => (count < 4 ? request.socket.destroy() : response.end('{"a":1}')));
    expect(await client.get("/x", { shape: anything, operation: "read" })).to.deep.equal({ a: 1 });
    expect(client.stats.retries).to.equal(3);
  });

  it("calls a refused connection unreachable: it was certainly not applied", async () => {
    await start((_request, response) => response.end("{}"));
    await client.minor();
    await server.close();
    const error = await answerOf(client.send("PUT", "/x", { shape: anything, operation: "deploy" }));
    expect(error.fault).to.equal("unreachable");
    expect(error.message).to.contain("connection refused (ECONNREFUSED)");
    expect(client.stats.retries).to.equal(3);
  });

  it("is interrupted while it waits for an answer", async () => {
    const abort = new AbortController();
    await start(() => abort.abort());
    expect(
      await rejection(client.send("PUT", "/x", { shape: anything, operation: "deploy", signal: abort.signal })),
    ).to.be.instanceOf(CancelledError);
  });

  it("sends as many at once as the server bears", async () => {
    let running = 0;
    let most = 0;
    await start((_request, response) => {
      running += 1;
      most = Math.max(most, running);
      setImmediate(() => {
        running -= 1;
        response.end("{}");
      });
    });
    await Promise.all(Array.from({ length: 100 }, () => client.get("/x", { shape: anything, operation: "read" })));
    expect(most).to.be.within(2, 32);
  });

  it("brings to its end what was begun before it begins more", async () => {
    const served: string[] = [];
    await start(({ method, url }, response) => {
      served.push(`${method} ${url?.split("/").at(-1)}`);
      setTimeout(() => response.end("{}"), 5);
    });
    const machine = async (name: string) => {
      await client.send("PATCH", `/nodes/${name}`, { shape: anything, operation: "claim", later: true });
      await client.send("PUT", `/nodes/${name}`, { shape: anything, operation: "deploy" });
    };
    const names = Array.from({ length: 150 }, (_, index) => `n${index}`);
    await Promise.all(names.map(machine));
    const places = 32;
    for (const name of names)
      expect(served.indexOf(`PUT ${name}`) - served.indexOf(`PATCH ${name}`), name).to.be.at.most(2 * places);
  });
});
