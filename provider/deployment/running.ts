/**
 * What a node of ours runs, as far as it can be known: by its marker, by the state, by what this run did, and by what Ironic
 * remembers. Pure, like the decisions that are made from it.
 */
import { type DeploymentMarker, type InstanceInfo, infoMatches, type Node } from "../node/index.ts";
import type { Attempt } from "./attempt.ts";
import type { DeployWant } from "./want.ts";

/** Is there a config drive on the node exactly if one is wanted? Which one it is, the marker says. */
const hasDriveAsWanted = (node: Node, want: DeployWant): boolean =>
  "configdrive" in node.instance_info === (want.driveHash !== undefined);

/** Is the marker that of what is wanted? Not all say what was booted. */
const describesWanted = (marker: DeploymentMarker, want: DeployWant): boolean =>
  marker.driveHash === want.driveHash && (marker.bootHash === undefined || marker.bootHash === want.bootHash);

/** Does all that is written say what is wanted: the marker or, where somebody wiped it, the state? */
export function isWritten(
  node: Node,
  want: DeployWant,
  attempt: Attempt,
  marker: DeploymentMarker | undefined,
): boolean {
  const isKnown = marker ? describesWanted(marker, want) : want.last !== undefined || attempt.started;
  // How a machine that was adopted got its drive is not known.
  return isKnown && (hasDriveAsWanted(node, want) || marker?.preparedAt === "adopted") && infoMatches(node, want.info);
}

/**
 * Did a run prepare something else that was never begun, so that the machine still runs what is wanted? Only then: what
 * others change in `instance_info` may reach a machine that they boot themselves.
 */
export const stillRunsWanted = (node: Node, want: DeployWant, marker: DeploymentMarker | undefined): boolean =>
  want.last !== undefined &&
  marker?.runningBootHash === want.last.bootHash &&
  marker.preparedAt === node.provision_updated_at &&
  want.last.at === node.provision_updated_at &&
  !describesWanted(marker, want) &&
  hasDriveAsWanted(node, want);

/**
 * Was what is written started? `undefined` where only Ironic's history knows. `provision_updated_at` alone does not tell:
 * a rescue moves it as well. Ironic on MySQL keeps whole seconds in it, so what was begun in this run may have the same
 * time as its marker.
 */
export function wasStarted(
  node: Node,
  { last }: DeployWant,
  attempt: Attempt,
  marker: DeploymentMarker | undefined,
): boolean | undefined {
  const { started, history } = attempt;
  if (started) return true;
  if (marker?.preparedAt === node.provision_updated_at || isUnsent(attempt)) return false;
  if (last && (marker ? marker.preparedAt === last.preparedAt : node.provision_updated_at === last.at)) return true;
  if (history === "unasked") return undefined;
  // Without a marker it is the state that is asked about, and what was started since is something else.
  return history === "silent" || (history === "start") === (marker !== undefined);
}

/** What this run prepared is surely not begun, whatever moved: Ironic without a free worker passes through `deploying`, too. */
const isUnsent = ({ prepared, startsSent }: Attempt): boolean => prepared && startsSent === 0;

/** Is everything written that the next PUT needs, and has that PUT not happened? */
export function isPrepared(
  node: Node,
  want: DeployWant,
  attempt: Attempt,
  marker: DeploymentMarker | undefined,
  info: InstanceInfo,
): boolean {
  return (
    marker !== undefined &&
    describesWanted(marker, want) &&
    (marker.preparedAt === node.provision_updated_at || isUnsent(attempt)) &&
    // A rebuild without a drive would go on with the one that stands there.
    (hasDriveAsWanted(node, want) || want.driveHash !== undefined) &&
    infoMatches(node, info)
  );
}
