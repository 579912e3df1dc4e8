import { expect } from "chai";
import { endAllocation } from "../../provider/allocation/handler.ts";
import { releaseClaim } from "../../provider/commands/claims.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { instanceUuidFor } from "../../provider/node/identity.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import { fakeCall, type Stored } from "../fakes/call.ts";
import { A, INPUTS, NODE } from "../fakes/deployments.ts";
import { deploymentBy, deploymentMarkBy, settingsBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { world } from "../fakes/world.ts";
import { allocated } from "./scene.ts";

const SETTINGS = { node: "worker-1", ...settingsBy("stack-1", "settings"), automatedCleaning: false };

describe("on an allocated node", () => {
  it("settings are restored where nothing was deployed, and no drift is shown", async () => {
    const w = allocated(nodeConfigHandler, { deploy_interface: "direct" });
    const first = await w.made(undefined, SETTINGS);
    expect((await w.refresh(first))?.outs.drift).to.equal(undefined);
    const from = w.clock.now();
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.deep.include({ deploy_interface: "direct", instance_uuid: OTHER_INSTANCE, extra: {} });
    expect(w.clock.now() - from, "without waiting for a deployment").to.be.below(1_000);
  });

  it("settings show who holds the node where the allocation is another project's, and not to be seen", async () => {
    const w = world(nodeConfigHandler);
    const first = await w.made(undefined, SETTINGS);
    Object.assign(w.fake.node, { instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE });
    expect((await w.refresh(first))?.outs.drift).to.match(/^held by instance/);
    w.fake.node.provision_state = "active";
    // And so it is not ended: that is nobody's word that it has.
    const ending = endAllocation(OTHER_INSTANCE, w.services, fakeCall()).catch((error: Error) => error);
    expect(await w.clock.run(ending)).to.have.property("fault", "allocationGone");
  });

  it("settings end at once when they are interrupted while Ironic does not say whose allocation it is", async () => {
    const INTERRUPTED_MS = 2_000;
    for (const operation of ["create", "refresh", "destroy"] as const) {
      const w = allocated(nodeConfigHandler, { deploy_interface: "direct" });
      const first = operation === "create" ? undefined : await w.made(undefined, SETTINGS);
      w.fault("GET", "/allocations", "hangBefore");
      const from = w.clock.now();
      void w.clock.sleep(INTERRUPTED_MS).then(() => w.call.abort());
      const run = { create: w.up, refresh: w.refresh, destroy: w.destroy }[operation];
      await run(first as Stored, SETTINGS).catch(() => undefined);
      expect(w.clock.now() - from, operation).to.equal(INTERRUPTED_MS);
    }
  });

  it("settings are never written over one who takes the node after it", async () => {
    const w = allocated(nodeConfigHandler, { provision_state: "deleting" });
    w.before(() => {
      if (w.clock.now() < 5_000) return;
      const taken = { provision_state: "available", allocation_uuid: null };
      Object.assign(w.fake.node, {
        ...taken,
        instance_uuid: instanceUuidFor({ ...deploymentBy("stack-2", "theirs"), nodeUuid: NODE }),
      });
    });
    expect((await w.up(undefined, SETTINGS)).error?.message).to.match(/is held by instance/);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("a deployment that took the node again under the same UUID gives it back whole", async () => {
    const w = allocated(deploymentHandler, { deploy_interface: "ramdisk", automated_clean: false });
    const inputs = { ...INPUTS, allocation: OTHER_INSTANCE, updateStrategy: "redeploy" };
    const first = await w.made(undefined, inputs);
    // Ironic ends the allocation with the undeployment.
    w.before(({ method, path }) => {
      if (method === "PUT" && path.endsWith("/provision")) w.client.allocations.all.length = 0;
      if (w.client.allocations.all.length === 0) w.fake.node.allocation_uuid = null;
    });
    w.before(({ path }) => path.endsWith("/validate") && w.call.abort());
    const { stored } = await w.up(first, { ...inputs, kernelArguments: "other" });
    expect(w.node()).to.deep.include({ provision_state: "available", instance_uuid: OTHER_INSTANCE });
    expect(await w.destroy((stored ?? first) as Stored)).to.equal(undefined);
    expect(w.node()).to.deep.include({ instance_uuid: null, extra: {}, instance_info: {} });
  });
});

describe("releasing a claim", () => {
  const claim = {
    ...deploymentMarkBy("stack-1", "worker"),
    node: "worker-1",
    nodeUuid: NODE,
    provisionState: "active",
  };
  const running = (marker: object) => ({
    provision_state: "active",
    instance_uuid: OTHER_INSTANCE,
    instance_info: A,
    extra: {
      [DEPLOYMENT_MARKER]: { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OTHER_INSTANCE, ...marker },
    },
  });

  it("leaves a machine that was to be kept as it is", async () => {
    for (const keep of [true, false]) {
      const w = world(deploymentHandler, { node: running({ preparedAt: "adopted", keep }) });
      const one = { ...claim, kind: "deployment" as const, instanceUuid: OTHER_INSTANCE, ...(keep && { keep }) };
      // The instance_uuid of what was adopted follows from nothing: a person names the node.
      await w.clock.run(releaseClaim(one, w.services, fakeCall(), true));
      expect(w.node().provision_state).to.equal(keep ? "active" : "available");
      expect(w.node().extra).to.deep.equal({});
    }
  });

  it("leaves the instance_uuid of an allocation that goes on", async () => {
    const w = allocated(deploymentHandler, { extra: running({ preparedAt: null }).extra });
    const one = { ...claim, kind: "deployment" as const, instanceUuid: OTHER_INSTANCE, confirmed: true };
    await w.clock.run(releaseClaim(one, w.services, fakeCall()));
    expect(w.node()).to.deep.include({ instance_uuid: OTHER_INSTANCE, extra: {} });
  });
});
