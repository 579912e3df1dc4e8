import { expect } from "chai";
import { DEPLOYMENT_MARKER, deploymentMarker } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import {
  A,
  B,
  CLEAN_FAILURES,
  cutRecovery,
  DRIVE,
  foreign,
  INPUTS,
  isClean,
  NODE,
  OURS,
  scene,
} from "../fakes/deployments.ts";
import { settingsBy, settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";

const deployed = async (fields: Partial<Node> = {}, inputs: Props = INPUTS): Promise<{ w: World; first: Stored }> => {
  const w = scene(fields);
  const first = await w.made(undefined, inputs);
  w.asked();
  w.client.writes.length = 0;
  return { w, first };
};
const verbs = ({ client }: World): string[] =>
  client.writes.map(({ method, body }) => (body as { target?: string } | undefined)?.target ?? method);

/** Row by row: "destroy, by what is found" of design.md. */
describe("RamdiskDeployment: destroy", () => {
  it("ours: undeploys, waits until the node is available, and leaves nothing", async () => {
    for (const automated_clean of [false, true]) {
      const { w, first } = await deployed({ automated_clean });
      expect(await w.destroy(first)).to.equal(undefined);
      expect(w.node().provision_state).to.equal("available");
      expect(verbs(w)).to.deep.equal(["deleted", "PATCH"]);
      isClean(w.node());
    }
  });

  it("ours and retired: ends manageable", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    w.fake.node.retired = true;
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node().provision_state).to.equal("manageable");
    isClean(w.node());
  });

  it("ours, in maintenance set by others: goes on, and leaves the maintenance", async () => {
    const { w, first } = await deployed();
    Object.assign(w.fake.node, { maintenance: true, maintenance_reason: "fan" });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.include({ provision_state: "available", maintenance: true, maintenance_reason: "fan" });
  });

  it("ours in the middle of a deploy: waits for its end, as nothing can stop it, then undeploys", async () => {
    const w = scene();
    void w.clock.sleep(1_000).then(() => w.call.abort());
    const { stored } = await w.up(undefined, INPUTS);
    expect(await w.destroy(stored as Stored)).to.equal(undefined);
    expect(w.clock.now()).to.be.at.least(5_000);
    isClean(w.node());
  });

  it("ours, waiting for a call-back, failed, or in rescue: undeploys", async () => {
    for (const state of [
      "wait call-back",
      "deploy failed",
      "rescue",
      "rescue failed",
      "service failed",
      "unrescue failed",
    ]) {
      const { w, first } = await deployed();
      w.ironic.move(w.fake, state);
      expect(await w.destroy(first), state).to.equal(undefined);
      isClean(w.node());
    }
  });

  it("being undeployed already, without instance_uuid: goes on, whether deleting or cleaning", async () => {
    for (const waitedMs of [1_000, 3_000, 15_000, 25_000]) {
      const { w, first } = await deployed({ automated_clean: true });
      w.fake.fate.calls = true;
      w.ironic.provision(NODE, "a run that crashed", "deleted");
      await w.clock.pass(waitedMs);
      expect(await w.destroy(first)).to.equal(undefined);
      expect(verbs(w)).to.deep.equal(["PATCH"]);
      isClean(w.node());
    }
  });

  it("without instance_uuid on an active node: refuses, and writes nothing", async () => {
    for (const extra of [undefined, {}]) {
      const { w, first } = await deployed();
      Object.assign(w.fake.node, { instance_uuid: null, ...(extra && { extra }) });
      expect((await w.destroy(first))?.message).to.match(/its instance_uuid was removed.*Nothing was written/);
      expect(w.client.writes).to.deep.equal([]);
    }
  });

  it("another's: ours is gone; warns, succeeds, writes nothing", async () => {
    const cases: Partial<Node>[] = [
      { instance_uuid: OTHER_INSTANCE },
      { extra: { [DEPLOYMENT_MARKER]: foreign } },
      { extra: { pulumi_ironic: { ...settingsMarkBy("stack-2", "theirs") } } },
      // Settings of ours that were left to this deployment wait until the node is free.
      {
        instance_uuid: OTHER_INSTANCE,
        extra: {
          pulumi_ironic: {
            ...settingsMarkBy("stack-1", "s"),
            previous: {},
            written: { automated_clean: false },
            restorePending: true,
          },
        },
      },
    ];
    for (const fields of cases)
      for (const state of ["active", "deploying", "available", "cleaning", "error"]) {
        const { w, first } = await deployed();
        w.ironic.move(w.fake, state);
        Object.assign(w.fake.node, fields);
        expect(await w.destroy(first)).to.equal(undefined);
        expect(w.warnings().join()).to.match(/is held by .*nothing was written/);
        expect(/settings that "s" had left to it .*claims --stack stack-1/.test(w.warnings().join())).to.equal(
          JSON.stringify(fields).includes("left"),
        );
        expect(w.client.writes).to.deep.equal([]);
      }
  });

  it("ours on an available node, as the PUT was refused: releases by PATCH", async () => {
    const { w, first } = await deployed();
    w.ironic.move(w.fake, "available");
    expect(await w.destroy(first)).to.equal(undefined);
    expect(verbs(w)).to.deep.equal(["PATCH"]);
    isClean(w.node());
  });

  it("gone, or given back already: succeeds", async () => {
    const { w, first } = await deployed();
    expect(await w.destroy(first)).to.equal(undefined);
    w.client.writes.length = 0;
    expect(await w.destroy(first)).to.equal(undefined);
    w.ironic.remove(NODE);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("only Ironic's own word means gone", async () => {
    const { w, first } = await deployed();
    w.fault("GET", "/nodes/", "noConductor");
    expect(await w.destroy(first)).to.have.property("fault", "noConductor");
  });

  it("clean failed: brought back once, with the cleaning that the user wanted", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    w.fake.fate.cleanFails = 1;
    expect(await w.destroy(first)).to.equal(undefined);
    expect(verbs(w)).to.deep.equal(["deleted", "PATCH", "manage", "PATCH", "DELETE", "provide", "PATCH"]);
    expect(w.node()).to.include({ provision_state: "available", maintenance: false, fault: null });
    isClean(w.node());
  });

  it("clean failed twice: an error with the cause, the claim stays, the next destroy goes on", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    w.fake.fate.cleanFails = 2;
    expect((await w.destroy(first))?.message).to.match(
      /Cleaning of node worker-1 .* failed again: erase_devices failed\. .*baremetal node manage worker-1/,
    );
    expect(deploymentMarker(w.node())?.instanceUuid).to.equal(OURS);
    expect(await w.destroy(first)).to.equal(undefined);
    isClean(w.node());
  });

  it("clean failed and retired: kept and said, as Ironic cleans such a node no second time by itself", async () => {
    for (const retiredAt of ["clean failed", "manageable"]) {
      const { w, first } = await deployed({ automated_clean: true });
      w.fake.fate.cleanFails = 1;
      let retires = true;
      w.before(() => {
        if (w.fake.node.provision_state === retiredAt) w.fake.node.retired = retires;
      });
      const error = await w.destroy(first);
      expect(error?.message).to.match(
        /cannot be repeated, because the node is retired: .*node unset worker-1 --retired/,
      );
      expect(w.node().provision_state).to.equal(retiredAt);
      expect(deploymentMarker(w.node())).to.include({ instanceUuid: OURS });
      retires = false;
      expect(await w.destroy(first)).to.equal(undefined);
      expect(w.node()).to.include({ provision_state: "available", maintenance: false });
      isClean(w.node());
    }
  });

  it("clean failed and retired: an operator who takes it over settles it", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    Object.assign(w.fake.fate, { cleanFails: 1 });
    w.fake.node.retired = true;
    expect((await w.destroy(first))?.message).to.match(/--retired/);
    w.ironic.provision(w.node().uuid, "others", "manage");
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.include({ provision_state: "manageable", retired: true });
    isClean(w.node());
    const { w: v, first: second } = await deployed({ automated_clean: true });
    v.fake.fate.cleanFails = 1;
    v.before(() => {
      if (v.fake.node.provision_state === "manageable") v.fake.node.retired = true;
    });
    const error = await v.destroy(second);
    expect(error?.message).to.match(/first `baremetal node unset worker-1 --extra pulumi_ironic_deployment`/);
    v.ironic.patch(v.node().uuid, [{ op: "remove", path: `/extra/${DEPLOYMENT_MARKER}` }]);
    expect(await v.destroy(second)).to.equal(undefined);
    expect(v.node()).to.include({ provision_state: "manageable", retired: true });
    isClean(v.node());
  });

  it("clean failed in a maintenance of others: left to them, and never ended", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    Object.assign(w.fake.node, { maintenance: true, maintenance_reason: "fan" });
    expect((await w.destroy(first))?.message).to.match(/in maintenance that somebody else set/);
    expect(w.node()).to.include({ maintenance: true, maintenance_reason: "fan" });
    // Set in the middle of a cleaning, Ironic writes its own fault over it, but not the reason.
    const { w: v, first: second } = await deployed({ automated_clean: true });
    v.fake.fate.cleanFails = 1;
    void v.clock.sleep(10_000).then(() => Object.assign(v.fake.node, { maintenance: true, maintenance_reason: "fan" }));
    expect((await v.destroy(second))?.message).to.match(/in maintenance that somebody else set/);
    expect(v.node()).to.include({ maintenance: true, maintenance_reason: "fan" });
  });

  it("goes on where a run that crashed had brought a failed cleaning half back, wherever that was", async () => {
    for (const how of CLEAN_FAILURES) {
      let cuts = 0;
      for (let cut = 1; cut === cuts + 1; cut++) {
        const { w, first } = await deployed({ automated_clean: true });
        const isCut = cutRecovery(w, how, cut);
        const what = `${how}, cut off at request ${cut}`;
        const error = await w.destroy(first);
        if (isCut()) cuts = cut;
        if (error !== undefined) expect(await w.destroy(first), what).to.equal(undefined);
        expect(w.node(), what).to.include({ provision_state: "available", maintenance: false });
        isClean(w.node());
      }
      expect(cuts, how).to.be.at.least(5);
    }
  });

  it("clean failed: what an operator makes of the node since is left alone, the maintenance too", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    w.fake.fate.cleanFails = 2;
    expect(await w.destroy(first)).to.be.instanceOf(Error);
    w.ironic.provision(NODE, "others", "manage");
    w.client.writes.length = 0;
    expect(await w.destroy(first)).to.equal(undefined);
    expect(verbs(w)).to.deep.equal(["PATCH"]);
    expect(w.node()).to.include({ provision_state: "manageable", maintenance: true });
    isClean(w.node());
  });

  it("clean failed in a maintenance of others: not moved, and brought back when that has ended", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    Object.assign(w.fake.node, { maintenance: true, maintenance_reason: "fan" });
    expect((await w.destroy(first))?.message).to.match(/in maintenance that somebody else set/);
    expect(w.node().provision_state).to.equal("clean failed");
    Object.assign(w.fake.node, { maintenance: false, maintenance_reason: null });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node().provision_state).to.equal("available");
    isClean(w.node());
  });

  it("clean failed under our instance_uuid: cleaned again, though the answer to `manage` is lost", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    w.ironic.move(w.fake, "clean failed");
    w.fault("PUT", "provision", "loseAfter");
    expect(await w.destroy(first)).to.equal(undefined);
    expect(verbs(w)).to.deep.equal(["PATCH", "manage", "PATCH", "provide", "PATCH"]);
    expect(w.node().provision_state).to.equal("available");
    isClean(w.node());
  });

  it("clean failed: its settings wait, so that the cleaning that was wanted is what is repeated", async () => {
    for (const onDestroy of ["undeploy", "keep"]) {
      const { w, first } = await deployed({ automated_clean: false });
      const settings = { node: "worker-1", ...settingsBy("stack-1", "settings") };
      const { clock, services, call } = w;
      const wanted = { ...settings, automatedCleaning: true };
      const { id, outs = {} } = await clock.run(nodeConfigHandler.create(wanted, services, call));
      const inputs = { ...INPUTS, updateStrategy: "redeploy", onDestroy };
      const second = await w.made(first, inputs);
      w.fake.fate.cleanFails = 2;
      const { stored } = await w.up(second, { ...inputs, ...B });
      expect(w.node().provision_state).to.equal("clean failed");
      await clock.run(nodeConfigHandler.delete(id, { ...wanted, ...outs }, services, call));
      expect(w.node().automated_clean).to.equal(true);
      const from = clock.now();
      expect(await w.destroy(stored as Stored)).to.equal(undefined);
      expect(clock.now() - from, "a cleaning").to.be.at.least(30_000);
      expect(w.node()).to.include({ provision_state: "available", automated_clean: false });
      expect(w.node().extra).to.deep.equal({});
    }
  });

  it("error: undeployed again, twice at most, then an error with the cause", async () => {
    const { w, first } = await deployed();
    w.fake.fate.undeployFails = 1;
    expect(await w.destroy(first)).to.equal(undefined);
    expect(verbs(w)).to.deep.equal(["deleted", "deleted", "PATCH"]);
    const { w: v, first: second } = await deployed();
    v.fake.fate.undeployFails = 2;
    expect((await v.destroy(second))?.message).to.match(/The undeploy of node worker-1 .* failed: Failed to tear down/);
    expect(await v.destroy(second)).to.equal(undefined);
    isClean(v.node());
  });

  it("protected by us: lifted; by others: refused", async () => {
    const { w, first } = await deployed({}, { ...INPUTS, protected: true });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node().protected).to.equal(false);
    isClean(w.node());
    const { w: v, first: second } = await deployed();
    v.fake.node.protected = true;
    expect((await v.destroy(second))?.message).to.match(/protected by somebody else.*--protected/);
    expect(v.client.writes).to.deep.equal([]);
  });

  it("keep: the machine runs on, with its instance_uuid and without our marker", async () => {
    const { w, first } = await deployed({}, { ...INPUTS, onDestroy: "keep", configDrive: DRIVE });
    w.fake.node.extra.pulumi_ironic = { ...settingsMarkBy("stack-1", "config"), previous: {}, written: {} };
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.include({ provision_state: "active", instance_uuid: OURS });
    expect(w.node().extra).to.deep.equal({
      pulumi_ironic: { ...settingsMarkBy("stack-1", "config"), previous: {}, written: {}, keptInstanceUuid: OURS },
    });
    expect(w.fake.runs?.info).to.deep.include(A);
  });

  it("a lost answer to the undeployment is not repeated", async () => {
    for (const fault of ["loseAfter", "hangAfter"] as const) {
      const { w, first } = await deployed();
      w.fault("PUT", "provision", fault);
      expect(await w.destroy(first)).to.equal(undefined);
      expect(verbs(w)).to.deep.equal(["deleted", "PATCH"]);
    }
  });

  it("waits for locks, and for a server without free workers", async () => {
    const { w, first } = await deployed();
    w.fault("PUT", "provision", "locked", "overloaded", "noConductor");
    w.fault("PATCH", "", "locked", "loseBefore");
    expect(await w.destroy(first)).to.equal(undefined);
    isClean(w.node());
  });

  it("gives a cleaning three hours and the rest five minutes, and says that Ironic goes on", async () => {
    for (const [automated_clean, seconds] of [
      [true, 10_800],
      [null, 10_800],
      [false, 300],
    ] as const) {
      const { w, first } = await deployed({ automated_clean });
      w.fake.fate.undeployMs = 1e9;
      expect((await w.destroy(first))?.message).to.match(
        new RegExp(`^Node worker-1 .*still "deleting" after ${seconds} s.*undeployTimeoutSeconds`),
      );
    }
    const { w, first } = await deployed({}, { ...INPUTS, undeployTimeoutSeconds: 7 });
    w.fake.fate.undeployMs = 1e9;
    expect((await w.destroy(first))?.message).to.match(/^Node worker-1 .* after 7 s/);
  });

  it("leaves the instance_uuid of an allocation where nothing was deployed", async () => {
    const w = scene({ instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE, deploy_interface: "direct" });
    const inputs = { ...INPUTS, allocation: OTHER_INSTANCE };
    const { stored } = await w.up(undefined, inputs);
    expect(w.node().extra).to.have.property(DEPLOYMENT_MARKER);
    expect(await w.destroy(stored as Stored)).to.equal(undefined);
    expect(w.node()).to.deep.include({ instance_uuid: OTHER_INSTANCE, extra: {}, instance_info: {} });
  });
});

describe("RamdiskDeployment: adopt", () => {
  const running: Partial<Node> = { provision_state: "active", instance_info: A, power_state: "power on" };
  const adopt = { ...INPUTS, adopt: OTHER_INSTANCE };

  it("writes nothing but the claim, and destroy keeps the machine", async () => {
    const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
    const first = await w.made(undefined, { ...adopt, configDrive: DRIVE });
    expect(first.id).to.equal(OTHER_INSTANCE);
    expect(w.client.writes.map(({ body }) => body)).to.deep.equal([
      [{ op: "add", path: `/extra/${DEPLOYMENT_MARKER}`, value: deploymentMarker(w.node()) }],
    ]);
    expect((await w.refresh(first))?.outs).not.to.have.property("drift");
    expect((await w.diff(first, { ...adopt, configDrive: DRIVE })).changes).to.equal(false);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.deep.include({ provision_state: "active", instance_uuid: OTHER_INSTANCE, extra: {} });
  });

  it("takes a machine that nobody has claimed", async () => {
    const w = scene(running);
    const first = await w.made(undefined, { ...INPUTS, adopt: "unclaimed" });
    expect(w.node().instance_uuid).to.equal(OURS);
    expect(first.outs).to.include({ adopted: true, instanceUuid: OURS });
  });

  it("refuses what is not as expected, before a byte is written", async () => {
    const cases: [Partial<Node>, Props, RegExp][] = [
      [{}, { adopt: OTHER_INSTANCE }, /instance_uuid is not set, but bbbb/],
      [{ instance_uuid: OTHER_INSTANCE }, { adopt: "unclaimed" }, /is held by instance/],
      [{ instance_uuid: OTHER_INSTANCE }, { ...B }, /instance_info differs in kernel, ramdisk/],
      [{ instance_uuid: OTHER_INSTANCE, provision_state: "rescue" }, {}, /is "rescue", not active/],
      [{ instance_uuid: OTHER_INSTANCE, maintenance: true }, {}, /in maintenance/],
      [
        { instance_uuid: OTHER_INSTANCE, extra: { [DEPLOYMENT_MARKER]: foreign } },
        {},
        /is held by deployment "theirs"/,
      ],
    ];
    for (const [fields, inputs, text] of cases) {
      const w = scene({ ...running, ...fields });
      const { stored, error } = await w.up(undefined, { ...adopt, ...inputs });
      expect(stored).to.equal(undefined);
      expect(error?.message).to.match(text);
      expect(w.client.writes).to.deep.equal([]);
    }
  });

  for (const fault of ["loseAfter", "loseBefore", "locked", "overloaded", "serverError", "unavailableAfter"] as const)
    it(`is done once where the answer is not one (${fault})`, async () => {
      const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
      w.fault("PATCH", "", fault);
      expect((await w.made(undefined, adopt)).outs.adopted).to.equal(true);
    });

  it("ends at the engine's own time-out, where that is shorter", async () => {
    const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
    w.fault("PATCH", "", "hangBefore");
    Object.assign(w.call, { timeoutMs: 10_000 });
    expect((await w.up(undefined, adopt)).error?.message).to.match(/^Node worker-1 .* after 10 s/);
  });

  it("stays to be kept after an update, and does what the program then says", async () => {
    const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
    const first = await w.made(undefined, adopt);
    const second = await w.made(first, { ...adopt, timeoutSeconds: 60 });
    expect(deploymentMarker(w.node())?.keep).to.equal(true);
    const third = await w.made(second, { ...adopt, timeoutSeconds: 60, onDestroy: "undeploy" });
    expect(deploymentMarker(w.node())?.keep).to.equal(false);
    expect(await w.destroy(third)).to.equal(undefined);
    isClean(w.node());
  });

  it("reboots with what the program changes later", async () => {
    const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
    const first = await w.made(undefined, adopt);
    await w.made(first, { ...adopt, ...B });
    expect(w.fake.runs?.info).to.deep.include(B);
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["rebuild"]);
  });
});
