/**
 * What to do next with a node, decided from one observation of it. Pure: no clock, no network.
 * The columns `deploy` and `release` of the state table choose the rule; the rules look at whose the node is.
 */

import {
  DEPLOYMENT_MARKER,
  type Decision as DecisionOf,
  type DeploymentMarker,
  deploymentMarker,
  fail,
  failed,
  hasFailed,
  hasUndeployFailed,
  heldByOther,
  holderOf,
  holderToRelease,
  type InstanceInfo,
  infoDifferences,
  inMaintenance,
  isAllocated,
  isOthersMaintenance,
  isProtectedBy,
  isRunning,
  isSettled,
  isVacant,
  mayBePatched,
  mayBeUndeployed,
  type Node,
  nextCleanRetry,
  nodeLabel,
  type StateRow,
  type SurveyedNode,
  stateAdvice,
  stateName,
  stateRow,
  unknownState,
  wait,
} from "../node/index.ts";
import { type ActionName, type Attempt, infoFor } from "./attempt.ts";
import { isPrepared, isWritten, stillRunsWanted, wasStarted } from "./running.ts";
import type { DeployWant, ReleaseWant } from "./want.ts";

type Decision = DecisionOf<ActionName>;

const act = (action: ActionName): Decision => ({ do: "act", action });
interface DeployContext {
  node: Node;
  want: DeployWant;
  attempt: Attempt;
  info: InstanceInfo;
  holder: Exclude<ReturnType<typeof holderOf>, { kind: "other" }>;
}

/** A deployment without instance_uuid is never taken over by itself, even if it looks like this stack's own. */
const nobodys = ({ node, want, holder }: DeployContext, otherwise: string): Decision =>
  fail(
    "instance-uuid-missing",
    `Node ${nodeLabel(node)} is "${stateName(node.provision_state)}", but has no instance_uuid, so it is not known whose deployment this is`,
    holder.kind === "marked"
      ? `Somebody removed it. If the machine belongs to this stack: \`baremetal node set ${node.uuid} --instance-uuid ${want.claim.instanceUuid}\``
      : otherwise,
  );

const retired = (node: Node): Decision =>
  fail(
    "node-retired",
    `Node ${nodeLabel(node)} is retired`,
    "Ironic does not deploy retired nodes; choose another node",
  );

const DEPLOY_RULES: Readonly<Record<StateRow["deploy"], (context: DeployContext) => Decision>> = {
  begin: ({ node, want, attempt, info, holder }) => {
    if (node.maintenance) return inMaintenance(node);
    if (attempt.started)
      return fail(
        "node-changed-by-others",
        `Node ${nodeLabel(node)} was undeployed by somebody else while it was being deployed`,
        "Find out by whom, then run `pulumi up` again",
      );
    if (node.retired) return retired(node);
    if (holder.kind !== "ours" || !isPrepared(node, want, attempt, holder.marker, info)) return act("claim");
    return act(attempt.validated ? "deploy" : "validate");
  },
  compare: (context) => {
    const { node, want, attempt, holder } = context;
    if (holder.kind !== "ours")
      return nobodys(context, "If this stack should take it over, set `adopt`; otherwise undeploy the node first");
    if (stillRunsWanted(node, want, holder.marker)) return act("writeBack");
    if (!isWritten(node, want, attempt, holder.marker))
      return attempt.started ? cameBackDifferent(node, want) : update(context);
    const started = wasStarted(node, want, attempt, holder.marker);
    if (started === undefined) return act("askHistory");
    if (!started) return update(context);
    return holder.marker ? finish(context) : act("writeBack");
  },
  wait: ({ node }) => wait(stateName(node.provision_state)),
  retry: (context) => {
    const { node, want, attempt, info, holder } = context;
    if (holder.kind !== "ours")
      return nobodys(context, `If nobody needs it: \`baremetal node undeploy ${node.uuid}\`, then \`pulumi up\``);
    const prepared = isPrepared(node, want, attempt, holder.marker, info);
    if (attempt.started || (!prepared && attempt.prepared))
      return failed("deployment-failed", `The deployment of node ${nodeLabel(node)} failed`, stateAdvice(node));
    if (node.maintenance) return inMaintenance(node);
    if (!prepared) return act("prepare");
    return act(attempt.validated ? "deploy" : "validate");
  },
  refuse: (context) => {
    const { node, want, attempt, holder } = context;
    const isOurs = want.hasState || attempt.undeploys > 0;
    const retry = isOurs && holder.kind === "marked" ? nextCleanRetry(node, attempt.cleanRetries) : undefined;
    if (retry) return retry;
    const isHalf = isHalfUndeployed(node, want.updateStrategy) && deploymentMarker(node) !== undefined;
    if (isHalf && (isOurs || holder.kind === "ours")) return undeployAgain(context);
    // Written down for a reboot that was never asked for: a later look must not take it for what runs.
    if (attempt.before?.marker && attempt.startsSent === 0 && isSettled(node)) return act("revert");
    if (node.retired) return retired(node);
    return (hasFailed(node) ? failed : fail)(
      "node-state-unsuitable",
      `Node ${nodeLabel(node)} cannot be deployed from the state "${stateName(node.provision_state)}"`,
      stateAdvice(node),
    );
  },
};

/** Did its undeployment fail? Where it may be repeated: never where that would clean a machine without the user's consent. */
export const isHalfUndeployed = (node: SurveyedNode, strategy: DeployWant["updateStrategy"] | undefined): boolean =>
  hasUndeployFailed(node) && (node.automated_clean === false || strategy === "redeploy");

/** A redeploy ended there. */
function undeployAgain({ node, want, attempt }: DeployContext): Decision {
  if (node.maintenance) return inMaintenance(node);
  if (attempt.undeploys >= 2)
    return failed("undeploy-failed", `The undeploy of node ${nodeLabel(node)} failed`, stateAdvice(node));
  if (!node.protected) return act("undeploy");
  return isProtectedBy(node, want.claim) ? act("unprotect") : othersProtection(node, "its ramdisk cannot be changed");
}

/** The machine runs what is wanted: what else the node is to say. */
function finish({ node, want, holder }: DeployContext): Decision {
  const marker = holder.kind === "ours" ? holder.marker : undefined;
  if (want.protected && !node.protected) return act("protect");
  if (!want.protected && isProtectedBy(node, want.claim)) return act("unprotect");
  return marker && (marker.keep ?? false) !== want.keep ? act("markKeep") : { do: "done" };
}

const othersProtection = (node: Node, consequence: string): Decision =>
  fail(
    "node-protected",
    `Node ${nodeLabel(node)} is protected by somebody else${node.protected_reason ? ` ("${node.protected_reason}")` : ""}, so ${consequence}`,
    `Remove the protection: \`baremetal node unset ${node.name ?? node.uuid} --protected\``,
  );

/** Another start would end alike, or end what others have begun. */
function cameBackDifferent(node: Node, want: DeployWant): Decision {
  const fields: string[] = infoDifferences(node, want.info);
  return fail(
    "node-came-back-different",
    `Node ${nodeLabel(node)} was started by this run, but came back with something else: it differs in ${fields.join(", ") || "its config drive or marker"}`,
    "It was not started a second time. Find out who changes it (`baremetal node history list`, or images of Glance that name others), then run `pulumi up` again",
  );
}

/** An active machine of ours runs something else than wanted. */
function update(context: DeployContext): Decision {
  const { node, want, attempt, info, holder } = context;
  const marker = holder.kind === "ours" ? holder.marker : undefined;
  if (node.maintenance) return inMaintenance(node);
  if (attempt.method === "none" && !attempt.before) return cannotRebuild(node, attempt);
  if (isProtectedBy(node, want.claim)) return act("unprotect");
  if (node.protected) return othersProtection(node, "its ramdisk cannot be changed");
  if (attempt.method === "none") return act("revert");
  if (attempt.method === "redeploy") return act("undeploy");
  if (!isPrepared(node, want, attempt, marker, info)) return act("prepare");
  return act("rebuild");
}

/** Nothing is to be left changed, also not the protection that was removed for the rebuild. */
const cannotRebuild = (node: Node, attempt: Attempt): Decision =>
  isRunning(node) && attempt.unprotected && !node.protected
    ? act("protect")
    : fail(
        "rebuild-unsupported",
        `This Ironic cannot rebuild node ${nodeLabel(node)}, and undeploying it would clean it`,
        'Nothing was changed. Set updateStrategy: "redeploy" to accept an undeploy (with cleaning) and a deploy, or turn off automated cleaning of the node',
      );

/** What this run wrote to a node that was no longer ours is taken off again. */
function takeBack(node: Node, { claim }: DeployWant): Decision {
  const isOurs = node.instance_uuid === claim.instanceUuid && !isAllocated(node, claim);
  if (isOurs || deploymentMarker(node)) return act("unclaim");
  return fail(
    "node-changed-by-others",
    `Node ${nodeLabel(node)} was undeployed by somebody else just before this run wrote to it, and what was written was taken off again`,
    "Find out by whom, then run `pulumi up` again, which deploys it anew",
  );
}

export function decideDeploy(node: Node, want: DeployWant, attempt: Attempt): Decision {
  const holder = holderOf(node, want.claim);
  if (holder.kind === "other") return heldByOther(node, holder, attempt.undeploys > 0);
  const facts = stateRow(node.provision_state);
  if (!facts) return unknownState(node);
  if (attempt.givenBack) return takeBack(node, want);
  if (attempt.method === "none" && !attempt.before && attempt.prepared) return cannotRebuild(node, attempt);
  return DEPLOY_RULES[facts.deploy]({ node, want, attempt, info: infoFor(want, attempt), holder });
}

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

export function decideRelease(node: Node, want: ReleaseWant, attempt: Attempt): Decision {
  const holder = holderToRelease(node, want.claim, attempt.touched);
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
