/** Whose node it is, seen from one deployment. */
import { printableName } from "../core/index.ts";
import { type Claim, isOfNamesake, type ResourceIdentity, stackLabel } from "./identity.ts";
import { CONFIG_MARKER, configMarker, type DeploymentMarker, deploymentMarker } from "./marker.ts";
import type { Node } from "./node.ts";

/** How messages name a deployment by its record. */
export const deploymentLabel = (marker: ResourceIdentity): string =>
  `deployment "${printableName(marker.resourceName)}" of ${stackLabel(marker)}`;

/** Who has a node instead of the resource that asks. */
export interface OtherHolder {
  /** As messages name it. */
  who: string;
  /** Another resource of the stack that asks. */
  isSameStack: boolean;
  /** The id of the stack that asks, which another stack seems to have as well. */
  sharedStackId?: string;
}

/** The holder that a record names, seen from stack `stackId`. */
export const otherHolder = (kind: string, marker: ResourceIdentity, stackId: string): OtherHolder => {
  const isSameStack = marker.stackId === stackId;
  const owner = isSameStack ? "this same stack" : stackLabel(marker);
  return { who: `${kind} "${printableName(marker.resourceName)}" of ${owner}`, isSameStack };
};

/** The holder that a record of the claimant's own identity names, where a stack of another name wrote it. */
export const namesake = (kind: string, marker: ResourceIdentity): OtherHolder => ({
  who: `${kind} "${printableName(marker.resourceName)}" of ${stackLabel(marker)}`,
  isSameStack: false,
  sharedStackId: marker.stackId,
});

/** The holder of a node of which only the instance_uuid is known. */
export const unknownHolder = (instanceUuid: string): OtherHolder => ({
  who: `instance ${instanceUuid}`,
  isSameStack: false,
});

export type Holder =
  | { kind: "free" }
  /** Our `instance_uuid` is on the node; the marker is ours or was wiped by somebody. */
  | { kind: "ours"; marker: DeploymentMarker | undefined }
  /** Our marker without `instance_uuid`: being undeployed, or somebody removed it. */
  | { kind: "marked"; marker: DeploymentMarker }
  | ({ kind: "other" } & OtherHolder);

/** Who holds the node, seen from one deployment. One sign of another holder, instance_uuid or marker, is enough. */
export function holderOf(node: Pick<Node, "extra" | "instance_uuid">, claim: Claim): Holder {
  const marker = deploymentMarker(node);
  const config = configMarker(node);
  if (marker && (marker.stackId !== claim.stackId || marker.instanceUuid !== claim.instanceUuid))
    return { kind: "other", ...otherHolder("deployment", marker, claim.stackId) };
  if (marker && isOfNamesake(marker, claim)) return { kind: "other", ...namesake("deployment", marker) };
  if (config && config.stackId !== claim.stackId)
    return { kind: "other", ...otherHolder("BaremetalNodeConfig", config, claim.stackId) };
  if (node.instance_uuid && node.instance_uuid !== claim.instanceUuid)
    return { kind: "other", ...unknownHolder(node.instance_uuid) };
  if (node.instance_uuid) return { kind: "ours", marker };
  return marker ? { kind: "marked", marker } : { kind: "free" };
}

/**
 * Whose it is for who gives it back. Beside a deployment's own marker another stack's settings, which came at the same time or
 * are a lie, take nothing away: each stack takes off its own, or both would be in each other's way for ever. `isBegun`: this
 * run has begun to give it back.
 */
export function holderToRelease(node: Pick<Node, "extra" | "instance_uuid">, claim: Claim, isBegun = false): Holder {
  const holder = holderOf(node, claim);
  if (holder.kind !== "other") return holder;
  const { [CONFIG_MARKER]: _settings, ...extra } = node.extra;
  const alone = holderOf({ ...node, extra }, claim);
  const isOwn = deploymentMarker(node) !== undefined || (isBegun && alone.kind === "free");
  return isOwn ? alone : holder;
}

/** Did a run of this deployment's, perhaps one that was killed, take the node? A marker alone, which many may write, tells nothing. */
export function isTaken(node: Node, claim: Claim): boolean {
  const holder = holderToRelease(node, claim);
  return holder.kind === "ours" && holder.marker !== undefined;
}

/**
 * Is the instance_uuid an allocation's, which goes with it? Once undeployed it is not, though the deployment may have taken
 * the node again under the same UUID.
 */
export const isAllocated = (node: Node, { instanceUuid }: Claim): boolean => node.allocation_uuid === instanceUuid;
