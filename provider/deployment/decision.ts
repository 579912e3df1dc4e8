/**
 * What to do next with a node, decided from one observation of it. Pure: no clock, no network.
 * The columns `deploy` and `release` of the state table choose the rule; the rules look at whose the node is.
 */

import type { InstanceInfo, Node, SurveyedNode } from "../node/index.ts";
import {
  adviceFor,
  DEPLOYMENT_MARKER,
  type Decision as DecisionOf,
  type DeploymentMarker,
  deploymentMarker,
  fail,
  failed,
  heldByOther,
  holderOf,
  inMaintenance,
  isAllocated,
  isRecovering,
  nodeLabel,
  type StateFacts,
  stateFacts,
  stateName,
  unknownState,
  wait,
} from "../node/index.ts";
import type { ActionName, DeployWant, Memory, ReleaseWant } from "./attempt.ts";
import { isPrepared, isStarted, isUntried, isWritten } from "./evidence.ts";

type Decision = DecisionOf<ActionName>;
const act = (action: ActionName): Decision => ({ do: "act", action });
/** `instance_info` under the current method. */
export function infoFor(want: DeployWant, memory: Memory): InstanceInfo {
  const source = want.info.ramdisk;
  // With image_source set, Ironic 39.0 takes the path around the fault that makes it answer 500 to `rebuild`
  // (ironic/conductor/deployments.py, start_deploy); kernel and ramdisk still decide what is booted.
  return memory.method === "rebuildWithSource" && source ? { ...want.info, image_source: source } : want.info;
}

interface DeployContext {
  node: Node;
  facts: StateFacts;
  want: DeployWant;
  memory: Memory;
  info: InstanceInfo;
  holder: Exclude<ReturnType<typeof holderOf>, { kind: "other" }>;
}

/** A deployment without instance_uuid is not taken over unasked, be it by its looks this stack's own. */
const nobodys = ({ node, want, holder }: DeployContext, otherwise: string): Decision =>
  fail(
    `Node ${nodeLabel(node)} is "${stateName(node.provision_state)}", but no instance_uuid says whose deployment it is`,
    holder.kind === "marked"
      ? `Somebody removed it. If the machine is this stack's: \`baremetal node set ${node.uuid} --instance-uuid ${want.claim.instanceUuid}\``
      : otherwise,
  );

const DEPLOY_RULES: Readonly<Record<StateFacts["deploy"], (context: DeployContext) => Decision>> = {
  begin: ({ node, want, memory, info, holder }) => {
    if (node.maintenance) return inMaintenance(node);
    if (memory.started)
      return fail(
        `Node ${nodeLabel(node)} was undeployed by somebody while it was being deployed`,
        "Find out by whom, then run `pulumi up` again",
      );
    if (node.retired)
      return fail(`Node ${nodeLabel(node)} is retired`, "Retired nodes cannot be deployed; choose another node");
    if (holder.kind !== "ours" || !isPrepared(node, want, memory, holder.marker, info)) return act("claim");
    return act(memory.validated ? "deploy" : "validate");
  },
  judge: (context) => {
    const { node, want, memory, holder } = context;
    if (holder.kind !== "ours")
      return nobodys(context, "If it may be taken under management, use `adopt`; otherwise undeploy it first");
    if (isUntried(node, want, holder.marker)) return act("remark");
    if (!isWritten(node, want, memory, holder.marker)) return update(context);
    const started = isStarted(node, want, memory, holder.marker);
    if (started === undefined) return act("recall");
    if (!started) return update(context);
    return holder.marker ? finish(context) : act("remark");
  },
  wait: ({ node }) => wait(stateName(node.provision_state)),
  retry: (context) => {
    const { node, want, memory, info, holder, facts } = context;
    if (holder.kind !== "ours")
      return nobodys(context, `If nobody needs it: \`baremetal node undeploy ${node.uuid}\`, then \`pulumi up\``);
    const prepared = isPrepared(node, want, memory, holder.marker, info);
    if (memory.started || (!prepared && memory.prepared))
      return failed(`The deployment of node ${nodeLabel(node)} failed`, adviceFor(facts, node));
    if (node.maintenance) return inMaintenance(node);
    if (!prepared) return act("prepare");
    return act(memory.validated ? "deploy" : "validate");
  },
  refuse: (context) => {
    const { node, facts, memory, holder } = context;
    const recovering = holder.kind === "marked" ? recovery(node, facts, memory) : undefined;
    if (recovering) return recovering;
    if (isHalfUndeployed(node, context.want.updateStrategy) && deploymentMarker(node)) return undeployAgain(context);
    // Written down for a reboot that was never asked for: a later look must not take it for what runs.
    if (memory.before?.marker && !memory.sent && facts.kind === "stable") return act("revert");
    if (node.retired) return fail(`Node ${nodeLabel(node)} is retired and cannot be deployed`, "Choose another node");
    return (facts.kind === "failed" ? failed : fail)(
      `Node ${nodeLabel(node)} cannot be deployed from the state "${stateName(node.provision_state)}"`,
      adviceFor(facts, node),
    );
  },
};

/** Did its undeployment fail? Where it may be repeated: never where the machine would be cleaned unasked. */
export const isHalfUndeployed = (node: SurveyedNode, strategy: DeployWant["updateStrategy"] | undefined): boolean =>
  node.provision_state === "error" && (node.automated_clean === false || strategy === "redeploy");

/** A redeploy ended there. */
function undeployAgain({ node, facts, memory }: DeployContext): Decision {
  if (node.maintenance) return inMaintenance(node);
  if (memory.undeploys >= 2) return failed(`Undeploying node ${nodeLabel(node)} failed`, adviceFor(facts, node));
  if (!node.protected) return act("undeploy");
  return deploymentMarker(node)?.protected ? act("unprotect") : othersProtection(node);
}

/** The machine runs what is wanted: what else the node is to say. */
function finish({ node, want, holder }: DeployContext): Decision {
  const marker = holder.kind === "ours" ? holder.marker : undefined;
  const setByUs = marker?.protected === true;
  if (want.protected && !node.protected) return act("protect");
  if (!want.protected && node.protected && setByUs) return act("unprotect");
  return marker && (marker.keep ?? false) !== want.keep ? act("note") : { do: "done" };
}

const othersProtection = (node: Node): Decision =>
  fail(
    `Node ${nodeLabel(node)} is protected by somebody else, so its ramdisk cannot be changed`,
    `Lift it: \`baremetal node unset ${node.name ?? node.uuid} --protected\``,
  );

/** An active machine of ours runs something else than wanted. */
function update(context: DeployContext): Decision {
  const { node, want, memory, info, holder } = context;
  const marker = holder.kind === "ours" ? holder.marker : undefined;
  if (node.maintenance) return inMaintenance(node);
  if (node.protected) return marker?.protected ? act("unprotect") : othersProtection(node);
  if (memory.method === "none") return act("revert");
  if (memory.method === "redeploy") return act("undeploy");
  if (!isPrepared(node, want, memory, marker, info)) return act("prepare");
  return act("rebuild");
}

/** Nothing is to be left changed, also not the protection that was lifted for the rebuild. */
const cannotRebuild = (node: Node, memory: Memory): Decision =>
  node.provision_state === "active" && memory.unprotected && !node.protected
    ? act("protect")
    : fail(
        `This Ironic cannot rebuild node ${nodeLabel(node)}, and undeploying it would clean it`,
        'Nothing was changed. Set updateStrategy: "redeploy" to accept undeploy (with cleaning) and deploy, or switch automated cleaning of the node off',
      );

/** After a rebuild that the server could not do: the next way, or none. */
export function nextMethod(node: Node, want: DeployWant, memory: Memory): Memory["method"] {
  if (memory.method === "rebuild" && want.info.ramdisk) return "rebuildWithSource";
  return node.automated_clean === false || want.updateStrategy === "redeploy" ? "redeploy" : "none";
}

export function decideDeploy(node: Node, want: DeployWant, memory: Memory): Decision {
  const holder = holderOf(node, want.claim);
  if (holder.kind === "other") return heldByOther(node, holder.who, memory.undeploys > 0);
  const facts = stateFacts(node.provision_state);
  if (!facts) return unknownState(node);
  if (memory.method === "none" && !memory.before && memory.prepared) return cannotRebuild(node, memory);
  return DEPLOY_RULES[facts.deploy]({ node, facts, want, memory, info: infoFor(want, memory), holder });
}

interface ReleaseContext {
  node: Node;
  facts: StateFacts;
  want: ReleaseWant;
  memory: Memory;
  /** Our instance_uuid is on the node. */
  instance: boolean;
  marker: DeploymentMarker | undefined;
}

/**
 * Is the maintenance that of the failed cleaning? Ironic writes its fault over a maintenance that was there already, but
 * leaves its reason (ironic/conductor/utils.py, cleaning_error_handler).
 */
const isCleanFailures = ({ maintenance, fault, maintenance_reason, last_error }: SurveyedNode): boolean =>
  maintenance && fault === "clean failure" && (!maintenance_reason || maintenance_reason === last_error);

const othersMaintenance = (node: SurveyedNode): Decision =>
  fail(
    `Node ${nodeLabel(node)} is in maintenance that somebody else set, so its cleaning cannot be repeated`,
    "When the maintenance has ended, run the command again",
  );

/** Ironic refuses `provide` on a retired node (ironic/conductor/manager.py, do_provisioning_action). */
const retiredUncleaned = (node: SurveyedNode): Decision =>
  failed(
    `Node ${nodeLabel(node)} is retired, so that its cleaning cannot be repeated after it failed`,
    `Remove the cause, then \`baremetal node unset ${node.name ?? node.uuid} --retired\` and the command again. To take the node over as it is: \`baremetal node ${
      node.provision_state === "manageable"
        ? `unset ${node.name ?? node.uuid} --extra ${DEPLOYMENT_MARKER}`
        : `manage ${node.name ?? node.uuid}`
    }\` first`,
  );

function recover(node: SurveyedNode, facts: StateFacts, memory: Memory): Decision {
  if (memory.recoveries > 0) return failed(`Cleaning of node ${nodeLabel(node)} failed again`, adviceFor(facts, node));
  if (node.maintenance && !isCleanFailures(node)) return othersMaintenance(node);
  if (node.retired) return retiredUncleaned(node);
  const marker = deploymentMarker(node);
  return act(marker && marker.recovering !== true ? "noteRecovery" : "manage");
}

/** Brings a failed cleaning back once, with the cleaning that the user wanted. */
export function recovery(node: SurveyedNode, facts: StateFacts, memory: Memory): Decision | undefined {
  if (facts.release === "recover") return recover(node, facts, memory);
  if (node.provision_state !== "manageable") return undefined;
  const noted = deploymentMarker(node)?.recovering;
  // Without a note a retired node may be there because it was cleaned.
  if (noted === undefined ? memory.recoveries === 0 || node.retired : !isRecovering(node)) return undefined;
  if (noted === true) return act("noteRecovery");
  if (node.retired) return retiredUncleaned(node);
  if (isCleanFailures(node)) return act("endMaintenance");
  return node.maintenance ? othersMaintenance(node) : act("provide");
}

const RELEASE_RULES: Readonly<Record<StateFacts["release"], (context: ReleaseContext) => Decision>> = {
  undeploy: ({ node, facts, memory, instance, marker }) => {
    // Tearing down clears instance_uuid even when it fails, so `error` without one is our own half-done undeploy.
    if (!instance && node.provision_state !== "error")
      return fail(
        `Node ${nodeLabel(node)} is "${stateName(node.provision_state)}", but its instance_uuid is gone, so it is not sure whose machine that is`,
        `Nothing was written. If it is this stack's, set it back and run \`pulumi destroy\` again; if not, \`pulumi state delete\` forgets the resource`,
      );
    if (node.protected && !marker?.protected)
      return fail(
        `Node ${nodeLabel(node)} is protected by somebody else and cannot be undeployed`,
        `Lift it: \`baremetal node unset ${node.name ?? node.uuid} --protected\``,
      );
    if (node.protected) return act("unprotect");
    if (memory.undeploys >= 2) return failed(`Undeploying node ${nodeLabel(node)} failed`, adviceFor(facts, node));
    return act("undeploy");
  },
  unclaim: ({ node, facts, want, memory, instance, marker }) => {
    const recovering = recovery(node, facts, memory);
    if (recovering) return recovering;
    return (instance && !isAllocated(node, want.claim)) || marker ? act("unclaim") : { do: "done" };
  },
  wait: ({ node }) => wait(stateName(node.provision_state)),
  recover: ({ node, facts, memory }) => recover(node, facts, memory),
  refuse: ({ node, facts }) =>
    fail(
      `Node ${nodeLabel(node)} cannot be released from "${stateName(node.provision_state)}"`,
      adviceFor(facts, node),
    ),
};

export function decideRelease(node: Node, want: ReleaseWant, memory: Memory): Decision {
  const holder = holderOf(node, want.claim);
  if (holder.kind === "other")
    return {
      do: "done",
      remark: `is held by ${holder.who}: what this stack had there is gone, and nothing was written`,
    };
  const marker = holder.kind === "free" ? undefined : holder.marker;
  const instance = holder.kind === "ours";
  const undeploying = marker !== undefined || memory.undeploys > 0;
  if (want.keep && !marker) return { do: "done" };
  const facts = stateFacts(node.provision_state);
  if (!facts) return unknownState(node);
  // Ironic takes no PATCH while it is at work on the node.
  // What never ran is not kept.
  if (want.keep && facts.release !== "unclaim" && facts.release !== "recover")
    return facts.kind === "moving" || facts.kind === "held" ? wait(stateName(node.provision_state)) : act("handOver");
  // Neither sign of ours and nothing running: it was given back already. On a running machine that is not certain.
  if (!instance && !undeploying && (facts.release !== "undeploy" || node.provision_state === "error"))
    return { do: "done" };
  return RELEASE_RULES[facts.release]({ node, facts, want, memory, instance, marker });
}
