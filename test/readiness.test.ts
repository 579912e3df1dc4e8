import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { awaitReadiness } from "../provider/readiness.ts";
import { virtualClock } from "./fakes/clock.ts";

describe("the readiness probe", () => {
  it("asks the whole address, and shows no query, user or password of it", async () => {
    const asked: string[] = [];
    const server = createServer(({ url }, response) => {
      asked.push(String(url));
      response.writeHead(503).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const http = `http://user:planted1@127.0.0.1:${port}/health?token=planted2`;
    const said: string[] = [];
    try {
      const failure = await awaitReadiness(
        { http, timeoutSeconds: 1 },
        "worker-1",
        virtualClock(),
        new AbortController().signal,
        (text) => said.push(text),
      ).catch((error: Error) => error.message);
      expect(failure).to.match(
        /active, but http:\/\/127\.0\.0\.1:\d+\/health did not become ready within 1 s: HTTP 503/,
      );
      expect(`${failure} ${said}`).not.to.contain("planted");
      expect(asked).to.deep.equal(["/health?token=planted2"]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
