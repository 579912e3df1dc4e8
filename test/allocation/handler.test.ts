import { expect } from "chai";
import { allocationHandler, endAllocation } from "../../provider/allocation/handler.ts";
import { releaseClaim } from "../../provider/commands/claims.ts";
import { CancelledError, IronicError } from "../../provider/core/errors.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { instanceUuidFor } from "../../provider/node/identity.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import { fakeCall, type Stored } from "../fakes/call.ts";
import { A, INPUTS, NODE } from "../fakes/deployments.ts";
import {
  allocationBy,
  allocationMarkBy,
  deploymentBy,
  deploymentMarkBy,
  settingsBy,
  settingsMarkBy,
} from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { type World, world } from "../fakes/world.ts";

const ARGS = { resourceClass: "baremetal", ...allocationBy("stack-1", "any") };
const SETTINGS = { node: "worker-1", ...settingsBy("stack-1", "settings"), automatedCleaning: false };
const scene = () => world(allocationHandler, { node: { resource_class: "baremetal" } as never });

/** An allocation of this stack on a free node, as the other handlers find it. */
const allocated = (handler: Parameters<typeof world>[0], node: object = {}): World => {
  const w = world(handler, { node: { instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE, ...node } });
  const extra = { pulumi_ironic: { ...allocationMarkBy("stack-1", "any") } };
  const made = { uuid: OTHER_INSTANCE, state: "active" as const, node_uuid: NODE, last_error: null };
  w.client.allocations.all.push({ ...made, resource_class: "baremetal", extra });
  return w;
};

describe("NodeAllocation", () => {
  it("is kept in the state when it is interrupted before Ironic's answer, and the next run finds it", async () => {
    const w = scene();
    let asked = 0;
    w.before(({ method }) => method === "POST" && asked++ === 0 && w.call.abort());
    const { stored, error } = await w.up(undefined, ARGS);
    expect(error).to.be.instanceOf(Error);
    expect(w.client.allocations.all).to.have.length(1);
    const uuid = w.client.allocations.all[0]?.uuid;
    expect(stored).to.deep.include({ id: uuid }).and.to.have.nested.property("outs.uuid", uuid);
    // Made meanwhile: what uses it must get both outputs, refreshed or not.
    w.client.allocations.read(String(uuid));
    for (const outs of [stored?.outs, ARGS])
      expect((await w.refresh({ ...(stored as Stored), outs: { ...outs } }))?.outs).to.deep.include({
        uuid,
        node: NODE,
      });
    expect((await w.made(stored, ARGS)).outs).to.deep.include({ uuid, node: NODE });
  });

  it("is kept in the state where it is not to be found after a lost answer: it may yet be made", async () => {
    const w = scene();
    w.fault("POST", "/allocations", "loseBefore");
    const { stored } = await w.up(undefined, ARGS);
    expect(stored?.outs).to.have.property("uuid", stored?.id);
    expect((await w.made(stored, ARGS)).outs).to.have.property("node", NODE);
  });

  it("is not begun, and left at once, when it is interrupted while the API version is agreed on", async () => {
    const w = scene();
    w.client.require = (_feature, _tried, signal) => w.clock.sleep(60_000, signal);
    void w.clock.sleep(2_000).then(() => w.call.abort());
    expect((await w.up(undefined, ARGS)).error).to.be.instanceOf(Error);
    expect(w.clock.now()).to.equal(2_000);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("is not in the state where Ironic refused it", async () => {
    const w = scene();
    w.fault("POST", "/allocations", "noConductor", "noConductor", "noConductor", "noConductor");
    expect((await w.up(undefined, ARGS)).stored).to.equal(undefined);
  });

  it("is kept, and waited for by the next run, where Ironic does not decide within the least time given", async () => {
    const times = [
      { timeoutSeconds: 5, customMs: undefined, ironicHangs: false },
      { timeoutSeconds: 300, customMs: 5_000, ironicHangs: false },
      { timeoutSeconds: 5, customMs: 300_000, ironicHangs: true },
    ];
    for (const { timeoutSeconds, customMs, ironicHangs } of times) {
      const w = scene();
      w.call = fakeCall(customMs);
      w.client.allocations.slowReads = Number.POSITIVE_INFINITY;
      if (ironicHangs) w.fault("GET", "/allocations", "hangBefore");
      const { stored, error } = await w.up(undefined, { ...ARGS, timeoutSeconds });
      expect(w.clock.now()).to.equal(5_000);
      expect(error?.message).to.match(
        /^Ironic did not finish the allocation .* within 5 s\. The timeout stopped Pulumi waiting; Ironic continues/,
      );
      expect(w.client.allocations.all.map(({ uuid }) => uuid)).to.deep.equal([stored?.id]);
      w.client.allocations.slowReads = 0;
      expect((await w.made(stored, ARGS)).outs).to.have.property("node", NODE);
    }
  });

  it("is asked for again where it is not known whether Ironic was asked, and made once", async () => {
    for (const fault of ["loseBefore", "loseAfter", "unavailableBefore", "unavailableAfter", "hangBefore"] as const) {
      const w = scene();
      w.fault("POST", "/allocations", fault);
      expect((await w.made(undefined, ARGS)).outs, fault).to.have.property("node", NODE);
      expect(w.client.allocations.all, fault).to.have.length(1);
    }
  });

  it("is tried again after a fault of the server, as often as the table of faults says", async () => {
    const errors = (count: number) => Array.from({ length: count }, () => "serverError" as const);
    const passing = scene();
    passing.fault("POST", "/allocations", ...errors(3));
    expect((await passing.made(undefined, ARGS)).outs).to.have.property("node", NODE);
    const lasting = scene();
    lasting.fault("POST", "/allocations", ...errors(9));
    const { stored, error } = await lasting.up(undefined, ARGS);
    expect(error).to.have.property("fault", "serverError");
    expect(stored?.id).to.be.a("string");
    expect(lasting.asked().filter((asked) => asked.startsWith("POST"))).to.have.length(4);
    const ending = allocated(allocationHandler);
    ending.fault("DELETE", "/allocations", ...errors(9));
    const end = endAllocation(OTHER_INSTANCE, ending.services, fakeCall()).catch((reason: Error) => reason);
    expect(await ending.clock.run(end)).to.have.property("fault", "serverError");
    expect(ending.clock.now()).to.equal(500 + 1_000 + 2_000);
  });

  it("names what kept it from being made", async () => {
    const w = scene();
    w.fault("POST", "/allocations", ...Array.from({ length: 99 }, () => "unavailableBefore" as const));
    const { stored, error } = await w.up(undefined, ARGS);
    expect(error?.message).to.match(
      /within 120 s\. The last error was: .*answered 503.*The timeout stopped Pulumi waiting/,
    );
    expect(stored?.id).to.be.a("string");
    expect(w.client.allocations.all).to.deep.equal([]);
  });

  it("asks ever more rarely while it waits", async () => {
    const w = scene();
    w.client.allocations.slowReads = Number.POSITIVE_INFINITY;
    await w.up(undefined, ARGS);
    expect(w.clock.now()).to.equal(120_000);
    expect(w.asked().filter((asked) => asked.startsWith("GET /allocations/"))).to.have.length.within(10, 30);
  });

  it("is kept where Ironic fails to answer while it allocates", async () => {
    for (const fault of ["serverError", "overloaded", "loseBefore", "unreachable", "noConductor"] as const) {
      const w = scene();
      w.fault("GET", "/allocations", fault);
      const { stored, error } = await w.up(undefined, ARGS);
      expect(error, fault).to.be.instanceOf(IronicError);
      expect(w.client.allocations.all, fault).to.have.length(1);
      expect((await w.made(stored, ARGS)).outs, fault).to.have.property("node", NODE);
    }
  });

  it("ends where Ironic finds no node, and is not in the state where somebody ended it meanwhile", async () => {
    const none = scene();
    const failed = await none.up(undefined, { ...ARGS, resourceClass: "there-is-none" });
    expect(failed.error?.message).to.match(/^No node of class there-is-none could be allocated: /);
    expect(failed.stored).to.equal(undefined);
    expect(none.client.allocations.all).to.deep.equal([]);
    const ended = scene();
    ended.before(({ method }) => {
      if (method === "GET") ended.client.allocations.all.length = 0;
    });
    expect((await ended.up(undefined, ARGS)).stored).to.equal(undefined);
  });

  const end = async (node: object) => {
    const w = allocated(allocationHandler, node);
    const call = fakeCall();
    const error = await w.clock.run(
      endAllocation(OTHER_INSTANCE, w.services, call).then(
        () => undefined,
        (reason: Error) => reason,
      ),
    );
    return { error, warnings: call.warnings, instance: w.node().instance_uuid, left: w.client.allocations.all.length };
  };
  const marked = {
    [DEPLOYMENT_MARKER]: { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OTHER_INSTANCE, preparedAt: null },
  };
  const DEPLOYED = ["active", "deploy failed", "error", "rescue", "rescue failed", "service failed"];

  it("lasts under a machine that was handed over, also where Ironic would end it", async () => {
    for (const provision_state of DEPLOYED)
      for (const maintenance of [false, true]) {
        const { error, warnings, instance, left } = await end({ provision_state, maintenance });
        expect(error, provision_state).to.equal(undefined);
        expect(warnings.join(), provision_state).to.match(/^Node worker-1 .* stays deployed and keeps its allocation/);
        expect([instance, left], provision_state).to.deep.equal([OTHER_INSTANCE, 1]);
      }
  });

  it("is not ended under a deployment", async () => {
    for (const maintenance of [false, true])
      for (const provision_state of [...DEPLOYED, "deleting", "unheard of"]) {
        const { error, instance } = await end({ provision_state, maintenance, extra: marked });
        expect(error?.message, provision_state).to.match(
          /^Allocation .* was not ended: node worker-1 .* is "[a-z ]+" with deployment "worker" of stack stack-1\. Destroy/,
        );
        expect(instance).to.equal(OTHER_INSTANCE);
      }
  });

  it("ends where nothing runs, and where another has the node", async () => {
    for (const provision_state of ["available", null, "manageable", "enroll", "inspect failed", "clean failed"])
      expect(await end({ provision_state, maintenance: true, extra: marked }), `${provision_state}`).to.deep.equal({
        error: undefined,
        warnings: [],
        instance: null,
        left: 0,
      });
    // What operators do there is for Ironic to judge.
    for (const provision_state of ["inspecting", "clean wait", "verifying"])
      expect(await end({ provision_state }), provision_state).to.deep.include({ error: undefined, left: 0 });
    const taken = await end({
      provision_state: "deploy failed",
      instance_uuid: instanceUuidFor({ stackId: "o", resourceId: "r", nodeUuid: "n" }),
    });
    expect(taken).to.deep.include({ error: undefined, warnings: [], left: 0 });
  });

  it("ends after locks and lost answers, for as long as there is time", async () => {
    for (const fault of [
      "locked",
      "loseAfter",
      "loseBefore",
      "serverError",
      "overloaded",
      "unavailableAfter",
    ] as const) {
      const w = allocated(allocationHandler);
      w.fault("DELETE", "/allocations", fault, fault);
      await w.clock.run(endAllocation(OTHER_INSTANCE, w.services, fakeCall()));
      expect(w.client.allocations.all, fault).to.deep.equal([]);
      expect(w.node().instance_uuid, fault).to.equal(null);
    }
    for (const fault of ["locked", "hangBefore"] as const)
      for (const minutes of [undefined, 1]) {
        const w = allocated(allocationHandler);
        w.before(({ method }) => method === "DELETE" && w.fault("DELETE", "/allocations", fault));
        const call = fakeCall(minutes && minutes * 60_000);
        const error = await w.clock.run(endAllocation(OTHER_INSTANCE, w.services, call).catch((late: Error) => late));
        expect(error?.message, fault).to.match(/^Allocation .* did not end within \d+ s/);
        expect(w.clock.now(), fault).to.equal((minutes ?? 10) * 60_000);
      }
  });

  it("is left at once when its end is interrupted", async () => {
    const w = allocated(allocationHandler);
    w.fault("DELETE", "/allocations", "locked", "locked", "locked", "locked", "locked");
    const call = fakeCall();
    void w.clock.sleep(2_000).then(() => call.abort());
    const error = await w.clock.run(endAllocation(OTHER_INSTANCE, w.services, call).catch((reason: Error) => reason));
    expect(error).to.be.instanceOf(CancelledError);
    expect(w.clock.now()).to.equal(2_000);
  });
});

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
    const done = await w.clock.run(endAllocation(OTHER_INSTANCE, w.services, fakeCall()));
    expect(done).to.equal(undefined);
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
      await w.clock.run(releaseClaim(one, w.services, fakeCall()));
      expect(w.node().provision_state).to.equal(keep ? "active" : "available");
      expect(w.node().extra).to.deep.equal({});
    }
  });

  it("leaves the instance_uuid of an allocation that goes on", async () => {
    const w = allocated(deploymentHandler, { extra: running({ preparedAt: null }).extra });
    const one = { ...claim, kind: "deployment" as const, instanceUuid: OTHER_INSTANCE };
    await w.clock.run(releaseClaim(one, w.services, fakeCall()));
    expect(w.node()).to.deep.include({ instance_uuid: OTHER_INSTANCE, extra: {} });
  });
});

describe("settings whose PATCH was sent", () => {
  /** Interrupted while Ironic's answer is out. */
  const cutOff = async (fault: "hangAfter" | "hangBefore") => {
    const w = world(nodeConfigHandler, { node: { deploy_interface: "direct", automated_clean: true } });
    w.fault("PATCH", "/nodes", fault);
    w.before(({ method }) => {
      if (method === "PATCH") void w.clock.sleep(1_000).then(() => w.call.abort());
    });
    return { w, ...(await w.up(undefined, SETTINGS)) };
  };

  it("are kept in the state with what was there before, applied or not, and given back", async () => {
    for (const applied of [true, false]) {
      const { w, stored, error } = await cutOff(applied ? "hangAfter" : "hangBefore");
      expect(error).to.be.instanceOf(Error);
      expect(stored?.outs).to.deep.include({
        nodeUuid: NODE,
        previous: { deploy_interface: "direct", automated_clean: true },
      });
      expect(CONFIG_MARKER in w.node().extra).to.equal(applied);
      expect(await w.destroy(stored as Stored)).to.equal(undefined);
      expect(w.node()).to.deep.include({ deploy_interface: "direct", automated_clean: true, extra: {} });
    }
  });

  it("are not taken for written where the node shows no mark of them", async () => {
    // Somebody sets it by hand before the next run: that is what was there before.
    const changed = await cutOff("hangBefore");
    changed.w.fake.node.automated_clean = null;
    const made = await changed.w.made((await changed.w.refresh(changed.stored as Stored)) as Stored, SETTINGS);
    expect(made.outs).to.deep.include({ previous: { deploy_interface: "direct", automated_clean: null } });
    expect(made.outs).not.to.have.property("unsure");
    // Or another stack takes the node: it is not in the way of a destroy.
    const taken = await cutOff("hangBefore");
    const theirs = { ...settingsMarkBy("stack-2", "theirs"), previous: {}, written: {} };
    taken.w.fake.node.extra = { [CONFIG_MARKER]: theirs };
    expect(await taken.w.destroy(taken.stored as Stored)).to.equal(undefined);
    expect(taken.w.node().extra).to.deep.equal({ [CONFIG_MARKER]: theirs });
  });
});
