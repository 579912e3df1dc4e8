// What a 404 means is settled by what was asked for: over the wire, as Ironic and those before it answer.
import { expect } from "chai";
import nock from "nock";
import * as z from "zod";
import type { Client } from "../../provider/http/client.ts";
import { pageOf, readPages } from "../../provider/http/pages.ts";
import { anything, clientFor, fault, stepClock, versionHeaders } from "../fakes/http-server.ts";
import { answerOf } from "./answers.ts";

const origin = "http://ironic.example.org:6385";
const page = pageOf("nodes", z.object({ uuid: z.string() }));
const gone = (what: string) => fault(`${what} could not be found.`);

describe("a 404", () => {
  let client: Client;
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  beforeEach(() => {
    client = clientFor({ endpoint: origin, authType: "none" }, { clock: stepClock() });
    nock(origin).get("/v1").reply(200, {}, versionHeaders());
  });
  afterEach(async () => {
    nock.cleanAll();
    await client.close();
  });

  it("about the stranger after whom a page begins makes the list be read anew", async () => {
    const list = (query: object) =>
      nock(origin)
        .get("/v1/nodes")
        .query({ limit: "2", ...query });
    list({}).reply(200, { nodes: [{ uuid: "a" }, { uuid: "stranger" }], next: "more" });
    list({ marker: "stranger" }).reply(404, gone("Node stranger"));
    list({}).reply(200, { nodes: [{ uuid: "a" }, { uuid: "b" }], next: "more" });
    list({ marker: "b" }).reply(200, { nodes: [] });
    const nodes = await readPages(client, "/nodes", page, { operation: "list", query: { limit: 2 } });
    expect(nodes.map(({ uuid }) => uuid)).to.deep.equal(["a", "b"]);
  });

  it("means that a node is gone only where it names the very node", async () => {
    const read = (answer: unknown) => {
      nock(origin)
        .get("/v1/nodes/worker-1")
        .reply(404, answer as nock.Body);
      return answerOf(client.get("/nodes/worker-1", { shape: anything, operation: "read", node: "worker-1" }));
    };
    expect((await read(gone("Node worker-1"))).fault).to.equal("nodeGone");
    for (const answer of [gone("Node stranger"), gone("Node worker-10"), "<html>Not Found</html>"])
      expect((await read(answer)).fault).to.equal("notFound");
  });

  it("or a redirect means that an allocation is gone only where Ironic names the very allocation", async () => {
    const read = (status: number, answer: unknown, headers = {}) => {
      nock(origin)
        .get("/v1/allocations/8a7b")
        .reply(status, answer as nock.Body, headers);
      return answerOf(client.get("/allocations/8a7b", { shape: anything, operation: "read", allocation: "8a7b" }));
    };
    expect((await read(404, gone("Allocation 8a7b"))).fault).to.equal("allocationGone");
    expect((await read(404, gone("Allocation 9c1d"))).fault).to.equal("notFound");
    expect((await read(404, "Not Found")).fault).to.equal("notFound");
    expect((await read(302, "", { location: "https://other.example/" })).fault).to.equal("notFound");
  });
});
