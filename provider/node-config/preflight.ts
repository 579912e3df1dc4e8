/** What would go wrong with a BaremetalNodeConfig, judged from what the preflight of deployments reads as well. */

import type { NodeInventory, SurveyedNode } from "../node/index.ts";
import { configMarker, deploymentMarker, heldCode, holderOf } from "../node/index.ts";
import { type Call, type CheckFailure, needsIn, type Props, type Services } from "../plugin/index.ts";
import {
  checkedAgainst,
  knownIdentity,
  missing,
  NO_SUCH_NODE,
  nodeOf,
  type PreflightIssue,
  rejected,
  report,
  whyNotEnabled,
} from "../preflight/index.ts";
import { type Draft, isUnknown, known } from "../schema/index.ts";
import { DEFAULT_DEPLOY_INTERFACE, NODE_CONFIG_ARGUMENTS, type NodeConfigProps } from "./arguments.ts";

/** Another holder that has marked the node. Only an allocation can say whose an unmarked instance_uuid is: create reads it. */
function otherStackOn(node: SurveyedNode, props: Draft<NodeConfigProps>): PreflightIssue | undefined {
  const claim = knownIdentity(props);
  const instanceUuid = deploymentMarker(node)?.instanceUuid ?? "";
  const holder = holderOf({ ...node, instance_uuid: null }, { ...claim, instanceUuid });
  return holder.kind === "other" ? rejected(heldCode(holder), "node", `is held by ${holder.who}`) : undefined;
}

const notEnabled = (reason: string | undefined): PreflightIssue | undefined =>
  reason === undefined ? undefined : rejected("interface-not-enabled", "node", reason);

async function issuesOf(
  props: Draft<NodeConfigProps>,
  name: string,
  facts: NodeInventory,
  olds: Props | undefined,
): Promise<PreflightIssue[]> {
  const isSpelledAsBefore = olds !== undefined && olds.node === name;
  const node = nodeOf({ ...knownIdentity(props), node: name }, facts, isSpelledAsBefore, configMarker);
  if (!node) return isSpelledAsBefore ? [] : [NO_SUCH_NODE];
  const enabled = await facts.enabled(node);
  const { deployInterface = DEFAULT_DEPLOY_INTERFACE, bootInterface } = props;
  return [
    isSpelledAsBefore && isUnknown(props.stackId) ? undefined : otherStackOn(node, props),
    notEnabled(whyNotEnabled(node, enabled, "deploy", known(deployInterface))),
    notEnabled(whyNotEnabled(node, enabled, "boot", known(bootInterface))),
  ].filter((finding) => finding !== undefined);
}

/** `olds` are the inputs in the state, if the settings are there already. */
export const settingsPreflight = (
  props: Draft<NodeConfigProps>,
  services: Services,
  call: Call,
  olds: Props | undefined,
): Promise<CheckFailure[]> =>
  report(`Node ${props.node}`, services, call, async () => {
    const node = known(props.node);
    return [
      ...(await missing(needsIn(NODE_CONFIG_ARGUMENTS, props), services, call)),
      ...(node === undefined
        ? []
        : await checkedAgainst(node, services, call, (facts) => issuesOf(props, node, facts, olds))),
    ];
  });
