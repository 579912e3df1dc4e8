/**
 * Another stack's settings may be on their way to a node while it is claimed. Ironic lets one after the other in: who then
 * finds the other there takes back what it wrote, or each would be in the other's way for ever.
 */
import {
  BOOT_KEYS,
  type Claim,
  DEPLOYMENT_MARKER,
  type Decision,
  deploymentMarker,
  heldMeanwhile,
  holderOf,
  isPassing,
  isTaken,
  isVacant,
  markerPatch,
  mayBePatched,
  type Node,
  type PatchOp,
  pointer,
  reconcile,
  stateName,
  unclaimPatch,
  wait,
} from "../node/index.ts";
import type { ConnectionContext } from "../run/index.ts";
import type { Attempt } from "./attempt.ts";
import type { Loop } from "./power.ts";
import type { DeployWant } from "./want.ts";

/** What makes `seen` as it was in `before`, of what the claim wrote. One that a run which was killed had written goes. */
function takenBack(seen: Node, before: Node, { claim, info }: Pick<DeployWant, "claim" | "info">): PatchOp[] {
  if (isTaken(before, claim)) return isVacant(seen) && isTaken(seen, claim) ? unclaimPatch(seen, claim) : [];
  const ops: PatchOp[] = [];
  const wanted: Readonly<Record<string, string | undefined>> = info;
  const isOurs = deploymentMarker(seen)?.instanceUuid === claim.instanceUuid;
  if (seen.instance_uuid === claim.instanceUuid && before.instance_uuid === null)
    ops.push({ op: "remove", path: "/instance_uuid" });
  if (!isOurs) return ops;
  for (const key of BOOT_KEYS) {
    const path = pointer("instance_info", key);
    const was = before.instance_info[key];
    if (seen.instance_info[key] !== wanted[key] || was === wanted[key]) continue;
    ops.push(was === undefined ? { op: "remove", path } : { op: "add", path, value: was });
  }
  const stood = before.extra[DEPLOYMENT_MARKER];
  if (stood === undefined) return [...ops, ...markerPatch(undefined)];
  return ops;
}

const gaveWay = (node: Node, claim: Claim): Decision<never> | undefined => {
  const holder = holderOf(node, claim);
  return holder.kind === "other" ? heldMeanwhile(node, holder, "the claim was taken back") : undefined;
};

/** Did others come while this run, which has started nothing, or one that was killed claimed the node as a new one? */
export const hasCollided = (seen: Node, before: Node, want: DeployWant, attempt: Attempt): boolean =>
  attempt.startsSent === 0 && holderOf(seen, want.claim).kind === "other" && takenBack(seen, before, want).length > 0;

/** Takes the claim back, and fails with who holds the node. Resolves where nobody else is there any more. */
export async function giveWay(
  seen: Node,
  before: Node,
  want: DeployWant,
  { readings, patches }: ConnectionContext,
  loop: Loop,
): Promise<void> {
  let unused = true;
  await reconcile<"backOut">({
    ...loop,
    machine: {
      async observe(how, signal) {
        if (how === "next") await loop.clock.sleep(1_000, signal);
        const node = unused ? seen : await readings.read(seen.uuid, "read the node", signal);
        unused = false;
        return { node, fresh: true };
      },
      act: (_action, node, signal) =>
        patches.patch(node.uuid, takenBack(node, before, want), "take back the claim", signal),
    },
    labels: { backOut: "taking back the claim" },
    decide: (node) => {
      if (takenBack(node, before, want).length === 0) return gaveWay(node, want.claim) ?? { do: "done" };
      if (isPassing(node)) return wait(stateName(node.provision_state));
      return mayBePatched(node) ? { do: "act", action: "backOut" } : (gaveWay(node, want.claim) ?? { do: "done" });
    },
  });
}
