/** Ironic's allocations: https://docs.openstack.org/ironic/latest/admin/allocation.html */
import type { FakeIronic } from "./ironic-model.ts";
import type { Refusal } from "./node-rules.ts";

export interface Allocation {
  uuid: string;
  state: "allocating" | "active" | "error";
  node_uuid: string | null;
  last_error: string | null;
  resource_class: string;
  traits?: string[];
  candidate_nodes?: string[];
  extra: Record<string, unknown>;
}

export interface Allocations {
  readonly all: Allocation[];
  /** How many reads show `allocating` before it is decided. */
  slowReads: number;
  make(body: Record<string, unknown>): { body: Allocation } | Refusal;
  read(uuid: string): { body: Allocation } | Refusal;
  remove(uuid: string): { body: undefined } | Refusal;
}

export function allocationsOf(ironic: FakeIronic): Allocations {
  const all: Allocation[] = [];
  const find = (uuid: string) => all.find((allocation) => allocation.uuid === uuid);
  const gone = (uuid: string): Refusal => ({ status: 404, text: `Allocation ${uuid} could not be found.` });
  const decide = (allocation: Allocation): void => {
    const fake = ironic.nodes.find(
      ({ node }) =>
        node.provision_state === "available" &&
        !node.maintenance &&
        !node.instance_uuid &&
        node.resource_class === allocation.resource_class,
    );
    if (!fake) {
      Object.assign(allocation, { state: "error", last_error: "no available nodes match the resource class" });
      return;
    }
    Object.assign(fake.node, { instance_uuid: allocation.uuid, allocation_uuid: allocation.uuid });
    Object.assign(allocation, { state: "active", node_uuid: fake.node.uuid });
  };
  const allocations: Allocations = {
    all,
    slowReads: 0,
    make(body) {
      const uuid = String(body.uuid);
      if (find(uuid)) return { status: 409, text: `An allocation with UUID ${uuid} already exists.` };
      const { resource_class, extra } = body as { resource_class: string; extra: Record<string, unknown> };
      const made: Allocation = { uuid, state: "allocating", node_uuid: null, last_error: null, resource_class, extra };
      all.push(made);
      return { body: { ...made } };
    },
    read(uuid) {
      const allocation = find(uuid);
      if (!allocation) return gone(uuid);
      if (allocation.state === "allocating" && allocations.slowReads-- <= 0) decide(allocation);
      return { body: { ...allocation } };
    },
    remove(uuid) {
      const index = all.findIndex((allocation) => allocation.uuid === uuid);
      if (index < 0) return gone(uuid);
      const fake = ironic.nodes.find(({ node }) => node.allocation_uuid === uuid);
      // ironic/conductor/allocations.py, verify_node_for_deallocation
      if (fake?.node.provision_state === "active" && !fake.node.maintenance)
        return { status: 409, text: `Cannot remove allocation ${uuid} for node N, because the node is active` };
      all.splice(index, 1);
      if (fake) Object.assign(fake.node, { instance_uuid: null, allocation_uuid: null });
      return { body: undefined };
    },
  };
  return allocations;
}
