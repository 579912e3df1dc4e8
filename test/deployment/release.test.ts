import { expect } from "chai";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import type { Stored } from "../fakes/call.ts";
import { A, DRIVE, INPUTS, isClean, NODE, OURS, scene } from "../fakes/deployments.ts";
import { settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { deployed, verbs } from "./scene.ts";

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

  it("ours, in maintenance set by others: goes on where nothing is cleaned, and leaves the maintenance", async () => {
    const { w, first } = await deployed();
    Object.assign(w.fake.node, { maintenance: true, maintenance_reason: "fan" });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.include({ provision_state: "available", maintenance: true, maintenance_reason: "fan" });
  });

  it("ours, in maintenance set by others, on a node that cleans or may: refused, as cleaning boots the machine", async () => {
    for (const automated_clean of [true, null]) {
      const { w, first } = await deployed({ automated_clean });
      Object.assign(w.fake.node, { maintenance: true, maintenance_reason: "fan" });
      const error = await w.destroy(first);
      expect(error).to.have.property("code", "node-in-maintenance");
      expect(w.client.writes).to.deep.equal([]);
      Object.assign(w.fake.node, { maintenance: false, maintenance_reason: null });
      expect(await w.destroy(first)).to.equal(undefined);
      isClean(w.node());
    }
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
    w.ironic.add();
    w.ironic.remove(NODE);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("only Ironic's own word means gone", async () => {
    const { w, first } = await deployed();
    w.fault("GET", "/nodes/", "noConductor");
    expect(await w.destroy(first)).to.have.property("fault", "noConductor");
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

  it("protected by us, then by others with a reason of theirs: refused, with their reason", async () => {
    const { w, first } = await deployed({}, { ...INPUTS, protected: true });
    expect(w.node().protected_reason).to.equal(`pulumi-ironic: worker (${OURS})`);
    w.ironic.patch(NODE, [{ op: "replace", path: "/protected_reason", value: "audit" }]);
    expect((await w.destroy(first))?.message).to.match(/protected by somebody else \("audit"\)/);
    expect(w.client.writes).to.deep.equal([]);
    expect(w.node()).to.include({ protected: true, protected_reason: "audit", provision_state: "active" });
  });

  it("keep: the machine runs on, with its instance_uuid and without our marker", async () => {
    const { w, first } = await deployed({}, { ...INPUTS, onDestroy: "keep", configDrive: DRIVE });
    w.fake.node.extra.pulumi_ironic = { ...settingsMarkBy("stack-1", "config"), previous: {}, written: {} };
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.include({ provision_state: "active", instance_uuid: OURS });
    expect(w.node().extra).to.deep.equal({
      pulumi_ironic: {
        ...settingsMarkBy("stack-1", "config"),
        previous: {},
        written: {},
        keptInstanceUuid: OURS,
        keptResourceId: INPUTS.resourceId,
      },
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
