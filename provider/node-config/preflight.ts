/** What would go wrong with a BaremetalNodeConfig, judged from what the preflight of deployments reads as well. */

import type { Facts, SurveyedNode } from "../node/index.ts";
import { configMarker, deploymentMarker, holderOf, identityOf } from "../node/index.ts";
import type { Call, CheckFailure, Props, Services } from "../plugin/index.ts";
import {
  type Finding,
  judged,
  missing,
  type Need,
  NO_SUCH_NODE,
  nodeOf,
  rejected,
  report,
  whyNotEnabled,
} from "../preflight/index.ts";
import { hasUnknown } from "../schema/index.ts";
import { DEFAULT_DEPLOY_INTERFACE, type NodeConfigProps } from "./args.ts";

/** Another stack that has marked the node. Whose an unmarked instance_uuid is may only an allocation tell: create asks. */
function strangerOn(node: SurveyedNode, props: NodeConfigProps): string | undefined {
  const claim = { ...identityOf(props), ...(hasUnknown(props.stackId) && { stackId: "" }) };
  const instanceUuid = deploymentMarker(node)?.instanceUuid ?? "";
  const holder = holderOf({ ...node, instance_uuid: null }, { ...claim, instanceUuid });
  return holder.kind === "other" ? `is held by ${holder.who}` : undefined;
}

async function findingsOf(props: NodeConfigProps, facts: Facts, olds: Props | undefined): Promise<Finding[]> {
  const isSpelledAsBefore = olds !== undefined && olds.node === props.node;
  const node = nodeOf(props, facts, isSpelledAsBefore, configMarker);
  if (!node) return isSpelledAsBefore ? [] : [NO_SUCH_NODE];
  const enabled = await facts.enabled(node);
  const { deployInterface = DEFAULT_DEPLOY_INTERFACE, bootInterface } = props;
  const named = (name: string | undefined) => (hasUnknown(name) ? undefined : name);
  return [
    isSpelledAsBefore && hasUnknown(props.stackId) ? undefined : strangerOn(node, props),
    whyNotEnabled(node, enabled, "deploy", named(deployInterface)),
    whyNotEnabled(node, enabled, "boot", named(bootInterface)),
  ].flatMap((reason) => (reason === undefined ? [] : [rejected("node", reason)]));
}

/** What these settings ask of Ironic that older ones lack. */
export const needsOf = ({ automatedCleaning, description }: NodeConfigProps): Need[] => [
  ...(automatedCleaning === undefined ? [] : [{ path: "automatedCleaning", feature: "automatedClean" } as const]),
  ...(description === undefined ? [] : [{ path: "description", feature: "description" } as const]),
];

/** `olds` are the inputs in the state, if the settings are there already. */
export const settingsPreflight = (
  props: NodeConfigProps,
  services: Services,
  call: Call,
  olds: Props | undefined,
): Promise<CheckFailure[]> =>
  report(`Node ${props.node}`, services, call, async () => [
    ...(await missing(needsOf(props), services, call)),
    ...(await judged(props.node, services, call, (facts) => findingsOf(props, facts, olds))),
  ]);
