/** Who else is on a node whose settings are made or restored, and on whose word that is known. */
import { isHidden } from "../core/index.ts";
import {
  allocationMarkSchema,
  type Claimant,
  configMarker,
  deploymentMarker,
  identityMark,
  instanceUuidFor,
  isOfNamesake,
  mayChangeInterfaces,
  type Node,
  namesake,
  type OtherHolder,
  otherHolder,
  type ResourceIdentity,
  siblingId,
  unknownHolder,
} from "../node/index.ts";
import type { Call, Services } from "../plugin/index.ts";

const DEPLOYMENT_TYPE = "ironic:RamdiskDeployment";

/** What is known of instances beside what marks say. */
export interface Witness {
  /** The instance_uuid if an allocation of this stack has set it, before any deployment marked the node. */
  allocated: string | null;
  /** These settings are in the state: the node is known to have been the stack's. */
  inState: boolean;
  /** What the states of the deployments of this run say of the instance on the node. */
  instanceOn(node: Node): "held" | "handedOver" | undefined;
}

async function allocatedOn(
  node: Node,
  ours: ResourceIdentity,
  services: Services,
  { signal }: Call,
): Promise<string | null> {
  if (!node.allocation_uuid || node.allocation_uuid !== node.instance_uuid) return null;
  const client = await services.client();
  try {
    const allocation = await client.get(`/allocations/${node.allocation_uuid}`, {
      operation: "check whose allocation is on the node",
      shape: allocationMarkSchema,
      node: node.uuid,
      signal,
    });
    return identityMark(allocation)?.stackId === ours.stackId ? node.instance_uuid : null;
  } catch (error) {
    // Another project's, which Ironic does not show, or gone since.
    if (isHidden(error)) return null;
    throw error;
  }
}

export const witnessFor = async (
  found: Node,
  ours: ResourceIdentity,
  inState: boolean,
  services: Services,
  call: Call,
): Promise<Witness> => ({
  allocated: await allocatedOn(found, ours, services, call),
  inState,
  instanceOn: ({ uuid, instance_uuid }) => services.run.instances.of(uuid, instance_uuid),
});

/** Did a deployment of the stack make this instance_uuid? What follows from the stack's identity nobody can make up for another. */
function followsFromStack(node: Node, { stackId, resourceId }: ResourceIdentity): boolean {
  const deployment = deploymentMarker(node);
  const kept = configMarker(node)?.keptResourceId;
  const sources = [
    // Where somebody wiped its marker, a deployment of the same name as these settings is still known by its claim.
    { resourceId: siblingId(resourceId, DEPLOYMENT_TYPE) },
    ...(deployment ? [{ resourceId: deployment.resourceId, member: deployment.member, runId: deployment.runId }] : []),
    ...(kept === undefined ? [] : [{ resourceId: kept }]),
  ];
  return sources.some((source) => instanceUuidFor({ stackId, ...source, nodeUuid: node.uuid }) === node.instance_uuid);
}

/**
 * Is the instance on the node the stack's? A mark that names one is not enough, as it makes another's instance ours. Only
 * where the stack is known to have had the node its deployment may have an instance_uuid of other making: adopted, or from
 * an allocation that has ended.
 */
const isOwnInstance = (node: Node, ours: ResourceIdentity, witness: Witness): boolean =>
  node.instance_uuid === witness.allocated ||
  witness.instanceOn(node) !== undefined ||
  followsFromStack(node, ours) ||
  (witness.inState && node.instance_uuid === deploymentMarker(node)?.instanceUuid);

/** Who, if anybody, keeps this stack from writing to the node's settings. */
export function otherHolderOn(node: Node, ours: Claimant, witness: Witness): OtherHolder | undefined {
  const config = configMarker(node);
  const deployment = deploymentMarker(node);
  if (config && (config.stackId !== ours.stackId || config.resourceId !== ours.resourceId))
    return otherHolder("BaremetalNodeConfig", config, ours.stackId);
  if (config && isOfNamesake(config, ours)) return namesake("BaremetalNodeConfig", config);
  if (deployment && deployment.stackId !== ours.stackId) return otherHolder("deployment", deployment, ours.stackId);
  if (!node.instance_uuid || isOwnInstance(node, ours, witness)) return undefined;
  return unknownHolder(node.instance_uuid);
}

/** A deployment of the stack, seen from the settings of its node; where others hold the node, that is said before. */
export type Standing =
  | "none"
  /** It has not been given back. */
  | "stands"
  /** It has left the state in this run, and its machine runs on. */
  | "handedOver"
  /** As before, but only a mark says so: it may as well be in the state still. */
  | "saidToBeHandedOver";

export function standingOn(node: Node, witness: Witness): Standing {
  if (deploymentMarker(node)) return "stands";
  if (node.instance_uuid === null) return "none";
  // Of an allocation nothing was deployed, or no longer is.
  if (node.instance_uuid === witness.allocated && mayChangeInterfaces(node)) return "none";
  if (witness.instanceOn(node) === "handedOver") return "handedOver";
  return configMarker(node)?.keptInstanceUuid === node.instance_uuid ? "saidToBeHandedOver" : "stands";
}
