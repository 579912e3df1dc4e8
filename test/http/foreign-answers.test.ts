/** What comes from something else than Ironic: a proxy, a gateway, the login page of a network. */
import { expect } from "chai";
import nock from "nock";
import { isRefusal } from "../../provider/core/errors.ts";
import type { Client } from "../../provider/http/client.ts";
import { ignored } from "../../provider/http/shape.ts";
import { clientFor, rejection, versionHeaders } from "../fakes/http-server.ts";
import { answerOf } from "./answers.ts";

const origin = "http://ironic.example.org:6385";

describe("an answer of something else than Ironic", () => {
  let client: Client;
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  beforeEach(() => {
    client = clientFor({ endpoint: origin, authType: "none" });
    nock(origin).get("/v1").reply(200, {}, versionHeaders());
  });
  afterEach(async () => {
    nock.cleanAll();
    await client.close();
  });
  const write = (method: "PUT" | "PATCH" | "POST" | "DELETE") =>
    client.send(method, "/nodes/n/states/provision", { shape: ignored, operation: "deploy the node", node: "n" });

  for (const method of ["PUT", "PATCH", "POST", "DELETE"] as const)
    for (const [status, body] of [
      [200, "<html>Please log in</html>"],
      [200, "{}"],
      [202, ""],
      [204, ""],
    ] as const)
      it(`does not count as accepted: ${method} and ${status} "${body}"`, async () => {
        nock(origin).intercept("/v1/nodes/n/states/provision", method).reply(status, body);
        const error = await answerOf(write(method));
        expect(error).to.include({ fault: "ambiguous", code: "endpoint-not-ironic", status });
        expect(error.message).to.contain(`Something else than Ironic answered ${status}: Ironic's version headers`);
        expect(isRefusal(error)).to.equal(false);
        expect(client.stats.byPath[`${method} /nodes/{}/states/provision`]).to.equal(1);
      });

  it("counts where Ironic's headers are on it, also without a body", async () => {
    nock(origin).put("/v1/nodes/n/states/provision").reply(202, "", versionHeaders());
    expect(await write("PUT")).to.equal(undefined);
  });

  for (const location of ["http://", "//", "http://[::1"])
    it(`with the Location ${location} is told of, and followed nowhere`, async () => {
      nock(origin).get("/v1/nodes/n").reply(302, "", { location });
      const error = await answerOf(client.get("/nodes/n", { shape: ignored, operation: "read", node: "n" }));
      expect(error.code).to.equal("endpoint-not-ironic");
      expect(error.message).to.contain("redirects to nowhere");
    });

  it("is not asked for: a node named .. would be another address", async () => {
    const error = await rejection(client.get("/nodes/..", { shape: ignored, operation: "read", node: ".." }));
    expect(error).to.include({ code: "argument-invalid" });
    expect(client.stats.requests).to.equal(1);
  });
});
