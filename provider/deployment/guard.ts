/**
 * PATCHes of a machine that is ours. Between the look at a node and the write it may change hands, so the write names our
 * instance_uuid: Ironic answers 409 where another's stands, and the same value again changes nothing. A node that was given
 * back meanwhile would take it, so the answer is looked at, too.
 */
import { isFault } from "../core/index.ts";
import { type Claim, isAllocated, isVacant, type Node, type PatchOp } from "../node/index.ts";
import type { Event } from "./attempt.ts";

export interface GuardContext {
  /** As the decision saw it. */
  node: Node;
  claim: Claim;
  record(event: Event): void;
  /** The whole node, read now. */
  read(): Promise<Node>;
  patch(operations: PatchOp[], operation: string, later?: boolean): Promise<Node>;
}

/** The answer to a write to a node on which our instance should be: was the node given back before the write? */
function checkedAnswer({ node, claim, record }: GuardContext, answer: Node): Node {
  const isGivenBack = !isVacant(node) && (isVacant(answer) || answer.instance_uuid !== claim.instanceUuid);
  if (isGivenBack) record({ kind: "foundGivenBack" });
  return answer;
}

/** For accounts that may not write an instance_uuid, not even the same: what their allocation holds is read before and after. */
async function patchAfterLook(context: GuardContext, operations: PatchOp[], operation: string): Promise<Node> {
  const { node, read, patch } = context;
  const now = await read();
  const isSame =
    now.instance_uuid === node.instance_uuid &&
    now.provision_state === node.provision_state &&
    now.provision_updated_at === node.provision_updated_at;
  // What was decided is decided anew.
  return isSame ? checkedAnswer(context, await patch(operations, operation)) : now;
}

/** Writes to a node that is ours; to one that is not yet, as it is. */
export async function patchOurs(
  context: GuardContext,
  operations: PatchOp[],
  operation: string,
  later?: boolean,
): Promise<Node> {
  const { node, claim, patch } = context;
  if (node.instance_uuid !== claim.instanceUuid) return patch(operations, operation, later);
  const guard: PatchOp = { op: "add", path: "/instance_uuid", value: claim.instanceUuid };
  try {
    return checkedAnswer(context, await patch([guard, ...operations], operation, later));
  } catch (error) {
    if (!isFault(error, "forbidden") || !isAllocated(node, claim)) throw error;
    return patchAfterLook(context, operations, operation);
  }
}
