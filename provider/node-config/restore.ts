/** What happens to a node's settings when they leave the stack. */

import type { Warning } from "../core/index.ts";
import {
  type ConfigMarker,
  configMarker,
  type Decision,
  deploymentMarker,
  type GivenBack,
  heldByOther,
  identityOf,
  isPassing,
  leftThere,
  markOf,
  mayChangeInterfaces,
  type Node,
  nodeLabel,
  nothingToRelease,
  type PatchOp,
  RELEASED,
  type ResourceIdentity,
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
import { commandsFor } from "./hand-commands.ts";
import { otherHolderOn, type Standing, standingOn, type Witness, witnessFor } from "./holders.ts";
import { knownSettings, NOTHING_KNOWN, type SettingsRecord, warnOfDoubtful } from "./known-settings.ts";
import { type Action, carryOut, isUnwritten, type State, stateBars } from "./work.ts";

/** A deployment of ours whose undeploy does not begin within this time stays. */
const STAYING_MS = 60_000;

/** What of the state is needed to restore settings. */
export type RestoredState = ResourceIdentity &
  Pick<State, "nodeUuid" | "previous" | "written" | "unsure" | "onDestroy" | "reenableAutomatedCleaning">;

interface Restoration {
  /** What to put back: only what still has the value that we wrote. */
  changes: Fields;
  /** What somebody else has changed since. */
  foreign: string[];
  /** What a mark alone wants to be put back. */
  doubtful: Fields;
  written: Fields;
}

function restoration(node: Node, state: RestoredState): Restoration {
  const { reenableAutomatedCleaning: reenable } = state;
  const record = reenable === true ? { ...state, previous: { ...state.previous, automated_clean: true } } : state;
  const { previous, written, doubtful } = knownSettings(node, configMarker(node), record);
  if (reenable === false) {
    previous.automated_clean = written.automated_clean ?? null;
    delete doubtful.automated_clean;
  }
  const changes: Fields = {};
  const foreign: string[] = [];
  for (const [path, value] of Object.entries(written)) {
    const now = readField(node, path);
    const before = previous[path] ?? null;
    if (path in doubtful || sameValue(now, before)) continue;
    if (sameValue(now, value)) changes[path] = before;
    else foreign.push(path);
  }
  return { changes, foreign, doubtful, written };
}

/** Will the deployment on the node be gone, or handed over, in a moment? */
const isLeaving = (node: Node, standing: Standing, attempt: SettingsAttempt, now: number): boolean =>
  standing === "stands" && (isPassing(node) || now - (attempt.stillSince ?? now) < STAYING_MS);

function decideRestore(
  node: Node,
  state: RestoredState,
  witness: Witness,
  attempt: SettingsAttempt,
  now: number,
): Decision<Action> {
  if (attempt.done || isUnwritten(node, state)) return { do: "done" };
  const stranger = otherHolderOn(node, state, witness);
  if (stranger) return heldByOther(node, stranger);
  const { changes } = restoration(node, state);
  if (!configMarker(node) && Object.keys(changes).length === 0) return { do: "done" };
  if (state.onDestroy === "keep") return { do: "act", action: "write" };
  const standing = standingOn(node, witness);
  if (isLeaving(node, standing, attempt, now)) return wait("waiting until the deployment on the node ends");
  return stateBars(node, standing === "none" ? Object.keys(changes) : []) ?? { do: "act", action: "write" };
}

/** Whether, and with what, the node is cleaned when the deployment on it ends. */
const decidesCleaning = (path: string): boolean => isInterface(path) || path === "automated_clean";

/** What is not restored while a deployment stands there, also not in maintenance: its end must find what its owner chose. */
const BARRED: Readonly<Record<Standing, (path: string, node: Node) => boolean>> = {
  none: () => false,
  stands: decidesCleaning,
  handedOver: (path, node) => isInterface(path) && !mayChangeInterfaces(node) && !node.maintenance,
  saidToBeHandedOver: decidesCleaning,
};

/** The PATCH that restores what the node allows now, and what the user should know of the rest. */
interface RestorePlan {
  patch: PatchOp[];
  warnings: Warning[];
  doubtful: Fields;
  /** What waits on the node for the end of the deployment there. */
  pending: SettingsRecord | undefined;
}

const keyOf = ({ nodeUuid, resourceId }: Pick<RestoredState, "nodeUuid" | "resourceId">): string =>
  `${nodeUuid} ${resourceId}`;

const pendingWarning = (node: Node, what: string, stackId: string): Warning => {
  const deployment = deploymentMarker(node);
  const label = deployment ? `deployment "${deployment.resourceName}"` : `instance ${node.instance_uuid} of this stack`;
  return {
    code: "settings-restore-pending",
    text: `${what} with ${label}. Destroying that deployment restores the rest. If no state knows it any more, \`pulumi-ironic claims --stack-id ${stackId}\` lists it, and \`--release\` ends it and restores the settings`,
  };
};

function restorePlan(node: Node, state: RestoredState, witness: Witness): RestorePlan {
  const marked = configMarker(node);
  const unmark = marked ? [removeConfigMarker] : [];
  if (state.onDestroy === "keep") return { patch: unmark, warnings: [], doubtful: {}, pending: undefined };
  const { changes, foreign, doubtful, written } = restoration(node, state);
  const warnings: Warning[] = [];
  if (foreign.length > 0)
    warnings.push({
      code: "settings-changed-by-others",
      text: `not restored, because somebody else changed the value: ${foreign.join(", ")}`,
    });
  const standing = standingOn(node, witness);
  const isBarred = (path: string): boolean => BARRED[standing](path, node);
  const barred = Object.keys(changes).filter(isBarred);
  const held = Object.fromEntries(barred.map((path) => [path, changes[path] ?? null]));
  const restored = fieldsPatch(node, Object.fromEntries(Object.entries(changes).filter(([path]) => !isBarred(path))));
  if (barred.length === 0) return { patch: [...restored, ...unmark], warnings, doubtful, pending: undefined };
  const what = `${barred.join(", ")} could not be restored while the node is "${stateName(node.provision_state)}"`;
  if (standing !== "stands") {
    const advice = `Restore by hand when the node is available: ${commandsFor(node, held)}`;
    warnings.push({ code: "settings-not-restored", text: `${what}. ${advice}` });
    return { patch: [...restored, ...unmark], warnings, doubtful, pending: undefined };
  }
  // One that could not be ended, or a create that the engine forgot: what was there before is written down, as the state knew
  // it, for the one who ends it.
  warnings.push(pendingWarning(node, what, state.stackId));
  const pending = { previous: held, written: Object.fromEntries(barred.map((path) => [path, written[path] ?? null])) };
  const left: ConfigMarker = { ...(marked ?? markOf(state)), ...pending, restorePending: true };
  return { patch: [...restored, configMarkerPatch(left)], warnings, doubtful, pending };
}

/** A node that Ironic does not find is an error: what follows from it, the caller's state decides. */
async function restoreOn(state: RestoredState, inState: boolean, services: Services, call: Call): Promise<GivenBack> {
  const ours = identityOf(state);
  const { readings } = await services.connection();
  const found = await readings.read(state.nodeUuid, "read the node", call.signal);
  const witness = await witnessFor(found, ours, inState, services, call);
  let plan: RestorePlan | undefined;
  const node = await carryOut(
    {
      node: found,
      operation: "restore the node's interfaces and settings",
      decide: (seen, attempt) => decideRestore(seen, state, witness, attempt, services.clock.now()),
      patch: (seen) => {
        plan = restorePlan(seen, state, witness);
        return plan.patch;
      },
    },
    services,
    call,
  );
  if (!plan) return nothingToRelease("nothing of these settings is on the node");
  const { warnings, doubtful, pending } = plan;
  for (const { code, text } of warnings) call.warn(code, `Node ${nodeLabel(node)}: ${text}.`);
  warnOfDoubtful(node, doubtful, call.warn);
  if (!pending) return RELEASED;
  services.run.settingsLeft.set(keyOf(state), pending);
  return leftThere("settings-restore-pending", "the settings wait until the deployment on the node ends");
}

/** Settings that are in the state. */
export const restore = (state: RestoredState, services: Services, call: Call): Promise<GivenBack> =>
  restoreOn(state, true, services, call);

/** Settings that no state knows any more: unless this run has met it, what is restored is what a mark may bring back. */
export const restoreByMark = (
  settings: ResourceIdentity & Pick<State, "nodeUuid">,
  services: Services,
  call: Call,
): Promise<GivenBack> =>
  restoreOn(
    { ...settings, ...(services.run.settingsLeft.get(keyOf(settings)) ?? NOTHING_KNOWN) },
    false,
    services,
    call,
  );
