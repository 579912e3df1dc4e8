/** What to do next with a node that a deployment gives back. Pure, as decision.ts, whose counterpart it is. */
import {
  DEPLOYMENT_MARKER,
  type Decision as DecisionOf,
  type DeploymentMarker,
  fail,
  failed,
  hasUndeployFailed,
  holderToRelease,
  inMaintenance,
  isAllocated,
  isOthersMaintenance,
  isProtectedBy,
  isVacant,
  mayBePatched,
  mayBeUndeployed,
  type Node,
  nextCleanRetry,
  nodeLabel,
  type StateRow,
  stateAdvice,
  stateName,
  stateRow,
  unknownState,
  wait,
} from "../node/index.ts";
import type { ActionName, Attempt } from "./attempt.ts";
import { act, othersProtection } from "./decision.ts";
import type { ReleaseWant } from "./want.ts";

type Decision = DecisionOf<ActionName>;

interface ReleaseContext {
  node: Node;
  want: ReleaseWant;
  attempt: Attempt;
  /** Our instance_uuid is on the node. */
  instance: boolean;
  marker: DeploymentMarker | undefined;
}

/** Without a state a marker counts only beside the instance UUID, which an undeployment of this run takes off. */
const isDoubtful = ({ knownBy }: ReleaseWant, { undeploys }: Attempt, held: "free" | "ours" | "marked"): boolean =>
  held !== "free" && (knownBy === "marker" || (knownBy === "instance" && held === "marked" && undeploys === 0));

const unconfirmed = (node: Node): Decision =>
  fail(
    "claim-unconfirmed",
    `Only the mark on node ${nodeLabel(node)}, which many may write, says that a deployment of this stack is there: ${
      node.instance_uuid
        ? "the instance_uuid does not follow from stack, resource and node, as after `adopt`"
        : "instance_uuid is not set"
    }. Nothing was written`,
    `See what the node runs. If that is this stack's, run the command again with \`--node ${node.name ?? node.uuid}\`. If not: \`baremetal node unset ${node.name ?? node.uuid} --extra ${DEPLOYMENT_MARKER}\``,
  );

/** By default Ironic cleans also in maintenance (`allow_provisioning_in_maintenance`), and cleaning boots the machine. */
const cleansInMaintenance = (node: Node): Decision =>
  inMaintenance(
    node,
    ", and undeploying it would clean it, for which Ironic boots it. Nothing was done",
    `, then \`pulumi destroy\` again. To give it back now, without a cleaning: first \`baremetal node set ${node.name ?? node.uuid} --no-automated-clean\``,
  );

/** Nothing runs there: a failed cleaning of ours is repeated, then the claim goes. What an operator makes of the node is left. */
function giveBack({ node, want, attempt, instance, marker }: ReleaseContext): Decision {
  const isOurs = want.knownBy === "state" || want.knownBy === "command line" || attempt.undeploys > 0;
  const retry = isOurs ? nextCleanRetry(node, attempt.cleanRetries) : undefined;
  if (retry) return retry;
  return (instance && !isAllocated(node, want.claim)) || marker ? act("unclaim") : { do: "done" };
}

const RELEASE_RULES: Readonly<Record<StateRow["release"], (context: ReleaseContext) => Decision>> = {
  undeploy: ({ node, want, attempt, instance }) => {
    // Tearing down clears instance_uuid even when it fails, so `error` without one is our own half-done undeploy.
    if (!instance && !hasUndeployFailed(node) && want.knownBy !== "command line")
      return fail(
        "instance-uuid-missing",
        `Node ${nodeLabel(node)} is "${stateName(node.provision_state)}", but its instance_uuid was removed, so it is not known whose machine this is`,
        `Nothing was written. If it belongs to this stack: \`baremetal node set ${node.uuid} --instance-uuid ${want.claim.instanceUuid}\`, then \`pulumi destroy\` again. If not: \`pulumi state delete\` removes the resource from the state`,
      );
    if (isOthersMaintenance(node) && node.automated_clean !== false) return cleansInMaintenance(node);
    if (isProtectedBy(node, want.claim)) return act("unprotect");
    if (node.protected) return othersProtection(node, "it cannot be undeployed");
    if (attempt.undeploys >= 2)
      return failed("undeploy-failed", `The undeploy of node ${nodeLabel(node)} failed`, stateAdvice(node));
    return act("undeploy");
  },
  unclaim: giveBack,
  wait: ({ node }) => wait(stateName(node.provision_state)),
  retryCleaning: giveBack,
  refuse: ({ node }) =>
    fail(
      "node-state-unsuitable",
      `Node ${nodeLabel(node)} cannot be released from the state "${stateName(node.provision_state)}"`,
      stateAdvice(node),
    ),
};

/**
 * Only a marker says that others hold the node: its instance_uuid is still this deployment's, and what runs there would be
 * forgotten. More people may write markers than an instance_uuid.
 */
const heldByMarkAlone = (node: Node, who: string): Decision =>
  fail(
    "node-held",
    `The markers of node ${nodeLabel(node)} say that it is held by ${who}, but its instance_uuid is this deployment's`,
    `Nothing was written. If the machine belongs to this stack, remove the foreign marker (\`baremetal node unset ${node.uuid} --extra KEY\`) and run \`pulumi destroy\` again. If not: \`pulumi state delete\` removes the resource from the state`,
  );

export function decideRelease(node: Node, want: ReleaseWant, attempt: Attempt): Decision {
  const holder = holderToRelease(node, want.claim, attempt.touched);
  if (holder.kind === "other" && node.instance_uuid === want.claim.instanceUuid && !isVacant(node))
    return heldByMarkAlone(node, holder.who);
  if (holder.kind === "other")
    return {
      do: "done",
      warning: {
        code: "claim-gone",
        text: `is held by ${holder.who}. What this stack had there is gone, and nothing was written`,
      },
    };
  const marker = holder.kind === "free" ? undefined : holder.marker;
  const instance = holder.kind === "ours";
  if (isDoubtful(want, attempt, holder.kind)) return unconfirmed(node);
  const undeploying = marker !== undefined || attempt.undeploys > 0;
  if (want.keep && !marker) return { do: "done" };
  const facts = stateRow(node.provision_state);
  if (!facts) return unknownState(node);
  // Ironic takes no PATCH while it is at work on the node.
  // What never ran is not kept.
  if (want.keep && !isVacant(node)) return mayBePatched(node) ? act("unmark") : wait(stateName(node.provision_state));
  // Neither sign of ours and nothing running: it was given back already. On a running machine that is not certain.
  if (!instance && !undeploying && (!mayBeUndeployed(node) || hasUndeployFailed(node))) return { do: "done" };
  return RELEASE_RULES[facts.release]({ node, want, attempt, instance, marker });
}
