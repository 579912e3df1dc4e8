/** What the tests of an allocation begin with. */
import { NODE } from "../fakes/deployments.ts";
import { allocationMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { type World, world } from "../fakes/world.ts";

/** An allocation of this stack on a free node, as the other handlers find it. */
export const allocated = (handler: Parameters<typeof world>[0], node: object = {}): World => {
  const w = world(handler, { node: { instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE, ...node } });
  const extra = { pulumi_ironic: { ...allocationMarkBy("stack-1", "any") } };
  const made = { uuid: OTHER_INSTANCE, state: "active" as const, node_uuid: NODE, last_error: null };
  w.client.allocations.all.push({ ...made, resource_class: "baremetal", extra });
  return w;
};
