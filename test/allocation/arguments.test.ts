// What is forgotten must not compile: tsc checks the lines below `@ts-expect-error`.
import { expect } from "chai";
import {
  ALLOCATION_ARGUMENTS,
  type AllocationProps,
  type AllocationTable,
} from "../../provider/allocation/arguments.ts";
import { allocationHandler } from "../../provider/allocation/handler.ts";
import type { NodeAllocationArgs } from "../../provider/allocation/index.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import type { IdentityInputs } from "../../provider/stack/identity.ts";
import { allocationBy } from "../fakes/identities.ts";
import type { Equal, Plain } from "../fakes/types.ts";
import { world } from "../fakes/world.ts";

type Public = Omit<AllocationProps, keyof IdentityInputs>;
true satisfies Equal<Plain<NodeAllocationArgs>, Public>;
// @ts-expect-error another type
true satisfies Equal<Plain<Omit<NodeAllocationArgs, "traits"> & { traits?: string | undefined }>, Public>;

const { traits, ...others } = ALLOCATION_ARGUMENTS;
// @ts-expect-error traits has no row
others satisfies AllocationTable;
// @ts-expect-error there is no such argument
({ ...ALLOCATION_ARGUMENTS, owner: traits }) satisfies AllocationTable;

/** Of each argument a value, and another one. */
const VALUES: Readonly<Record<keyof AllocationProps, readonly [unknown, unknown]>> = {
  resourceClass: ["baremetal", "gpu"],
  traits: [["a"], ["b"]],
  candidateNodes: [["a"], ["b"]],
  timeoutSeconds: [1, 2],
  stackId: ["a", "b"],
  stackName: ["a", "b"],
  resourceId: ["a", "b"],
  resourceName: ["a", "b"],
};
const INPUTS = { resourceClass: "baremetal", ...allocationBy("stack-1", "any") };
const OUTS = { uuid: "u", node: "n" };

describe("the arguments of a NodeAllocation", () => {
  for (const [name, { change }] of Object.entries(ALLOCATION_ARGUMENTS))
    it(`${name}: a change of it shows as what the table says`, async () => {
      const w = world(allocationHandler);
      const [before, after] = VALUES[name as keyof AllocationProps];
      const stored = { id: "u", inputs: INPUTS, outs: { ...INPUTS, ...OUTS, [name]: before } };
      for (const value of [after, UNKNOWN])
        expect(await w.diff(stored, { ...INPUTS, [name]: value })).to.deep.include({
          changes: change === "replaces",
          replaces: change === "replaces" ? [name] : [],
        });
      expect((await w.diff(stored, { ...INPUTS, [name]: before })).changes).to.equal(false);
    });

  it("of a state that have another type are refused by name", async () => {
    const w = world(allocationHandler);
    const stored = { id: "u", inputs: INPUTS, outs: { ...INPUTS, ...OUTS, node: 7 } };
    expect((await w.destroy(stored))?.message).to.match(
      /^The state of NodeAllocation "any" is not usable: node: must be a string/,
    );
    expect(w.client.requests).to.deep.equal([]);
  });
});
