import { expect } from "chai";
import { allocationHandler } from "../../provider/allocation/handler.ts";
import { hasLeftNode, isOfOthers, readAllocation, readOwnAllocation } from "../../provider/allocation/request.ts";
import { ProblemError } from "../../provider/core/errors.ts";
import type { ResourceIdentity } from "../../provider/node/identity.ts";
import { CONFIG_MARKER } from "../../provider/node/marker.ts";
import { NODE } from "../fakes/deployments.ts";
import { allocationBy, allocationMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";
import { allocated } from "./scene.ts";

const failure = (error: unknown): unknown => error;

describe("the node that an allocation had found", () => {
  const left = ({ client, call }: World, nodeUuid?: string) =>
    hasLeftNode(client, OTHER_INSTANCE, nodeUuid, call.signal);

  it("has been left where it shows another allocation, or none", async () => {
    for (const [allocation_uuid, expected] of [
      [OTHER_INSTANCE, false],
      [NODE, true],
      [null, true],
    ] as const) {
      const w = allocated(allocationHandler, { allocation_uuid });
      expect(await w.clock.run(left(w, NODE)), String(allocation_uuid)).to.equal(expected);
    }
  });

  it("tells nothing where it is not known, or not shown", async () => {
    const w = allocated(allocationHandler, { allocation_uuid: null });
    expect(await left(w)).to.equal(false);
    expect(w.asked()).to.deep.equal([]);
    w.client.hidden.add(NODE);
    expect(await w.clock.run(left(w, NODE))).to.equal(false);
  });

  it("is not taken for gone by any other failure", async () => {
    for (const fault of ["notThere", "serverError", "forbidden", "loseBefore"] as const) {
      const w = allocated(allocationHandler, { allocation_uuid: null });
      w.fault("GET", "/nodes", fault);
      expect(await w.clock.run(left(w, NODE).catch(failure)), fault).to.be.instanceOf(Error);
    }
  });
});

describe("what stands under the UUID of an allocation that is being made", () => {
  const OURS: ResourceIdentity = { ...allocationBy("stack-1", "any"), stackName: "dev" };
  const read = (mark: unknown, ours = OURS) => {
    const w = allocated(allocationHandler);
    Object.assign(w.client.allocations.all[0] ?? {}, { extra: { [CONFIG_MARKER]: mark } });
    return w.clock.run(readOwnAllocation(w.client, OTHER_INSTANCE, ours, w.call.signal).catch(failure));
  };

  it("is its own where no stack of another name has marked it", async () => {
    const mark = allocationMarkBy("stack-1", "any");
    const { stackName: _, ...nameless } = OURS;
    const w = allocated(allocationHandler);
    const shown = await w.clock.run(readAllocation(w.client, OTHER_INSTANCE));
    // Whose it is, is not part of it.
    for (const [own, ours] of [
      [{ ...mark, stackName: "dev" }, OURS],
      [mark, OURS],
      [{ ...mark, stackName: "prod" }, nameless],
      [undefined, OURS],
      ["unreadable", OURS],
    ] as const)
      expect(await read(own, ours), JSON.stringify(own))
        .to.deep.equal(shown)
        .and.not.to.have.property("extra");
  });

  it("is another stack's where that has the same id: the message names it, and how the names are found", async () => {
    const error = await read({ ...allocationMarkBy("stack-1", "theirs"), stackName: "prod" });
    expect(isOfOthers(error)).to.equal(true);
    expect(error)
      .to.have.property("message")
      .that.matches(
        new RegExp(
          `^The allocation ${OTHER_INSTANCE} belongs to "theirs" of stack prod \\(stack-1\\)\\. Nothing was changed\\. Two stacks may have one .*claims --stack-id stack-1`,
        ),
      );
  });

  it("is not called another's by any other failure", async () => {
    const w = allocated(allocationHandler);
    w.client.allocations.all.length = 0;
    const gone = await w.clock.run(readOwnAllocation(w.client, OTHER_INSTANCE, OURS, w.call.signal).catch(failure));
    expect(gone).to.have.property("fault", "allocationGone");
    const other = new ProblemError({ code: "node-held", problem: "held", advice: "wait" });
    expect([gone, other, { code: "stack-id-shared" }, undefined].map(isOfOthers)).to.deep.equal(Array(4).fill(false));
  });
});
