// Two stacks of different names with one `ironic:stackId`, and resources of equal names: neither takes the other's things.
import { expect } from "chai";
import { allocationHandler } from "../../provider/allocation/handler.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Handler, Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { A } from "../fakes/deployments.ts";
import { allocationBy, deploymentBy, settingsBy } from "../fakes/identities.ts";
import { world } from "../fakes/world.ts";

const KINDS: Readonly<Record<string, readonly [handler: Handler, inputs: Props, change: Props]>> = {
  deployment: [
    deploymentHandler,
    { node: "worker-1", ...A, ...deploymentBy("shared", "w") },
    { kernel: "http://images/c.kernel" },
  ],
  settings: [nodeConfigHandler, { node: "worker-1", ...settingsBy("shared", "w") }, { description: "another" }],
  allocation: [allocationHandler, { resourceClass: "baremetal", ...allocationBy("shared", "w") }, {}],
};

describe("a stack id that two stacks have", () => {
  for (const [kind, [handler, inputs, change]] of Object.entries(KINDS)) {
    const scene = async () => {
      const w = world(handler, { node: { automated_clean: false, resource_class: "baremetal" } as never });
      const first = await w.made(undefined, { ...inputs, stackName: "dev" });
      w.client.writes.length = 0;
      return { w, first };
    };
    /** What a run leaves that the engine forgets when it is killed. */
    const again = (w: Awaited<ReturnType<typeof scene>>["w"], stackName: string | undefined) =>
      w.up(undefined, { ...inputs, ...(stackName !== undefined && { stackName }) });

    it(`does not give one stack's ${kind} to a resource of the same name in the other`, async () => {
      const { w } = await scene();
      const before = structuredClone({ node: w.node(), allocations: w.client.allocations.all });
      const { stored, error } = await again(w, "prod");
      expect(error?.message).to.match(/of stack dev \(shared\).*`pulumi-ironic claims --stack-id shared`/s);
      expect(error).to.have.property("code", "stack-id-shared");
      expect(stored).to.equal(undefined);
      expect({ node: w.node(), allocations: w.client.allocations.all }).to.deep.equal(before);
    });

    it(`lets a stack of the same name go on with its ${kind}, as after a kill, and one that does not know its name`, async () => {
      for (const stackName of ["dev", undefined]) {
        const { w, first } = await scene();
        const { stored, error } = await again(w, stackName);
        expect(error).to.equal(undefined);
        expect(stored?.id).to.equal(first.id);
      }
    });

    it(`does not matter to a ${kind} that the state has: a renamed stack is still itself`, async () => {
      const { w, first } = await scene();
      const renamed: Stored = { ...first, outs: { ...first.outs, stackName: "before" } };
      const { error } = await w.up(renamed, { ...inputs, ...change, stackName: "prod" });
      expect(error).to.equal(undefined);
      expect(await w.destroy(renamed)).to.equal(undefined);
    });
  }
});
