/** An operator with hands in the machine, beyond what operators do in every walk (operator-actions.ts). */
import type { FakeNode } from "./fake-node.ts";
import type { FakeIronic } from "./ironic-model.ts";
import { type Deed, REASON } from "./operator-actions.ts";

const provision = (ironic: FakeIronic, { node }: FakeNode, verb: string) => ironic.provision(node.uuid, "others", verb);

export const HANDS_DEEDS = {
  /** A fan is changed: in maintenance, and off. */
  switchOff: (_ironic, { node }) =>
    Object.assign(node, { maintenance: true, maintenance_reason: REASON, power_state: "power off" }),
  /** A manual cleaning, as that of a firmware, which fails. */
  updateFirmware: (ironic, fake) => {
    if (fake.node.maintenance) return;
    if (["available", "clean failed"].includes(fake.node.provision_state ?? "")) provision(ironic, fake, "manage");
    if (fake.node.provision_state === "manageable") provision(ironic, fake, "clean");
  },
  /** Protected with a reason of their own, be it protected already or not. */
  protectWithReason: (_ironic, { node }) => {
    if (node.provision_state !== "active") return;
    Object.assign(node, { protected: true, protected_reason: REASON });
  },
  rebuildByHand: (ironic, fake) => {
    if (fake.node.provision_state === "active") provision(ironic, fake, "rebuild");
  },
  deployByHand: (ironic, fake) => {
    if (fake.node.provision_state === "available" && fake.node.instance_uuid) provision(ironic, fake, "active");
  },
} satisfies Record<string, Deed>;
