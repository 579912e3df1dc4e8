/** Another stack's settings beside a deployment of ours: who came at the same time, was killed, or lied. */
import { expect } from "chai";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import { apply, fakeCall, fakeServices } from "../fakes/call.ts";
import { fakeClient } from "../fakes/client.ts";
import { INPUTS, NODE, OURS, scene } from "../fakes/deployments.ts";
import { settingsBy, settingsMarkBy } from "../fakes/identities.ts";
import type { World } from "../fakes/world.ts";
import { deployed, verbs } from "./scene.ts";

const THEIRS = { ...settingsMarkBy("stack-2", "theirs"), previous: {}, written: {} };

const addTheirs = ({ fake }: World): void => {
  fake.node.extra = { ...fake.node.extra, [CONFIG_MARKER]: THEIRS };
};

/** Only their settings are left. */
const isTheirs = (w: World): void => {
  expect(w.node()).to.deep.include({
    provision_state: "available",
    instance_uuid: null,
    instance_info: {},
    extra: { [CONFIG_MARKER]: THEIRS },
  });
};

/** A create that was killed once it had claimed the node: no state knows of it. */
async function claimAndDie(w: World): Promise<void> {
  let due = true;
  w.before(({ path }) => {
    if (!due || !path.includes("/validate")) return;
    due = false;
    w.call.abort();
  });
  await w.up(undefined, INPUTS);
  expect(w.node().instance_uuid).to.equal(OURS);
  w.client.writes.length = 0;
}

describe("RamdiskDeployment beside another stack's settings", () => {
  it("is undeployed when it is destroyed, and leaves their settings alone", async () => {
    for (const at of ["at first", "while it is undeployed", "after a run that was cut off"]) {
      const { w, first } = await deployed();
      if (at === "at first") addTheirs(w);
      if (at === "while it is undeployed") w.before(({ method }) => method === "PUT" && addTheirs(w));
      if (at === "after a run that was cut off") {
        w.ironic.move(w.fake, "available");
        w.fake.node.instance_uuid = null;
        w.fake.node.instance_info = {};
        addTheirs(w);
      }
      expect(await w.destroy(first), at).to.equal(undefined);
      expect(w.warnings(), at).to.deep.equal([]);
      isTheirs(w);
    }
  });

  it("is not given up when they are all that says that the machine is another's", async () => {
    const { w, first } = await deployed();
    addTheirs(w);
    w.fake.node.protected = true;
    expect((await w.destroy(first))?.message).to.match(/protected/);
  });

  it("stays in the state once it was started", async () => {
    const w = scene({ deploy_interface: "ramdisk" });
    w.before(({ method }) => method === "PUT" && addTheirs(w));
    const { stored, error } = await w.up(undefined, { ...INPUTS, protected: true });
    expect(error?.message).to.match(/held by BaremetalNodeConfig "theirs" of stack stack-2/);
    expect(stored?.outs.instanceUuid).to.equal(OURS);
    expect(stored && (await w.destroy(stored))).to.equal(undefined);
    isTheirs(w);
  });

  it("takes back the claim of a run that was killed, and stores nothing", async () => {
    const w = scene({ deploy_interface: "ramdisk" });
    await claimAndDie(w);
    addTheirs(w);
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error?.message).to.match(
      /held by BaremetalNodeConfig "theirs" .* came at the same time; the claim was taken/,
    );
    expect(stored).to.equal(undefined);
    expect(verbs(w)).to.deep.equal(["PATCH"]);
    isTheirs(w);
  });

  it("is in nobody's way for ever: after the next run both can go", async () => {
    const w = scene({ deploy_interface: "ramdisk", boot_interface: "ipxe" });
    const them = fakeServices(fakeClient({ ironic: w.ironic, clock: w.clock, by: "them" }), w.clock);
    const settings = { node: "worker-1", ...settingsBy("stack-2", "theirs"), bootInterface: "http" };
    const { stored: made } = await w.clock.run(apply(nodeConfigHandler, undefined, settings, them, fakeCall()));
    const { extra } = w.node();
    w.fake.node.extra = {};
    await claimAndDie(w);
    w.fake.node.extra = { ...w.fake.node.extra, ...extra };
    expect(w.node().extra).to.have.keys(CONFIG_MARKER, DEPLOYMENT_MARKER);
    const leave = () =>
      w.clock.run(
        nodeConfigHandler.delete(NODE, made?.outs ?? {}, them, fakeCall()).catch((error: Error) => error.message),
      );
    expect(await leave()).to.match(/held by deployment "worker" of stack stack-1/);
    await w.up(undefined, INPUTS);
    expect(await leave()).to.equal(undefined);
    expect(w.node()).to.deep.include({ instance_uuid: null, extra: {}, boot_interface: "ipxe" });
  });
});
