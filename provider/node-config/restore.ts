/** What happens to a node's settings when they leave the stack. */

import { isNodeGone } from "../core/index.ts";
import {
  type ConfigMarker,
  configMarker,
  type Decision,
  deploymentMarker,
  heldByOther,
  isRecovering,
  type Node,
  nodeLabel,
  type PatchOp,
  readNode,
  stateFacts,
  stateName,
  wait,
} from "../node/index.ts";
import type { Call, Services } from "../plugin/index.ts";
import {
  configMarkerPatch,
  type Fields,
  fieldsPatch,
  isInterface,
  readField,
  removeConfigMarker,
  sameValue,
} from "./args.ts";
import {
  type Action,
  carryOut,
  isUnwritten,
  keptOf,
  type Mind,
  type Owned,
  ownAllocation,
  type State,
  stateBars,
  strangerOn,
} from "./work.ts";

/** A deployment of ours that does not begin to go within this time is there to stay. */
const STAYING_MS = 60_000;

/** What to put back: only what still has the value that we wrote. */
function restoration(node: Node, state: State): { changes: Fields; foreign: string[] } {
  const marker = configMarker(node);
  const written = marker?.written ?? state.written;
  const previous = { ...(marker?.previous ?? state.previous) };
  if (state.reenableAutomatedCleaning === true) previous.automated_clean = true;
  if (state.reenableAutomatedCleaning === false) previous.automated_clean = written.automated_clean ?? null;
  const changes: Fields = {};
  const foreign: string[] = [];
  for (const [path, value] of Object.entries(written)) {
    const now = readField(node, path);
    const before = previous[path] ?? null;
    if (sameValue(now, before)) continue;
    if (sameValue(now, value)) changes[path] = before;
    else foreign.push(path);
  }
  return { changes, foreign };
}

/** Its deployment is gone, but is not yet cleaned away. */
const isUncleaned = (node: Node): boolean =>
  deploymentMarker(node) !== undefined &&
  (stateFacts(node.provision_state)?.release === "recover" ||
    (node.provision_state === "manageable" && isRecovering(node)));

/** Is a deployment of ours on the node, and is it going or staying? */
function deploymentStays(node: Node, own: string | null, mind: Mind, now: number): "gone" | "going" | "stays" {
  const marker = deploymentMarker(node);
  // Without its marker, which somebody may have wiped, a deployment is still told by the instance_uuid.
  if (!marker && node.instance_uuid === null) return "gone";
  // Of an allocation nothing was deployed, or no longer is.
  if (!marker && node.instance_uuid === own && stateFacts(node.provision_state)?.interfaces) return "gone";
  if ((marker?.keep && !isUncleaned(node)) || (!marker && keptOf(node) === node.instance_uuid)) return "stays";
  if (stateFacts(node.provision_state)?.kind === "moving") {
    delete mind.stillSince;
    return "going";
  }
  mind.stillSince ??= now;
  return now - mind.stillSince < STAYING_MS ? "going" : "stays";
}

/** `own`: the instance_uuid of an allocation of this stack. */
function decideRestore(
  node: Node,
  state: State,
  ours: Owned,
  own: string | null,
  mind: Mind,
  now: number,
): Decision<Action> {
  if (mind.done || isUnwritten(node, state)) return { do: "done" };
  const who = strangerOn(node, ours, own ?? keptOf(node));
  if (who) return heldByOther(node, who);
  if (!configMarker(node) && Object.keys(restoration(node, state).changes).length === 0) return { do: "done" };
  if (state.onDestroy === "keep") return { do: "act", action: "write" };
  const deployment = deploymentStays(node, own, mind, now);
  if (deployment === "going") return wait("the deployment on the node ends first");
  const { changes } = restoration(node, state);
  const bar = stateBars(node, deployment === "stays" ? [] : Object.keys(changes));
  return bar ?? { do: "act", action: "write" };
}

function restoreOperations(node: Node, state: State, mind: Mind): PatchOp[] {
  const unmark = configMarker(node) ? [removeConfigMarker] : [];
  if (state.onDestroy === "keep") return unmark;
  const { changes, foreign } = restoration(node, state);
  if (foreign.length > 0)
    mind.warnings.push(`${foreign.join(", ")} had been changed by somebody else since, and were left as they are`);
  const uncleaned = isUncleaned(node);
  if (!uncleaned && (stateFacts(node.provision_state)?.interfaces || node.maintenance))
    return [...fieldsPatch(node, changes), ...unmark];
  const deployment = deploymentMarker(node);
  const stranded = deployment !== undefined && (!deployment.keep || uncleaned);
  // Whether the node is cleaned when that deployment ends is settled by automated_clean, so it has to wait as well.
  const barred = Object.keys(changes).filter((path) => isInterface(path) || (stranded && path === "automated_clean"));
  const held = Object.fromEntries(barred.map((path) => [path, changes[path] ?? null]));
  for (const path of barred) delete changes[path];
  if (barred.length === 0) return [...fieldsPatch(node, changes), ...unmark];
  const what = `${barred.join(", ")} could not be restored while the node is "${stateName(node.provision_state)}"`;
  const marker = configMarker(node);
  if (!stranded || !marker) {
    mind.warnings.push(`${what}; set them when it is available`);
    return [...fieldsPatch(node, changes), ...unmark];
  }
  // One that could not be ended, or a create that the engine forgot: what was there before stays written down for the one
  // who ends it.
  mind.warnings.push(
    `${what} with deployment "${deployment.resource}"; they will be when that one is destroyed. If no state knows it any more, \`pulumi-ironic claims --owner ${deployment.owner}\` lists it, and its --release ends it and then restores them`,
  );
  const written = Object.fromEntries(barred.map((path) => [path, marker.written[path] ?? null]));
  const left: ConfigMarker = { ...marker, previous: held, written, left: true };
  return [...fieldsPatch(node, changes), configMarkerPatch(left)];
}

export async function restore(state: State, services: Services, call: Call): Promise<void> {
  const ours = { owner: state.owner, resource: state.resourceName };
  try {
    const client = await services.client();
    const found = await readNode(client, state.nodeUuid, "read the node", call.signal);
    const own = await ownAllocation(client, found, ours, call.signal);
    const { node, mind } = await carryOut(
      {
        node: found,
        what: "restore the node's interfaces and settings",
        decide: (seen, memory) => decideRestore(seen, state, ours, own, memory, services.clock.now()),
        operations: (seen, memory) => restoreOperations(seen, state, memory),
      },
      services,
      call,
    );
    for (const warning of mind.warnings) call.warn(`Node ${nodeLabel(node)}: ${warning}.`);
  } catch (error) {
    if (!isNodeGone(error)) throw error;
  }
}
