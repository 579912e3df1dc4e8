/** What happens to a node's settings when they leave the stack. */

import type { Warning } from "../core/index.ts";
import {
  awaitsCleaning,
  type ConfigMarker,
  configMarker,
  type Decision,
  deploymentMarker,
  heldByOther,
  identityOf,
  isPassing,
  mayChangeInterfaces,
  type Node,
  nodeLabel,
  type PatchOp,
  type ResourceIdentity,
  readNode,
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
import type { SettingsAttempt } from "./attempt.ts";
import {
  type Action,
  carryOut,
  isUnwritten,
  keptOf,
  otherHolderOn,
  ownAllocation,
  type State,
  stateBars,
} from "./work.ts";

/** A deployment of ours whose undeploy does not begin within this time stays. */
const STAYING_MS = 60_000;

/** What of the state is needed to restore settings. */
export type RestoredState = ResourceIdentity &
  Pick<State, "nodeUuid" | "previous" | "written" | "unsure" | "onDestroy" | "reenableAutomatedCleaning">;

/** What to put back: only what still has the value that we wrote. */
function restoration(node: Node, state: RestoredState): { changes: Fields; foreign: string[] } {
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

/** Is a deployment of ours on the node, and is it going or staying? */
function deploymentStays(
  node: Node,
  own: string | null,
  attempt: SettingsAttempt,
  now: number,
): "gone" | "going" | "stays" {
  const marker = deploymentMarker(node);
  // Without its marker, which somebody may have wiped, a deployment is still recognized by the instance_uuid.
  if (!marker && node.instance_uuid === null) return "gone";
  // Of an allocation nothing was deployed, or no longer is.
  if (!marker && node.instance_uuid === own && mayChangeInterfaces(node)) return "gone";
  if ((marker?.keep && !awaitsCleaning(node)) || (!marker && keptOf(node) === node.instance_uuid)) return "stays";
  if (isPassing(node)) return "going";
  return now - (attempt.stillSince ?? now) < STAYING_MS ? "going" : "stays";
}

/** `own`: the instance_uuid of an allocation of this stack. */
function decideRestore(
  node: Node,
  state: RestoredState,
  ours: ResourceIdentity,
  own: string | null,
  attempt: SettingsAttempt,
  now: number,
): Decision<Action> {
  if (attempt.done || isUnwritten(node, state)) return { do: "done" };
  const stranger = otherHolderOn(node, ours, own ?? keptOf(node));
  if (stranger) return heldByOther(node, stranger);
  if (!configMarker(node) && Object.keys(restoration(node, state).changes).length === 0) return { do: "done" };
  if (state.onDestroy === "keep") return { do: "act", action: "write" };
  const deployment = deploymentStays(node, own, attempt, now);
  if (deployment === "going") return wait("waiting until the deployment on the node ends");
  const { changes } = restoration(node, state);
  const bar = stateBars(node, deployment === "stays" ? [] : Object.keys(changes));
  return bar ?? { do: "act", action: "write" };
}

/** The PATCH that restores what the node allows now, and what the user should know of the rest. */
interface RestorePlan {
  patch: PatchOp[];
  warnings: Warning[];
}

function restorePlan(node: Node, state: RestoredState): RestorePlan {
  const unmark = configMarker(node) ? [removeConfigMarker] : [];
  if (state.onDestroy === "keep") return { patch: unmark, warnings: [] };
  const { changes, foreign } = restoration(node, state);
  const warnings: Warning[] =
    foreign.length > 0
      ? [
          {
            code: "settings-changed-by-others",
            text: `not restored, because somebody else changed the value: ${foreign.join(", ")}`,
          },
        ]
      : [];
  const uncleaned = awaitsCleaning(node);
  if (!uncleaned && (mayChangeInterfaces(node) || node.maintenance))
    return { patch: [...fieldsPatch(node, changes), ...unmark], warnings };
  const deployment = deploymentMarker(node);
  const stranded = deployment !== undefined && (!deployment.keep || uncleaned);
  // Whether the node is cleaned when that deployment ends is settled by automated_clean, so it has to wait as well.
  const barred = Object.keys(changes).filter((path) => isInterface(path) || (stranded && path === "automated_clean"));
  const held = Object.fromEntries(barred.map((path) => [path, changes[path] ?? null]));
  for (const path of barred) delete changes[path];
  if (barred.length === 0) return { patch: [...fieldsPatch(node, changes), ...unmark], warnings };
  const what = `${barred.join(", ")} could not be restored while the node is "${stateName(node.provision_state)}"`;
  const marker = configMarker(node);
  if (!stranded || !marker) {
    warnings.push({ code: "settings-not-restored", text: `${what}. Restore by hand when the node is available` });
    return { patch: [...fieldsPatch(node, changes), ...unmark], warnings };
  }
  // One that could not be ended, or a create that the engine forgot: what was there before stays written down for the one
  // who ends it.
  warnings.push({
    code: "settings-restore-pending",
    text: `${what} with deployment "${deployment.resourceName}". Destroying that deployment restores the rest. If no state knows it any more, \`pulumi-ironic claims --stack-id ${deployment.stackId}\` lists it, and \`--release\` ends it and restores the settings`,
  });
  const written = Object.fromEntries(barred.map((path) => [path, marker.written[path] ?? null]));
  const left: ConfigMarker = { ...marker, previous: held, written, restorePending: true };
  return { patch: [...fieldsPatch(node, changes), configMarkerPatch(left)], warnings };
}

/** A node that Ironic does not find is an error: what follows from it, the caller's state decides. */
export async function restore(state: RestoredState, services: Services, call: Call): Promise<void> {
  const ours = identityOf(state);
  const client = await services.client();
  const found = await readNode(client, state.nodeUuid, "read the node", call.signal);
  const own = await ownAllocation(client, found, ours, call.signal);
  const { node, wroteOn } = await carryOut(
    {
      node: found,
      operation: "restore the node's interfaces and settings",
      decide: (seen, attempt) => decideRestore(seen, state, ours, own, attempt, services.clock.now()),
      patch: (seen) => restorePlan(seen, state).patch,
    },
    services,
    call,
  );
  const warnings = wroteOn ? restorePlan(wroteOn, state).warnings : [];
  for (const { code, text } of warnings) call.warn(code, `Node ${nodeLabel(node)}: ${text}.`);
}
