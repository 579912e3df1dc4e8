import { expect } from "chai";
import { allocationHandler, endAllocation } from "../../provider/allocation/handler.ts";
import { CancelledError } from "../../provider/core/errors.ts";
import { instanceUuidFor } from "../../provider/node/identity.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { fakeCall } from "../fakes/call.ts";
import { deploymentMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { allocated } from "./scene.ts";

describe("NodeAllocation", () => {
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
        expect(error, fault)
          .to.have.property("message")
          .that.matches(/^Allocation .* did not end within \d+ s/);
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
