import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { CONFIG_MARKER, configMarker, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { fakeCall } from "../fakes/call.ts";
import { foreign } from "../fakes/deployments.ts";
import { deploymentBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { BASE, BEFORE, DEPLOYED, deploy, INPUTS, made, NODE, settings, WRITTEN } from "./scene.ts";

const KEPT = { node: "worker-1", ...deploymentBy("stack-1", "worker"), nodeUuid: NODE, instanceUuid: DEPLOYED };

describe("BaremetalNodeConfig: destroy", () => {
  it("restores what was there, unset included, and removes the marker, in one PATCH", async () => {
    const { w, first } = await made();
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    expect(w.node().extra).to.deep.equal({});
    expect(w.client.writes).to.have.length(1);
  });

  it("leaves a field that somebody changed since, with a warning", async () => {
    const { w, first } = await made();
    w.fake.node.boot_interface = "http";
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal({ ...BEFORE, boot_interface: "http" });
    expect(w.warnings().join()).to.match(/not restored, because somebody else changed the value: boot_interface/);
  });

  it("keeps all where asked, but not the marker", async () => {
    const { w, first } = await made({}, { ...INPUTS, onDestroy: "keep" });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(WRITTEN);
    expect(w.node().extra).to.deep.equal({});
  });

  it("lets reenableAutomatedCleaning override what was there", async () => {
    for (const [automated_clean, reenableAutomatedCleaning, expected] of [
      [false, true, true],
      [null, true, true],
      [true, false, false],
    ] as const) {
      const { w, first } = await made({ automated_clean }, { ...INPUTS, reenableAutomatedCleaning });
      expect(await w.destroy(first)).to.equal(undefined);
      expect(w.node().automated_clean).to.equal(expected);
    }
  });

  it("waits while a deployment of the stack is on the node, so that it goes without cleaning", async () => {
    const { w, first } = await made();
    deploy(w);
    void w.clock.sleep(10_000).then(() => w.ironic.provision(NODE, "us", "deleted"));
    void w.clock.sleep(15_000).then(() => delete w.fake.node.extra[DEPLOYMENT_MARKER]);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.clock.now()).to.be.at.least(15_000);
    expect(w.client.writes.map(({ before }) => before?.provision_state)).to.deep.equal(["available"]);
    expect(settings(w.node())).to.deep.equal(BEFORE);
  });

  it("with a deployment that is kept: restores what an active node allows, and warns about the interfaces", async () => {
    for (const together of [false, true]) {
      const { w, first } = await made();
      deploy(w, { keep: true });
      const held = { ...KEPT, onDestroy: "keep" };
      const handOver = () => deploymentHandler.delete(DEPLOYED, held, w.services, fakeCall());
      if (together) void w.clock.sleep(5_000).then(handOver);
      else await w.clock.run(handOver());
      expect(await w.destroy(first)).to.equal(undefined);
      expect(settings(w.node())).to.deep.equal({ ...WRITTEN, automated_clean: null });
      expect(w.warnings().join()).to.match(
        /deploy_interface, boot_interface could not be restored .*"active"\. .*`baremetal node set .* --deploy-interface direct --boot-interface ipxe`/,
      );
      expect(w.node().extra).to.deep.equal({});
    }
  });

  it("does not wait for ever for a deployment that does not go", async () => {
    const { w, first } = await made();
    deploy(w);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.clock.now()).to.be.within(60_000, 70_000);
    expect(w.warnings().join()).to.match(/could not be restored .*Destroying that deployment restores the rest/);
    expect(configMarker(w.node())).to.deep.include({ restorePending: true, previous: BEFORE, written: WRITTEN });
  });

  it("leaves the rest to a deployment that goes later, unless the stack has taken the settings up again", async () => {
    for (const again of [false, true]) {
      const { w, first } = await made();
      deploy(w);
      await w.destroy(first);
      if (again) await w.made(undefined, INPUTS);
      const held = { ...BASE, resourceName: "worker", nodeUuid: NODE, instanceUuid: DEPLOYED };
      await w.clock.run(deploymentHandler.delete(DEPLOYED, held, w.services, w.call));
      expect(w.node()).to.include({ provision_state: "available", instance_uuid: null });
      expect(settings(w.node())).to.deep.equal(again ? WRITTEN : BEFORE);
      expect(CONFIG_MARKER in w.node().extra).to.equal(again);
    }
  });

  it("refuses a node of others, and writes nothing", async () => {
    for (const fields of [{ instance_uuid: OTHER_INSTANCE }, { extra: { [DEPLOYMENT_MARKER]: foreign } }]) {
      const { w, first } = await made();
      Object.assign(w.fake.node, fields);
      expect((await w.destroy(first))?.message).to.match(/is held by .*nothing was written/);
      expect(w.client.writes).to.deep.equal([]);
    }
  });

  it("goes on under the maintenance of others, and leaves it", async () => {
    const { w, first } = await made();
    w.fake.node.maintenance = true;
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    expect(w.node().maintenance).to.equal(true);
  });

  it("restores from the state where somebody wiped extra, and is over where nothing is left", async () => {
    const { w, first } = await made();
    w.fake.node.extra = {};
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    w.client.writes.length = 0;
    expect(await w.destroy(first)).to.equal(undefined);
    w.ironic.add();
    w.ironic.remove(NODE);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("is done once where the answer is lost", async () => {
    for (const fault of ["loseAfter", "loseBefore", "locked", "hangAfter"] as const) {
      const { w, first } = await made();
      w.fault("PATCH", "", fault);
      expect(await w.destroy(first)).to.equal(undefined);
      expect(settings(w.node())).to.deep.equal(BEFORE);
    }
  });

  it("looks again where another resource of the run restores them just before", async () => {
    const { w, first } = await made();
    let others = true;
    w.before(({ method }) => {
      if (method !== "PATCH" || !others) return;
      others = false;
      delete w.fake.node.extra[CONFIG_MARKER];
    });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    expect(w.node().extra).to.deep.equal({});
  });
});
