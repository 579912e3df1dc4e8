/** What operators and other clients do to a node while a stack works on it. Ironic's rules hold for them as well. */
import { isCleanRetryNoted } from "../../provider/node/clean-retry.ts";
import { DEPLOYMENT_MARKER, type DeploymentMarker } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import type { FakeNode } from "./fake-node.ts";
import { deploymentMarkBy } from "./identities.ts";
import type { FakeIronic } from "./ironic-model.ts";

const THEIRS = "cccccccc-0000-4000-8000-000000000003";
const THEIR_MARKER = { ...deploymentMarkBy("stack-2", "theirs"), instanceUuid: THEIRS, preparedAt: null };

/** Why others set maintenance, or protect. */
export const REASON = "fan";

export type Deed = (ironic: FakeIronic, fake: FakeNode) => unknown;

const patch =
  (...ops: PatchOp[]): Deed =>
  (ironic, { node }) =>
    ironic.patch(node.uuid, ops);
const provision =
  (verb: string): Deed =>
  (ironic, { node }) =>
    ironic.provision(node.uuid, "others", verb);
const set =
  (fields: Partial<Node>): Deed =>
  (_ironic, { node }) =>
    Object.assign(node, fields);

export const DEEDS = {
  maintain: set({ maintenance: true, maintenance_reason: REASON }),
  endMaintenance: set({ maintenance: false, maintenance_reason: null, fault: null }),
  removeInstance: patch({ op: "remove", path: "/instance_uuid" }),
  undeploy: provision("deleted"),
  take: (ironic, { node }) => {
    if (node.provision_state !== "available" || node.instance_uuid) return;
    ironic.patch(node.uuid, [{ op: "add", path: "/instance_uuid", value: THEIRS }]);
  },
  takeAndDeploy: (ironic, { node }) => {
    if (node.provision_state !== "available" || node.instance_uuid) return;
    ironic.patch(node.uuid, [
      { op: "add", path: "/instance_uuid", value: THEIRS },
      { op: "add", path: "/instance_info", value: { kernel: "http://theirs/k", ramdisk: "http://theirs/r" } },
      { op: "add", path: "/extra", value: { [DEPLOYMENT_MARKER]: THEIR_MARKER } },
    ]);
    ironic.provision(node.uuid, "others", "active");
  },
  /** A stack that claims by its mark first. */
  mark: (ironic, { node }) => {
    if (node.provision_state !== "available" || DEPLOYMENT_MARKER in node.extra) return;
    ironic.patch(node.uuid, [{ op: "add", path: `/extra/${DEPLOYMENT_MARKER}`, value: THEIR_MARKER }]);
  },
  wipeExtra: patch({ op: "replace", path: "/extra", value: {} }),
  rename: (_ironic, { node }) => {
    node.name = `${node.name}x`;
  },
  setBoot: patch({ op: "replace", path: "/boot_interface", value: "pxe" }),
  setClean: patch({ op: "replace", path: "/automated_clean", value: true }),
  /** Also what the stack has protected already: from then on it is theirs. */
  protect: patch(
    { op: "replace", path: "/protected", value: true },
    { op: "replace", path: "/protected_reason", value: REASON },
  ),
  retire: (_ironic, { node }) => {
    if (node.provision_state !== "available") node.retired = true;
  },
  changeInfo: patch({ op: "add", path: "/instance_info/kernel", value: "http://theirs/k" }),
  dropArguments: patch({ op: "remove", path: "/instance_info/ramdisk_kernel_arguments" }),
  dropDrive: patch({ op: "remove", path: "/instance_info/configdrive" }),
  powerOff: set({ power_state: "power off" }),
  rescue: (ironic, fake) => {
    if (fake.node.provision_state === "active") ironic.move(fake, "rescue");
  },
  hold: (ironic, fake) => {
    if (fake.node.provision_state === "clean wait") ironic.move(fake, "clean hold", "available");
  },
  abortCleaning: (ironic, fake) => {
    if (fake.node.provision_state === "clean wait") ironic.move(fake, "clean failed");
  },
  /** An operator's manual cleaning, which fails. */
  cleanByHand: (ironic, fake) => {
    if (fake.node.provision_state === "manageable") ironic.move(fake, "clean failed", "manageable");
  },
  manage: provision("manage"),
  failDeploy: (_ironic, { fate }) => {
    fate.deployFails = 1;
  },
  failUndeploy: (_ironic, { fate }) => {
    fate.undeployFails = 1;
  },
  failCleaning: (_ironic, { fate }) => {
    fate.cleanFails = 1;
  },
} satisfies Record<string, Deed>;

export type DeedName = keyof typeof DEEDS;
export const DEED_NAMES = Object.keys(DEEDS) as DeedName[];

/**
 * An operator follows every advice until the node can be used again: what is left is the stack's to do. `isKnown`: its state
 * has a deployment there; without that it brings no node back from a failed cleaning.
 */
export function restoreOrder(ironic: FakeIronic, fake: FakeNode, isKnown: boolean): void {
  const { node, fate } = fake;
  Object.assign(fate, { deployFails: 0, undeployFails: 0, cleanFails: 0 });
  Object.assign(node, { maintenance: false, maintenance_reason: null, fault: null, retired: false });
  const marker = node.extra[DEPLOYMENT_MARKER] as DeploymentMarker | undefined;
  const theirs = node.instance_uuid === THEIRS || marker?.stackId === THEIR_MARKER.stackId;
  if (marker?.stackId === THEIR_MARKER.stackId) delete node.extra[DEPLOYMENT_MARKER];
  if (node.protected_reason === REASON) Object.assign(node, { protected: false, protected_reason: null });
  const state = node.provision_state ?? "available";
  // Half brought back by the stack.
  const isTheirs = node.target_provision_state === "manageable";
  if (isKnown && isCleanRetryNoted(node) && ["clean failed", "manageable"].includes(state) && !isTheirs) return;
  if (state === "rescue") ironic.move(fake, "active");
  if (state === "clean hold" || state === "clean failed") ironic.move(fake, "manageable");
  if (["active", "deploy failed", "error"].includes(node.provision_state ?? "") && (theirs || !node.instance_uuid)) {
    Object.assign(node, { protected: false, protected_reason: null });
    ironic.provision(node.uuid, "others", "deleted");
  }
  if (node.provision_state === "manageable") ironic.provision(node.uuid, "others", "provide");
  if (theirs && node.provision_state === "available") node.instance_uuid = null;
}
