/** Giving an allocation back. */
import {
  CancelledError,
  countTries,
  IronicError,
  inTime,
  isFault,
  isGone,
  ProblemError,
  pausesMs,
  type Tries,
} from "../core/index.ts";
import { type Client, ignored } from "../http/index.ts";
import {
  deploymentLabel,
  deploymentMarker,
  isVacant,
  mayBeUndeployed,
  type Node,
  nodeLabel,
  readNode,
  stateName,
} from "../node/index.ts";
import type { Call, Services } from "../plugin/index.ts";
import { afterTrouble, readAllocation, unlessGone } from "./request.ts";

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

async function tryEnding(client: Client, uuid: string, warn: Call["warn"], signal: AbortSignal): Promise<void> {
  const { node_uuid } = await readAllocation(client, uuid, signal);
  // A node that is gone, or not shown, has nothing of ours.
  const node = node_uuid && (await unlessGone(readNode(client, node_uuid, "read the allocation's node", signal)));
  if (node && !mayEnd(node, uuid, warn)) return;
  await client.send("DELETE", `/allocations/${uuid}`, {
    operation: `end the allocation ${uuid}`,
    signal,
    shape: ignored,
  });
}

/** Where Ironic answers that another try makes sense, the allocation is looked at again, and ended if it is still there. */
const mayEndLater = (error: unknown, tries: Tries): error is IronicError =>
  // The client has tried to reach it. Nothing was begun that would have to be brought to its end.
  error instanceof IronicError && !isFault(error, "unreachable") && tries.allowAfter(error);

/** Ends the allocation, unless a machine that was handed over runs under it: Ironic ends it with that one. */
export async function endAllocation(uuid: string, services: Services, call: Call): Promise<void> {
  const client = await services.client();
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
    await inTime(timeoutMs, late, clock, call.signal, async (signal) => {
      const pauses = pausesMs();
      const tries = countTries();
      for (;;) {
        try {
          return await tryEnding(client, uuid, call.warn, signal);
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
    if (!isGone(error)) throw error;
  }
}
