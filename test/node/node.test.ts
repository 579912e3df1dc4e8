import { expect } from "chai";
import nock from "nock";
import { IronicError, isRefusal } from "../../provider/core/errors.ts";
import type { Client } from "../../provider/http/client.ts";
import { failureCause, readNode, readPortGroups, readPorts, validateForDeploy } from "../../provider/node/node.ts";
import { createPatchQueue } from "../../provider/node/patch-queue.ts";
import { newNode } from "../fakes/fake-node.ts";
import { clientFor, rejection, versionHeaders } from "../fakes/http-server.ts";

const origin = "http://ironic.example.org:6385";
const STAMP = "2026-01-01T00:00:00+00:00";
const NODE = newNode(1, STAMP, {});
/** Fields that Ironic has had since after API 1.46. */
const NEWER = ["allocation_uuid", "protected", "retired", "automated_clean", "description"];
const ID = "req-3f2a";

describe("the node's reader", () => {
  let client: Client;
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  const speak = (maxMinor = 115) => nock(origin).get("/v1").reply(200, {}, versionHeaders(1, maxMinor));
  beforeEach(() => {
    client = clientFor({ endpoint: origin, authType: "none" });
  });
  afterEach(async () => {
    nock.cleanAll();
    await client.close();
  });

  const answer = (body: object, path = "/v1/nodes/n") =>
    nock(origin).get(path).query(true).reply(200, body, { "openstack-request-id": ID });
  const read = () => readNode(client, "n", "read the node");
  const refused = async (work: Promise<unknown>): Promise<IronicError> => {
    const error = await rejection(work);
    expect(error).to.be.instanceOf(IronicError);
    return error as IronicError;
  };

  for (const [field, value, fault] of [
    ["provision_state", 5, "provision_state must be a string or null, got a number"],
    ["maintenance", "False", "maintenance must be true or false, got a string"],
    ["instance_info", null, "instance_info must be an object, got null"],
    ["traits", "CUSTOM_X", "traits must be a list, got a string"],
    ["traits", [1], "traits[0] must be a string, got a number"],
    ["deploy_step", { step: 1 }, "deploy_step.step must be a string, got a number"],
    ["uuid", undefined, "uuid must be a string, but is missing"],
    ["reservation", undefined, "reservation must be a string or null, but is missing"],
  ] as const)
    it(`refuses ${field} ${JSON.stringify(value)}, once, and names request and field`, async () => {
      speak();
      answer({ ...NODE, [field]: value });
      const error = await refused(read());
      expect(error.fault).to.equal("malformed");
      expect(error.message).to.match(/^Could not read the node: Ironic answered 200 \(req-3f2a\): /);
      expect(error.message).to.contain(`GET /v1/nodes/n: ${fault}.`);
    });

  it("takes fields that it does not know", async () => {
    speak();
    answer({ ...NODE, firmware_interface: 7, links: [{ href: "x" }] });
    expect(await read()).to.deep.equal(NODE);
  });

  it("takes a node as the oldest supported Ironic shows it", async () => {
    speak(46);
    const old = Object.fromEntries(Object.entries(NODE).filter(([name]) => !NEWER.includes(name)));
    answer({ ...old, clean_step: {}, deploy_step: {} });
    const node = await read();
    expect(node.retired).to.equal(undefined);
    expect(node.uuid).to.equal(NODE.uuid);
  });

  it("takes null for retired, as nodes have it that are older than the field", async () => {
    speak();
    answer({ ...NODE, retired: null });
    expect((await read()).retired).to.equal(null);
  });

  it("does not take a PATCH with an odd answer for one that was refused, nor send it again", async () => {
    speak();
    const patch = nock(origin).patch("/v1/nodes/n").reply(200, { uuid: "n" }, versionHeaders());
    const error = await refused(
      createPatchQueue(client).patch("n", [{ op: "add", path: "/extra/a", value: 1 }], "claim the node"),
    );
    expect(error.message).to.contain("PATCH /v1/nodes/n: name must be a string or null, but is missing");
    expect(isRefusal(error)).to.equal(false);
    expect(patch.isDone()).to.equal(true);
  });

  it("does not take an empty body for a node", async () => {
    speak();
    nock(origin).get("/v1/nodes/n").reply(204);
    expect((await refused(read())).message).to.contain("the body must be an object, but is missing");
  });

  it("reads ports, by name only where they have one", async () => {
    speak(87);
    const port = { uuid: "p", node_uuid: NODE.uuid, address: "52:54:00:00:00:01", pxe_enabled: true };
    nock(origin)
      .get("/v1/ports")
      .query(({ fields }) => !String(fields).split(",").includes("name"))
      .reply(200, { ports: [{ ...port, physical_network: null, portgroup_uuid: null }] });
    expect((await readPorts(client, "n")).map(({ uuid }) => uuid)).to.deep.equal(["p"]);
    answer({ ports: [{ ...port, pxe_enabled: null }] }, "/v1/ports");
    expect((await refused(readPorts(client, "n"))).detail).to.contain("ports[0].pxe_enabled must be true or false");
  });

  it("reads port groups", async () => {
    speak();
    answer(
      { portgroups: [{ uuid: "g", name: null, address: null, mode: "802.3ad", properties: {} }] },
      "/v1/portgroups",
    );
    expect((await readPortGroups(client, "n"))[0]?.mode).to.equal("802.3ad");
    answer({ portgroups: [{ uuid: "g", properties: "miimon=100" }] }, "/v1/portgroups");
    expect((await refused(readPortGroups(client, "n"))).detail).to.contain(
      "portgroups[0].properties must be an object",
    );
  });

  it("reads a validation, of the interfaces that matter for a deployment", async () => {
    speak();
    const path = "/v1/nodes/n/validate";
    answer({ boot: { result: false, reason: "no kernel" }, power: { result: null, reason: "?" }, bios: 5 }, path);
    expect(await validateForDeploy(client, "n")).to.deep.equal(["boot: no kernel"]);
    answer({ boot: { result: "no" } }, path);
    expect((await refused(validateForDeploy(client, "n"))).detail).to.contain(
      "boot.result must be true, false or null",
    );
  });

  it("says why an operation failed although the history is not usable", async () => {
    speak();
    answer({ history: [{ uuid: "e", created_at: 5 }] }, "/v1/nodes/n/history");
    const cause = await failureCause(client, { ...NODE, uuid: "n" }, undefined);
    expect(cause).to.contain("Ironic gives no reason");
  });
});
