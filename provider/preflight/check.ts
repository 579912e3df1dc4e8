/** What is judged from what Ironic shows of the nodes that a program is about to use. */

import type { EnabledInterfaces, NodeInventory, SurveyedNode } from "../node/index.ts";
import type { Call, Services } from "../plugin/index.ts";
import { hasUnknown } from "../schema/index.ts";
import { type PreflightIssue, reachable, rejected, warnUnchecked } from "./issues.ts";

/** The same run may have changed what was read earlier: nothing is refused because of older facts. */
const FRESH_MS = 3_000;

/** What `judge` makes of what Ironic shows. Where it shows nothing the user is told, and the run goes on. */
export async function checkedAgainst(
  node: string,
  services: Services,
  call: Call,
  judge: (facts: NodeInventory) => Promise<PreflightIssue[]>,
): Promise<PreflightIssue[]> {
  if (hasUnknown(node)) return [];
  const inventory = (await reachable(services, call))?.inventory;
  if (!inventory) return [];
  const judgeSince = async (sinceMs: number): Promise<{ atMs: number; found: PreflightIssue[] }> => {
    const { atMs, facts } = inventory.read(sinceMs, call.signal);
    const known = await facts;
    if (!(known instanceof Error)) return { atMs, found: await judge(known) };
    warnUnchecked(known, services, call);
    return { atMs, found: [] };
  };
  const freshSinceMs = services.clock.now() - FRESH_MS;
  const { atMs, found } = await judgeSince(Number.NEGATIVE_INFINITY);
  const isStale = atMs < freshSinceMs && found.some(({ rejected }) => rejected);
  return isStale ? (await judgeSince(freshSinceMs)).found : found;
}

export const NO_SUCH_NODE = rejected(
  "node-not-found",
  "node",
  "there is no such node in this Ironic, or this account cannot see it",
);

/** What exists is found by its marker: its node may have been renamed since, and its name given to another node. */
export function nodeOf(
  { node, stackId, resourceId }: { node: string; stackId: string; resourceId: string },
  { nodes }: NodeInventory,
  isSpelledAsBefore: boolean,
  markerOf: (node: SurveyedNode) => { stackId: string; resourceId: string } | undefined,
): SurveyedNode | undefined {
  const isOwn = (candidate: SurveyedNode) => {
    const marker = markerOf(candidate);
    return marker?.stackId === stackId && marker.resourceId === resourceId;
  };
  const named = nodes.get(node);
  if (!isSpelledAsBefore || (named && isOwn(named))) return named;
  return [...nodes.values()].find(isOwn) ?? named;
}

export function whyNotEnabled(
  { driver }: SurveyedNode,
  enabled: EnabledInterfaces | undefined,
  kind: "boot" | "deploy",
  name: string | undefined,
): string | undefined {
  const list = enabled?.[`enabled_${kind}_interfaces`];
  return name !== undefined && list && !list.includes(name)
    ? `the ${kind} interface ${name} is not enabled for its driver ${driver}; enabled are ${list.join(", ")}`
    : undefined;
}
