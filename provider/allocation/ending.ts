/** Giving an allocation back. */
import {
  CancelledError,
  countTries,
  IronicError,
  inTime,
  isAllocationGone,
  isFault,
  isNodeGone,
  ProblemError,
  pausesMs,
  type Tries,
} from "../core/index.ts";
import type { Client } from "../http/index.ts";
import {
  deploymentLabel,
  deploymentMarker,
  type GivenBack,
  isVacant,
  mayBeUndeployed,
  type Node,
  nodeLabel,
  nothingToRelease,
  RELEASED,
  readNode,
  stateName,
} from "../node/index.ts";
import { type Call, forgetsMissing, type Services, waysOut, whoAsked } from "../plugin/index.ts";
import { afterTrouble, deleteAllocation, readAllocation } from "./request.ts";

/** Hundreds may wait for their turn at once. */
const END_TIMEOUT_MS = 600_000;

/**
 * May the allocation be taken off its node? Ironic itself refuses only while a node is active or passes between states,
 * and in maintenance never: a machine would lose its instance_uuid, and nothing would say whose it is.
 * Source: ironic/conductor/allocations.py, verify_node_for_deallocation.
 */
function mayEnd(node: Node, uuid: string, warn: Call["warn"]): boolean {
  if (node.instance_uuid !== uuid || isVacant(node)) return true;
  const marker = deploymentMarker(node);
  if (marker)
    throw new ProblemError({
      code: "allocation-in-use",
      problem: `Allocation ${uuid} was not ended: node ${nodeLabel(node)} is "${stateName(node.provision_state)}" with ${deploymentLabel(marker)}`,
      advice: `Destroy that deployment first. If no state knows it any more, \`pulumi-ironic claims --stack-id ${marker.stackId}\` lists it, and \`--release\` ends both.`,
      node: node.uuid,
    });
  // Whatever passes there is not a deployment of this stack: Ironic knows.
  if (!mayBeUndeployed(node)) return true;
  warn(
    "allocation-kept",
    `Node ${nodeLabel(node)} stays deployed and keeps its allocation ${uuid}: undeploying the node ends it.`,
  );
  return false;
}

/** The node of an allocation that is shown; `undefined` where the user says that what is not shown is gone. */
async function nodeOf(uuid: string, nodeUuid: string, client: Client, services: Services, call: Call) {
  try {
    return await readNode(client, nodeUuid, "read the allocation's node", call.signal);
  } catch (error) {
    if (!isNodeGone(error)) throw error;
    if (forgetsMissing(services)) return undefined;
    throw new ProblemError({
      code: "node-hidden",
      problem: `Allocation ${uuid} was not ended: Ironic does not show its node ${nodeUuid} to this account, so it is not known what runs there${client.here ? `. ${whoAsked(client.here)}` : ""}`,
      advice: waysOut(call),
      node: nodeUuid,
      cause: error,
    });
  }
}

/** `ending.sent`: an earlier try has sent the end, and its answer was lost. */
async function tryEnding(uuid: string, ending: { sent: boolean }, services: Services, call: Call): Promise<GivenBack> {
  const { client, leftInstances } = await services.connection();
  try {
    const { node_uuid } = await readAllocation(client, uuid, call.signal);
    const node = node_uuid ? await nodeOf(uuid, node_uuid, client, services, call) : undefined;
    if (node && !mayEnd(node, uuid, call.warn)) return nothingToRelease("the machine that was handed over keeps it");
    ending.sent = true;
    await deleteAllocation(client, uuid, call.signal);
    return RELEASED;
  } catch (error) {
    if (!isAllocationGone(error) || !(ending.sent || leftInstances.has(uuid))) throw error;
    return ending.sent ? RELEASED : nothingToRelease("it has ended with its deployment");
  }
}

/** Where Ironic answers that another try makes sense, the allocation is looked at again, and ended if it is still there. */
const mayEndLater = (error: unknown, tries: Tries): error is IronicError =>
  // The client has tried to reach it. Nothing was begun that would have to be brought to its end.
  error instanceof IronicError && !isFault(error, "unreachable") && tries.allowAfter(error);

/**
 * Ends the allocation, unless a machine that was handed over runs under it: Ironic ends it with that one. One that Ironic does
 * not find, though this process has not ended it, is an error: what follows from it, the caller's state decides.
 */
export async function endAllocation(uuid: string, services: Services, call: Call): Promise<GivenBack> {
  const { clock } = services;
  const timeoutMs = call.timeoutMs ?? END_TIMEOUT_MS;
  let trouble = "";
  const late = () =>
    new ProblemError({
      code: "allocation-timeout",
      problem: `Allocation ${uuid} did not end within ${timeoutMs / 1000} s${trouble}`,
      advice: "Run the command again: it resumes.",
    });
  try {
    return await inTime(timeoutMs, late, clock, call.signal, async (signal) => {
      const pauses = pausesMs();
      const tries = countTries();
      const ending = { sent: false };
      for (;;) {
        try {
          return await tryEnding(uuid, ending, services, { ...call, signal });
        } catch (error) {
          if (!mayEndLater(error, tries)) throw error;
          trouble = afterTrouble(error);
        }
        await clock.sleep(pauses.next().value, signal);
      }
    });
  } catch (error) {
    if (call.signal.aborted)
      throw new CancelledError(
        `The run was interrupted while Ironic ends the allocation ${uuid}. The next run resumes.`,
        error,
      );
    throw error;
  }
}
