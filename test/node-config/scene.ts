/** What the tests of a node's settings begin with. */
import { instanceUuidFor } from "../../provider/node/identity.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { deploymentBy, deploymentMarkBy, settingsBy } from "../fakes/identities.ts";
import { type World, type WorldOptions, world } from "../fakes/world.ts";

export const NODE = "00000000-0000-4000-8000-000000000001";
export const BASE = { node: "worker-1", ...settingsBy("stack-1", "settings") };
export const INPUTS = { ...BASE, bootInterface: "redfish-virtual-media", automatedCleaning: false };
export const BEFORE: Partial<Node> = { deploy_interface: "direct", boot_interface: "ipxe", automated_clean: null };
export const DEPLOYED = instanceUuidFor({ ...deploymentBy("stack-1", "worker"), nodeUuid: NODE });
export const ours = (more: Props = {}) => ({
  instance_uuid: DEPLOYED,
  provision_state: "active",
  deploymentMarker: { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: DEPLOYED, preparedAt: null, ...more },
});

export const scene = (node: Partial<Node> = {}, options: WorldOptions = {}): World =>
  world(nodeConfigHandler, { ...options, node: { ...BEFORE, ...node } });

export const made = async (node: Partial<Node> = {}, inputs: Props = INPUTS) => {
  const w = scene(node);
  const first = await w.made(undefined, inputs);
  w.client.writes.length = 0;
  w.asked();
  return { w, first };
};

/** Puts a running deployment of the same stack on the node. */
export const deploy = (w: World, more: Props = {}): void => {
  const { deploymentMarker, ...fields } = ours(more);
  Object.assign(w.fake.node, fields, { extra: { ...w.fake.node.extra, [DEPLOYMENT_MARKER]: deploymentMarker } });
};

export const settings = ({ deploy_interface, boot_interface, automated_clean }: Node): Partial<Node> => ({
  deploy_interface: deploy_interface ?? null,
  boot_interface: boot_interface ?? null,
  automated_clean: automated_clean ?? null,
});
export const WRITTEN = { deploy_interface: "ramdisk", boot_interface: "redfish-virtual-media", automated_clean: false };
