import { expect } from "chai";
import { DEPLOYMENT_MARKER, deploymentMarker } from "../../provider/node/marker.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { B, CLEAN_FAILURES, cutRecovery, INPUTS, isClean, NODE, OURS } from "../fakes/deployments.ts";
import { settingsBy } from "../fakes/identities.ts";
import type { World } from "../fakes/world.ts";
import { deployed, verbs } from "./scene.ts";

/** Somebody sets maintenance at the first sight of that state. */
function setWhile(w: World, state: string): void {
  let isSet = false;
  w.before(() => {
    if (isSet || w.node().provision_state !== state) return;
    isSet = true;
    Object.assign(w.fake.node, { maintenance: true, maintenance_reason: "fan" });
  });
}

describe("RamdiskDeployment: destroy", () => {
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
    setWhile(w, "deleting");
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

  it("clean failed by an operator's own cleaning: the claim is taken off, and the node is left to them", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    w.fake.fate.cleanFails = 2;
    expect(await w.destroy(first)).to.be.instanceOf(Error);
    w.ironic.provision(NODE, "others", "manage");
    w.ironic.move(w.fake, "clean failed", "manageable");
    w.client.writes.length = 0;
    const before = { ...w.node(), extra: {} };
    expect(await w.destroy(first)).to.equal(undefined);
    expect(verbs(w)).to.deep.equal(["PATCH"]);
    expect(w.node()).to.deep.equal(before);
  });

  it("manageable with a forged note, though nothing has failed: the claim is taken off, and nothing is cleaned", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    w.ironic.move(w.fake, "available");
    w.ironic.provision(NODE, "others", "manage");
    const marker = deploymentMarker(w.node());
    w.fake.node.extra[DEPLOYMENT_MARKER] = { ...marker, cleanRetry: w.node().provision_updated_at };
    expect(await w.destroy(first)).to.equal(undefined);
    expect(verbs(w)).to.deep.equal(["PATCH"]);
    expect(w.node().provision_state).to.equal("manageable");
    isClean(w.node());
  });

  it("clean failed in a maintenance of others: not moved, and brought back when that has ended", async () => {
    const { w, first } = await deployed({ automated_clean: true });
    setWhile(w, "deleting");
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
});
