// An allocation that Ironic does not find has ended, or is hidden: Ironic answers another project as if there were none.
import { expect } from "chai";
import { allocationHandler, endAllocation } from "../../provider/allocation/handler.ts";
import { release } from "../../provider/deployment/handler.ts";
import { fakeCall, type Stored } from "../fakes/call.ts";
import { NODE } from "../fakes/deployments.ts";
import { allocationBy, deploymentBy, deploymentMarkBy } from "../fakes/identities.ts";
import { type World, world } from "../fakes/world.ts";

const ARGS = { resourceClass: "baremetal", ...allocationBy("stack-1", "any") };
const PROJECT = "project:p-1";

async function made(scope: string, settings: Record<string, string> = {}): Promise<{ w: World; first: Stored }> {
  const w = world(allocationHandler, { node: { automated_clean: false }, settings });
  w.ironic.add({ provision_state: "manageable" });
  w.client.here = { ...w.client.here, scope };
  return { w, first: await w.made(undefined, ARGS) };
}

/** As Ironic does it: with the undeployment, or by somebody's DELETE. */
const end = (w: World): void => {
  w.client.allocations.all.length = 0;
  Object.assign(w.fake.node, { instance_uuid: null, allocation_uuid: null });
};

const destroyed = async (w: World, first: Stored) => {
  const { shown } = w.call;
  return { error: await w.destroy(first), shown };
};
const refreshed = async (w: World, first: Stored) => {
  const { shown } = w.call;
  return { seen: await w.refresh(first), shown };
};

describe("an allocation that Ironic does not find", () => {
  it("has ended where its node is no longer under it, whatever the account may see", async () => {
    for (const scope of [PROJECT, "unknown", "none"]) {
      const { w, first } = await made(scope);
      end(w);
      const refresh = await refreshed(w, first);
      expect(refresh.seen, scope).to.equal(undefined);
      const destroy = await destroyed(w, first);
      expect(destroy.error, scope).to.equal(undefined);
      for (const { shown } of [refresh, destroy])
        expect(shown.join(), scope).to.match(/^Allocation .* has ended, and leaves the state: .* \[allocation-gone\]$/);
    }
  });

  it("is hidden where its node says so, or is hidden as well", async () => {
    for (const alsoHidden of [[], [NODE]]) {
      const { w, first } = await made(PROJECT);
      for (const uuid of [first.id, ...alsoHidden]) w.client.hidden.add(uuid);
      const refresh = await refreshed(w, first);
      expect(refresh.seen).to.deep.equal(first);
      if (alsoHidden.length > 0)
        expect(refresh.shown.join()).to.match(
          /^Allocation .* could not be found, .*stays in the state.* \[allocation-hidden\]$/,
        );
      const { error, shown } = await destroyed(w, first);
      expect(error).to.have.property("code", "allocation-hidden");
      expect(error?.message).to.contain("pulumi state delete").and.to.contain("ironic:missingNodes forget");
      expect(shown).to.deep.equal([]);
      expect(w.client.allocations.all).to.have.length(1);
    }
  });

  it("is gone where nothing is hidden from the account, or where the user says so", async () => {
    for (const [scope, settings] of [
      ["system", {}],
      ["none", {}],
      [PROJECT, { missingNodes: "forget" }],
    ] as const) {
      const { w, first } = await made(scope, settings);
      w.client.allocations.all.length = 0;
      w.client.hidden.add(NODE);
      const refresh = await refreshed(w, first);
      expect(refresh.seen, scope).to.equal(undefined);
      const { error, shown } = await destroyed(w, first);
      expect(error, scope).to.equal(undefined);
      for (const text of [...refresh.shown, ...shown])
        expect(text).to.match(/^Allocation .* is gone, and leaves the state.* \[allocation-gone\]$/);
    }
  });

  it("is not ended where what runs on its node is hidden", async () => {
    for (const missingNodes of ["keep", "forget"]) {
      const { w, first } = await made(PROJECT, { missingNodes });
      w.client.hidden.add(NODE);
      const { error } = await destroyed(w, first);
      expect((error as { code?: string } | undefined)?.code).to.equal(
        missingNodes === "keep" ? "node-hidden" : undefined,
      );
      expect(w.client.allocations.all).to.have.length(missingNodes === "keep" ? 1 : 0);
    }
  });

  it("has ended without a word where this run has undeployed its node, or ended it itself", async () => {
    const { w, first } = await made(PROJECT);
    const identity = deploymentBy("stack-1", "worker");
    const mark = { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: first.id, preparedAt: null };
    w.ironic.move(w.fake, "active");
    w.fake.node.extra = { pulumi_ironic_deployment: mark };
    w.before(({ method }) => {
      if (method === "PUT") end(w);
    });
    const state = { ...identity, nodeUuid: NODE, instanceUuid: first.id };
    await w.clock.run(release(state, w.services, fakeCall()));
    w.asked();
    expect(await destroyed(w, first)).to.deep.equal({ error: undefined, shown: [] });
    expect(w.asked()).to.deep.equal([`GET /allocations/${first.id}`]);

    const lost = await made(PROJECT);
    lost.w.fault("DELETE", "/allocations", "loseAfter");
    expect(await destroyed(lost.w, lost.first)).to.deep.equal({ error: undefined, shown: [] });
  });

  it("is not taken for gone by an answer that does not name it", async () => {
    const { w, first } = await made("none");
    for (const fault of ["notThere", "noConductor"] as const) {
      w.fault("GET", "/allocations", fault);
      const error = await w.refresh(first).catch((reason: Error) => reason);
      expect(error, fault).to.have.property("status", 404);
    }
    w.fault("GET", "/allocations", "notThere");
    expect(await w.destroy(first)).to.have.property("fault", "notFound");
    w.fault("DELETE", "/allocations", "notThere");
    expect(await w.clock.run(endAllocation(first.id, w.services, fakeCall()).catch((e: Error) => e))).to.have.property(
      "fault",
      "notFound",
    );
    expect(w.client.allocations.all).to.have.length(1);
  });
});
