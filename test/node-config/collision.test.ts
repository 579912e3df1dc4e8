/** Two stacks reach for one node at the same moment: Ironic lets one after the other in, and one of them goes. */
import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { instanceUuidFor } from "../../provider/node/identity.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import { apply, fakeCall, fakeServices } from "../fakes/call.ts";
import { fakeClient } from "../fakes/client.ts";
import { A, foreign } from "../fakes/deployments.ts";
import { deploymentBy, settingsMarkBy } from "../fakes/identities.ts";
import type { World } from "../fakes/world.ts";
import { BEFORE, INPUTS, made, NODE, scene, settings } from "./scene.ts";

/** Another stack's claim, which was on its way. */
const take = ({ fake }: World): void => {
  Object.assign(fake.node, { instance_uuid: foreign.instanceUuid });
  fake.node.extra[DEPLOYMENT_MARKER] = foreign;
};

/** Lets the other stack in just before the next PATCH of ours. */
const takenAtPatch = (w: World): void => {
  let due = true;
  w.before(({ method }) => {
    if (method !== "PATCH" || !due) return;
    due = false;
    take(w);
  });
};

describe("settings that are written while another stack claims the node", () => {
  const theirs: Partial<Node> = { instance_uuid: foreign.instanceUuid, extra: { [DEPLOYMENT_MARKER]: foreign } };

  it("are taken back at once, and nothing of them is stored", async () => {
    for (const fault of [undefined, "loseAfter"] as const) {
      const w = scene({ driver_info: { a: 1 } });
      takenAtPatch(w);
      if (fault) w.fault("PATCH", "", fault);
      const { stored, error } = await w.up(undefined, { ...INPUTS, driverInfo: { a: 2 }, description: "ours" });
      expect(error?.message).to.match(/held by deployment "theirs" of stack stack-2, which came at the same time/);
      expect(error).to.have.property("code", "node-held");
      expect(stored).to.equal(undefined);
      expect(settings(w.node())).to.deep.equal(BEFORE);
      expect(w.node()).to.deep.include({ ...theirs, driver_info: { a: 1 }, description: null });
      expect(w.client.writes).to.have.length(2);
    }
  });

  it("of an update are taken back to what they were, with their mark", async () => {
    const { w, first } = await made();
    const before = structuredClone(w.node());
    takenAtPatch(w);
    const { stored, error } = await w.up(first, { ...INPUTS, bootInterface: "http", description: "new" });
    expect(error?.message).to.match(/came at the same time/);
    expect(stored).to.deep.equal(first);
    expect(w.node()).to.deep.equal({ ...before, ...theirs, extra: { ...before.extra, ...theirs.extra } });
  });

  it("of an update leave cleaning on where they were about to turn it on again: the node is another's", async () => {
    const { w, first } = await made({ automated_clean: true });
    expect(w.node().automated_clean).to.equal(false);
    takenAtPatch(w);
    const { automatedCleaning: _off, ...without } = INPUTS;
    const { error } = await w.up(first, without);
    expect(error?.message).to.match(/came at the same time/);
    expect(w.node().automated_clean).to.equal(true);
  });

  it("are taken back once the node takes a PATCH again, and what it does not take is named", async () => {
    const w = scene();
    let patches = 0;
    w.before(({ method }) => {
      if (method !== "PATCH") return;
      if (++patches === 1) take(w);
      if (patches !== 2) return;
      w.ironic.move(w.fake, "deploying", "active");
      w.fake.due = { atMs: w.clock.now() + 5_000, act: () => w.ironic.move(w.fake, "active") };
    });
    const { error } = await w.up(undefined, INPUTS);
    expect(error?.message).to.match(/taken back, but not deploy_interface, boot_interface/);
    expect(w.node()).to.deep.include({ ...theirs, automated_clean: null });
  });

  it("are not taken back where somebody else has written since, nor where nothing was written", async () => {
    const w = scene();
    w.before(({ method, index }) => {
      if (method !== "PATCH" || index > 1) return;
      take(w);
      void w.clock.sleep(0).then(() => Object.assign(w.fake.node, { automated_clean: true }));
    });
    w.fault("PATCH", "", "loseAfter");
    await w.up(undefined, INPUTS);
    expect(w.node()).to.deep.include({ ...theirs, automated_clean: true, deploy_interface: "direct" });

    const v = scene();
    takenAtPatch(v);
    v.fault("PATCH", "", "loseBefore");
    expect((await v.up(undefined, INPUTS)).error?.message).to.match(/nothing was written/);
    expect(v.client.writes).to.have.length(0);
  });
});

describe("settings that are written while another stack makes its own", () => {
  it("are taken back but for what the other wrote as well, though it wrote over their mark", async () => {
    const w = scene();
    const theirs = { ...settingsMarkBy("stack-2", "theirs"), previous: {}, written: { deploy_interface: "ramdisk" } };
    let due = true;
    w.fault("PATCH", "", "loseAfter");
    w.before(({ method }) => {
      if (method === "PATCH") return;
      if (!due || !(CONFIG_MARKER in w.node().extra)) return;
      due = false;
      w.fake.node.extra = { [CONFIG_MARKER]: theirs };
    });
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error?.message).to.match(
      /held by BaremetalNodeConfig "theirs" .* came at the same time; what .* taken back/,
    );
    expect(stored).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal({ ...BEFORE, deploy_interface: "ramdisk" });
    expect(w.node().extra).to.deep.equal({ [CONFIG_MARKER]: theirs });
  });
});

describe("a claim that is written while another stack's settings are made", () => {
  const DEPLOYMENT = { node: "worker-1", ...A, ...deploymentBy("stack-1", "worker") };
  const theirSettings = { ...settingsMarkBy("stack-2", "theirs"), previous: {}, written: { description: "x" } };

  it("is taken back at once, and nothing of it is stored", async () => {
    for (const fault of [undefined, "loseAfter"] as const) {
      const w = scene({ deploy_interface: "ramdisk", instance_info: { kernel: "http://old" } });
      let due = true;
      w.before(({ method }) => {
        if (method !== "PATCH" || !due) return;
        due = false;
        w.fake.node.extra[CONFIG_MARKER] = theirSettings;
      });
      if (fault) w.fault("PATCH", "", fault);
      const run = apply(deploymentHandler, undefined, DEPLOYMENT, w.services, fakeCall());
      const { stored, error } = await w.clock.run(run);
      expect(error?.message).to.match(
        /held by BaremetalNodeConfig "theirs" of stack stack-2, which came at the same time; the claim was taken back/,
      );
      expect(error).to.have.property("code", "node-held");
      expect(stored).to.equal(undefined);
      expect(w.node()).to.deep.include({
        instance_uuid: null,
        instance_info: { kernel: "http://old" },
        extra: { [CONFIG_MARKER]: theirSettings },
      });
    }
  });

  it("leaves the node to one of the two, whoever is first", async () => {
    for (const latencies of [
      [10, 15],
      [15, 10],
      [10, 10],
    ] as const) {
      const w = scene({ deploy_interface: "ramdisk" });
      const [ourMs, theirMs] = latencies;
      const client = (by: string, latencyMs: number) =>
        fakeServices(fakeClient({ ironic: w.ironic, clock: w.clock, by, latencyMs }), w.clock, { preflight: "off" });
      const theirDeployment = { ...DEPLOYMENT, ...deploymentBy("stack-2", "theirs") };
      const outcomes = await w.clock.run(
        Promise.all([
          apply(nodeConfigHandler, undefined, INPUTS, client("us", ourMs), fakeCall()),
          apply(deploymentHandler, undefined, theirDeployment, client("them", theirMs), fakeCall()),
        ]),
      );
      const failed = outcomes.filter(({ error }) => error !== undefined);
      expect(failed, JSON.stringify(latencies)).to.have.length(1);
      expect(failed[0]?.stored).to.equal(undefined);
      const { extra, instance_uuid } = w.node();
      const settingsStand = CONFIG_MARKER in extra;
      expect(DEPLOYMENT_MARKER in extra).to.equal(!settingsStand);
      const theirUuid = instanceUuidFor({ ...deploymentBy("stack-2", "theirs"), nodeUuid: NODE });
      expect(instance_uuid).to.equal(settingsStand ? null : theirUuid);
    }
  });
});
