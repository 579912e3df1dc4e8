/** Deployments by others while this stack has the claim. */
import { inTime, isFault } from "../core/index.ts";
import { hidesBoots, holderOf, isRunning, type Node, nodeLabel, startSince } from "../node/index.ts";
import type { Call, Services } from "../plugin/index.ts";
import { claimFrom, type State } from "./state.ts";

/** A hint is not waited for longer. */
const HISTORY_MS = 10_000;

/**
 * Somebody else restarted what this stack had deployed. That is no drift: another restart would end what runs since. But
 * Ironic hides the config drive and whatever looks like a secret, so that a person has to know.
 */
export async function warnOfRestart(
  node: Node,
  state: State,
  leftMs: number,
  services: Services,
  call: Call,
): Promise<void> {
  if (!isRunning(node) || !state.deployedAt || node.provision_updated_at === state.deployedAt) return;
  const holder = holderOf(node, claimFrom(state));
  // Another preparation than that of the last known start is this stack's own, by a run that was cut off.
  if (holder.kind !== "ours" || !holder.marker || holder.marker.preparedAt !== state.started?.preparedAt) return;
  const client = await services.client();
  // Only a hint: if the history cannot be read, the run continues.
  const late = new Error("the history took too long");
  const since = state.deployedAt;
  const recalled = await inTime(
    Math.min(HISTORY_MS, leftMs),
    () => late,
    services.clock,
    call.signal,
    (signal) => startSince(client, node.uuid, since, signal),
  ).catch((error: unknown) => {
    if (error === late || isFault(error)) return "silent";
    throw error;
  });
  if (recalled !== "start") return;
  const hidden = [
    ...(state.driveHash === undefined ? [] : ["its config drive"]),
    ...(hidesBoots(node) ? ["what is masked in its instance_info"] : []),
  ].join(" and ");
  call.warn(
    "redeployed-by-others",
    `Node ${nodeLabel(node)} was deployed again, but not by this stack. It has been active since ${node.provision_updated_at}.${
      hidden && ` Ironic does not show whether ${hidden} is still the one of this stack.`
    } \`pulumi up --replace\` with this resource's URN deploys it again.`,
  );
}
