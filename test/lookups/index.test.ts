import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import nock from "nock";
import { getNodes } from "../../provider/lookups/index.ts";
import { newNode } from "../fakes/fake-node.ts";
import { fault, versionHeaders } from "../fakes/http-server.ts";

describe("look-ups", () => {
  let environment: NodeJS.ProcessEnv;
  before(() => {
    nock.disableNetConnect();
    environment = process.env;
    process.env = Object.fromEntries(Object.entries(environment).filter(([key]) => !key.startsWith("OS_")));
  });
  after(() => {
    process.env = environment;
    nock.enableNetConnect();
  });
  afterEach(() => {
    nock.cleanAll();
    pulumi.runtime.setAllConfig({});
  });

  /** Each connection has a client of its own for as long as the process lives. */
  const ironic = (name: string) => {
    const origin = `http://${name}.example.org:6385`;
    pulumi.runtime.setAllConfig({ "ironic:endpoint": origin, "ironic:authType": "none" });
    nock(origin).get("/v1").reply(200, {}, versionHeaders());
    return nock(origin);
  };

  it("read a list to its last page, and sort it by name whatever Ironic's order", async () => {
    const node = (uuid: string, name: string | null) => ({
      ...newNode(1, "2026-01-01T00:00:00+00:00", { provision_state: null }),
      uuid,
      name,
    });
    const scope = ironic("paged");
    const page = (marker: string | undefined, answer: object) =>
      scope
        .get("/v1/nodes")
        .query((asked) => asked.marker === marker && asked.resource_class === "gpu" && asked.associated === "false")
        .reply(200, answer);
    page(undefined, { nodes: [node("u1", "b"), node("u2", null)], next: "http://elsewhere.example.org/v1/nodes" });
    page("u2", { nodes: [node("u3", "a")] });
    const found = await getNodes({ resourceClass: "gpu", associated: false });
    expect(found.map(({ name, uuid, provisionState }) => [name, uuid, provisionState])).to.deep.equal([
      ["a", "u3", "available"],
      ["b", "u1", "available"],
      [undefined, "u2", "available"],
    ]);
    expect(scope.isDone()).to.equal(true);
  });

  it("fail with what Ironic answered, as an error of the program", async () => {
    ironic("refusing").get("/v1/nodes").query(true).reply(403, fault("Policy does not allow it"));
    const error = await getNodes().catch((thrown: unknown) => thrown);
    expect(pulumi.RunError.isInstance(error)).to.equal(true);
    expect((error as Error).message).to.match(
      /^Could not look up nodes: Ironic answered 403.*Policy does not allow it/,
    );
    expect((error as Error).cause).to.have.property("fault", "forbidden");
  });
});
