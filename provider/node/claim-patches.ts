/** The PATCHes that take a node, mark it, and give it back. */

import { isAllocated } from "./holder.ts";
import type { Claim } from "./identity.ts";
import { BOOT_KEYS, type InstanceInfo } from "./instance-info.ts";
import { CONFIG_MARKER, configMarker, DEPLOYMENT_MARKER, type DeploymentMarker } from "./marker.ts";
import { type Node, type PatchOp, pointer } from "./node.ts";

/** The one PATCH that takes the node, or that prepares it for a rebuild: only what differs. */
export function claimPatch(node: Node, marker: DeploymentMarker, info: InstanceInfo): PatchOp[] {
  const wanted: Readonly<Record<string, string>> = info;
  const ops: PatchOp[] = [];
  if (node.instance_uuid !== marker.instanceUuid)
    ops.push({ op: "add", path: "/instance_uuid", value: marker.instanceUuid });
  for (const key of BOOT_KEYS) {
    const value = wanted[key];
    const path = pointer("instance_info", key);
    if (value !== undefined && node.instance_info[key] !== value) ops.push({ op: "add", path, value });
    if (value === undefined && key in node.instance_info) ops.push({ op: "remove", path });
  }
  // A rebuild without a config drive goes on with the one that stands here (ironic/conductor/deployments.py).
  if (marker.driveHash === undefined && "configdrive" in node.instance_info)
    ops.push({ op: "remove", path: pointer("instance_info", "configdrive") });
  ops.push({ op: "add", path: pointer("extra", DEPLOYMENT_MARKER), value: marker });
  return ops;
}

/** Takes the claim, and what it put into `instance_info`, off a node that nothing of ours runs on. */
export function unclaimPatch(node: Node, claim: Claim): PatchOp[] {
  const ops: PatchOp[] = [];
  if (node.instance_uuid === claim.instanceUuid) {
    if (!isAllocated(node, claim)) ops.push({ op: "remove", path: "/instance_uuid" });
    for (const key of BOOT_KEYS)
      if (key in node.instance_info) ops.push({ op: "remove", path: pointer("instance_info", key) });
  }
  if (DEPLOYMENT_MARKER in node.extra) ops.push({ op: "remove", path: pointer("extra", DEPLOYMENT_MARKER) });
  return ops;
}

export const markerPatch = (marker: DeploymentMarker | undefined): PatchOp[] => [
  marker
    ? { op: "add", path: pointer("extra", DEPLOYMENT_MARKER), value: marker }
    : { op: "remove", path: pointer("extra", DEPLOYMENT_MARKER) },
];

/** Takes the marker off a machine that stays as it is, and tells the stack's BaremetalNodeConfig about it. */
export function unmarkPatch(node: Node, claim: Claim): PatchOp[] {
  const kept = { keptInstanceUuid: claim.instanceUuid, keptResourceId: claim.resourceId };
  const told = configMarker(node)?.stackId === claim.stackId ? Object.entries(kept) : [];
  return [
    ...markerPatch(undefined),
    ...told.map(([key, value]) => ({ op: "add" as const, path: pointer("extra", CONFIG_MARKER, key), value })),
  ];
}
