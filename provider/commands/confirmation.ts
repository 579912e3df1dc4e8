/**
 * Is a claim the stack's? Its mark alone, which many may write, does not say so. A UUID that follows from the stack and from
 * what it claims does: it is set on a node by those only who may deploy there, and on an allocation by who makes it.
 */
import { allocationUuidFor, type DeploymentMarker, instanceUuidFor, type ListedAllocation } from "../node/index.ts";

interface ClaimedNode {
  uuid: string;
  name: string | null;
  instance_uuid: string | null;
}

/** Ironic shows nodes by their UUID, also those that the program named. An empty list may have been left out. */
function candidatesOf({ candidate_nodes = [] }: ListedAllocation, nodes: readonly ClaimedNode[]) {
  if (candidate_nodes.length === 0) return [undefined, []];
  const named = candidate_nodes.map((uuid) => nodes.find((node) => node.uuid === uuid)?.name ?? uuid);
  return [candidate_nodes, named];
}

/** Does the allocation's UUID follow from the resource and from what it asked for? */
export function isConfirmedAllocation(
  allocation: ListedAllocation,
  mark: Pick<DeploymentMarker, "stackId" | "resourceId">,
  nodes: readonly ClaimedNode[],
): boolean {
  const { uuid, traits = [] } = allocation;
  const resourceClass = allocation.resource_class ?? "";
  return (traits.length === 0 ? [undefined, traits] : [traits]).some((asked) =>
    candidatesOf(allocation, nodes).some(
      (candidateNodes) => allocationUuidFor({ ...mark, resourceClass, traits: asked, candidateNodes }) === uuid,
    ),
  );
}

/** Does the node's instance_uuid follow from the deployment, or is it that of an allocation of the same stack? */
export function isConfirmedDeployment(
  node: ClaimedNode,
  marker: DeploymentMarker,
  ownAllocations: readonly ListedAllocation[],
): boolean {
  if (node.instance_uuid !== marker.instanceUuid) return false;
  if (instanceUuidFor({ ...marker, nodeUuid: node.uuid }) === marker.instanceUuid) return true;
  return ownAllocations.some(({ uuid, node_uuid }) => uuid === marker.instanceUuid && node_uuid === node.uuid);
}
