/** One allocation, as Ironic shows it. */
import { type IronicError, isNodeGone, ProblemError } from "../core/index.ts";
import { type Client, ignored } from "../http/index.ts";
import {
  type Allocation,
  allocationSchema,
  identityMark,
  isOfNamesake,
  markedAllocationSchema,
  namesakeAdvice,
  type ResourceIdentity,
  readNode,
  stackLabel,
} from "../node/index.ts";

/** Ends the sentence that says what took too long. */
export const afterTrouble = ({ message }: IronicError): string => `. The last error was: ${message}`;

export const readAllocation = (client: Client, uuid: string, signal?: AbortSignal): Promise<Allocation> =>
  client.get(`/allocations/${uuid}`, {
    operation: `read the allocation ${uuid}`,
    allocation: uuid,
    shape: allocationSchema,
    ...(signal && { signal }),
  });

export const deleteAllocation = (client: Client, uuid: string, signal: AbortSignal): Promise<unknown> =>
  client.send("DELETE", `/allocations/${uuid}`, {
    operation: `end the allocation ${uuid}`,
    allocation: uuid,
    signal,
    shape: ignored,
  });

/** Does the node that an allocation had found show that it is no longer under it? A node that is not shown tells nothing. */
export async function hasLeftNode(
  client: Client,
  uuid: string,
  nodeUuid: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (nodeUuid === undefined) return false;
  try {
    return (await readNode(client, nodeUuid, "read the allocation's node", signal)).allocation_uuid !== uuid;
  } catch (error) {
    if (isNodeGone(error)) return false;
    throw error;
  }
}

/** Did another stack make what stands under the UUID? */
export const isOfOthers = (error: unknown): boolean =>
  error instanceof ProblemError && error.code === "stack-id-shared";

/** The allocation that stands under the UUID of one that is being made. Throws a ProblemError where another stack made it. */
export async function readOwnAllocation(
  client: Client,
  uuid: string,
  ours: ResourceIdentity,
  signal: AbortSignal,
): Promise<Allocation> {
  const { extra, ...allocation } = await client.get(`/allocations/${uuid}`, {
    operation: `read the allocation ${uuid}`,
    allocation: uuid,
    shape: markedAllocationSchema,
    signal,
  });
  const mark = identityMark({ extra });
  if (!mark || !isOfNamesake(mark, { ...ours, isNew: true })) return allocation;
  throw new ProblemError({
    code: "stack-id-shared",
    problem: `The allocation ${uuid} belongs to "${mark.resourceName}" of ${stackLabel(mark)}`,
    advice: `Nothing was changed. ${namesakeAdvice(mark)}.`,
  });
}
