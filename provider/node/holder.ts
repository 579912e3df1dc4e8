/** Whose node it is, seen from one deployment. */
import { type Claim, type ResourceIdentity, stackLabel } from "./identity.ts";
import { configMarker, type DeploymentMarker, deploymentMarker } from "./marker.ts";
import type { Node } from "./node.ts";
import { mayBeUndeployed } from "./states.ts";

/** How messages name a deployment by its record. */
export const deploymentLabel = (marker: ResourceIdentity): string =>
  `deployment "${marker.resourceName}" of ${stackLabel(marker)}`;

/** How messages name settings by their record. */
export const settingsLabel = (marker: ResourceIdentity): string =>
  `BaremetalNodeConfig "${marker.resourceName}" of ${stackLabel(marker)}`;

export type Holder =
  | { kind: "free" }
  /** Our `instance_uuid` is on the node; the marker is ours or was wiped by somebody. */
  | { kind: "ours"; marker: DeploymentMarker | undefined }
  /** Our marker without `instance_uuid`: being undeployed, or somebody removed it. */
  | { kind: "marked"; marker: DeploymentMarker }
  | { kind: "other"; who: string };

/** Who holds the node, seen from one deployment. Both signs count: one that is another's is enough to keep off. */
export function holderOf(node: Pick<Node, "extra" | "instance_uuid">, claim: Claim): Holder {
  const marker = deploymentMarker(node);
  const config = configMarker(node);
  if (marker && (marker.stackId !== claim.stackId || marker.instanceUuid !== claim.instanceUuid))
    return { kind: "other", who: deploymentLabel(marker) };
  if (config && config.stackId !== claim.stackId) return { kind: "other", who: settingsLabel(config) };
  if (node.instance_uuid && node.instance_uuid !== claim.instanceUuid)
    return { kind: "other", who: `instance ${node.instance_uuid}` };
  if (node.instance_uuid) return { kind: "ours", marker };
  return marker ? { kind: "marked", marker } : { kind: "free" };
}

/**
 * Did a run of this deployment's, perhaps one that was killed, take the node? In mid-redeploy the marker alone tells; on a
 * machine that runs it does not.
 */
export function isTaken(node: Node, claim: Claim): boolean {
  const holder = holderOf(node, claim);
  if (holder.kind === "marked") return !mayBeUndeployed(node);
  return holder.kind === "ours" && holder.marker !== undefined;
}

/**
 * Is the instance_uuid an allocation's, which goes with it? Once undeployed it is not, though the deployment may have taken
 * the node again under the same UUID.
 */
export const isAllocated = (node: Node, { instanceUuid }: Claim): boolean => node.allocation_uuid === instanceUuid;
