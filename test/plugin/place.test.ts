import { expect } from "chai";
import { configDriveHandler } from "../../provider/config-drive/handler.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import { stackIdentityHandler } from "../../provider/stack/handler.ts";
import { INPUTS } from "../fakes/deployments.ts";
import { settingsBy } from "../fakes/identities.ts";
import { world } from "../fakes/world.ts";

const FIRST = { endpoint: "https://ironic.example", scope: "project:p-1", region: "north" };
const LATER = { endpoint: "https://west.example", scope: "system" };

describe("where a resource was made", () => {
  for (const [handler, inputs, other] of [
    [deploymentHandler, INPUTS, { kernelArguments: "other" }],
    [nodeConfigHandler, { node: "worker-1", ...settingsBy("stack-1", "s") }, { description: "other" }],
    [configDriveHandler, { node: "worker-1", userData: "#!", format: "iso" }, { userData: "#!!" }],
  ] as const)
    it(`is in its state, as it was at the last create or update, and is no difference: ${Object.keys(other)}`, async () => {
      const w = world(handler, { node: { automated_clean: false } });
      w.client.here = { ...FIRST, account: "ops" };
      const first = await w.made(undefined, inputs);
      expect(first.outs.connection).to.deep.equal(FIRST);
      w.client.here = { ...LATER, account: "root" };
      expect((await w.refresh(first))?.outs.connection).to.deep.equal(FIRST);
      expect(await w.diff(first, inputs)).to.deep.include({ changes: false, replaces: [] });
      expect((await w.made(first, { ...inputs, ...other })).outs.connection).to.deep.equal(LATER);
    });

  it("is in the state of one that failed in part", async () => {
    const w = world(deploymentHandler, { node: { automated_clean: false } });
    w.client.here = { ...FIRST, account: "ops" };
    w.fake.fate.deployFails = 1;
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error).to.be.instanceOf(Error);
    expect(stored?.outs.connection).to.deep.equal(FIRST);
  });

  it("is not asked for by resources that need no Ironic", async () => {
    const w = world(stackIdentityHandler);
    expect((await w.made(undefined, {})).outs).to.have.all.keys("stackId");
    const drive = world(configDriveHandler);
    const services = { ...drive.services, connection: () => Promise.reject(new Error("there is none")) };
    const inputs = { node: "worker-1", url: "http://images/drive.gz" };
    const made = await configDriveHandler.create(inputs, services, drive.call);
    expect(made.outs).not.to.have.property("connection");
    // What was known of it stays.
    const olds = { ...inputs, ...made.outs, connection: FIRST };
    const updated = await configDriveHandler.update(made.id, olds, inputs, services, drive.call);
    expect(updated.outs.connection).to.deep.equal(FIRST);
  });
});
