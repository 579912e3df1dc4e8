/** Which stack and which of its resources something belongs to, and the UUIDs that follow from that. */
import { createHash } from "node:crypto";
import { canonicalJson, printableName } from "../core/index.ts";

/** What identifies a resource on nodes and in states. Fixed at creation: from then on the state's values count. */
export interface ResourceIdentity {
  /** The stack's identity: `stackId` of its StackIdentity. */
  stackId: string;
  /** The stack's name, for people. Identifies nothing. */
  stackName?: string | undefined;
  /** Qualified type and name within the stack, as in the URN: `my:Cluster$ironic:RamdiskDeployment::worker`. */
  resourceId: string;
  /** The logical name, for people. Identifies nothing. */
  resourceName: string;
}

/** Who asks for something in Ironic. */
export interface Claimant extends ResourceIdentity {
  /** No state has the resource yet: what stands there under its identity may be another stack's with the same `ironic:stackId`. */
  isNew?: true;
}

/**
 * Was what is marked with a claimant's own identity marked by a stack of another name? Once a state has the resource, names do
 * not matter: stacks are renamed.
 */
export const isOfNamesake = (mark: Pick<ResourceIdentity, "stackName">, { isNew, stackName }: Claimant): boolean =>
  isNew === true && mark.stackName !== undefined && stackName !== undefined && mark.stackName !== stackName;

/** What to do about a stack of the same id. */
export const namesakeAdvice = ({ stackId }: Pick<ResourceIdentity, "stackId">): string =>
  `Two stacks may have one \`ironic:stackId\`, or this stack was renamed after a run that was killed. \`pulumi-ironic claims --stack-id ${stackId}\` shows the stack names`;

/** A deployment's identity with its claim on a node. */
export interface Claim extends Claimant {
  instanceUuid: string;
}

/** `identity` without whatever else its source holds. */
export const identityOf = ({ stackId, stackName, resourceId, resourceName }: ResourceIdentity): ResourceIdentity => ({
  stackId,
  ...(stackName !== undefined && { stackName }),
  resourceId,
  resourceName,
});

/** How messages name a stack. */
export const stackLabel = ({ stackId, stackName }: Pick<ResourceIdentity, "stackId" | "stackName">): string =>
  printableName(stackName === undefined || stackName === "" ? `stack ${stackId}` : `stack ${stackName} (${stackId})`);

/** The `resourceId` of the resource of another type with the same name and parents. */
export function siblingId(resourceId: string, type: string): string {
  // A name may hold anything, a type no colons in a row.
  const end = resourceId.indexOf("::");
  const types = resourceId.slice(0, end).split("$");
  return `${[...types.slice(0, -1), type].join("$")}${resourceId.slice(end)}`;
}

/** A name-based UUID (RFC 9562, version 8: own hash), so that a run after a crash computes the same. */
function uuidOf(domain: string, fields: Readonly<Record<string, unknown>>): string {
  const hex = createHash("sha256")
    .update(`${domain}\n${canonicalJson(fields)}`)
    .digest("hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}

/** What an instance UUID is made of. A field that is absent leaves the UUID as it is without it. */
export interface InstanceSource {
  stackId: string;
  resourceId: string;
  /** Key of a machine in a fleet. */
  member?: string | undefined;
  /** Run of a job. */
  runId?: string | undefined;
  nodeUuid: string;
}

/** The instance UUID of a deployment that is being made; once there is a state, its value counts. */
export const instanceUuidFor = ({ stackId, resourceId, member, runId, nodeUuid }: InstanceSource): string =>
  uuidOf("pulumi-ironic/1/instance", { stackId, resourceId, member, runId, nodeUuid });

/** What an allocation's UUID is made of: the resource and what it asks for. */
export interface AllocationSource {
  stackId: string;
  resourceId: string;
  resourceClass: string;
  traits?: readonly string[] | undefined;
  candidateNodes?: readonly string[] | undefined;
}

/** The UUID of an allocation that is being made; once there is a state, its value counts. */
export const allocationUuidFor = (source: AllocationSource): string => {
  const { stackId, resourceId, resourceClass, traits, candidateNodes } = source;
  return uuidOf("pulumi-ironic/1/allocation", { stackId, resourceId, resourceClass, traits, candidateNodes });
};
