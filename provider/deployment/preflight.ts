/**
 * What would go wrong with a RamdiskDeployment: judged from one bulk read per run, with the settings that the same program
 * has for the node laid over it.
 */

import type { Code } from "../core/index.ts";
import type { EnabledInterfaces, NodeInventory, OtherHolder, SurveyedNode } from "../node/index.ts";
import {
  comesBackFromFailedCleaning,
  deploymentMarker,
  heldCode,
  holderOf,
  instanceUuidFor,
  isUndeployable,
  stateAdvice,
  stateName,
} from "../node/index.ts";
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
import type { PlannedSettings, RunContext } from "../run/index.ts";
import { type Draft, isUnknown, known } from "../schema/index.ts";
import { DEPLOYMENT_ARGUMENTS, type DeploymentProps } from "./arguments.ts";
import { isHalfUndeployed } from "./decision.ts";
import { driveValue } from "./drive-value.ts";
import { imageIssues } from "./images.ts";
import { keeps } from "./want.ts";

// Boot interfaces of Ironic 21.4 to 39.0, by the capabilities in ironic/drivers/modules/{pxe,ipxe}.py and
// {redfish,drac,ilo,irmc}/boot.py; ilo and irmc are gone from newer versions.

/** Those that find a machine by the MAC address of a port. */
const PORT_BOOT = ["pxe", "ipxe", "http", "http-ipxe", "ilo-pxe", "ilo-ipxe", "irmc-pxe"];
/** Those with `ramdisk_boot_configdrive`; all others drop the drive and only their log says so. */
const DRIVE_BOOT = ["redfish-virtual-media", "idrac-redfish-virtual-media"];
/** Those with `ramdisk_boot`. */
const RAMDISK_BOOT = [...PORT_BOOT, ...DRIVE_BOOT, "redfish-https", "ilo-virtual-media", "ilo-uefi-https"];
/** Those without. What is in neither list is from another vendor: only Ironic knows what it supports. */
const NO_RAMDISK_BOOT = ["fake", "irmc-virtual-media"];
/** Those whose template does not support an ISO: only ipxe_config.template does. */
const NO_ISO_BOOT = ["pxe", "http", "ilo-pxe", "irmc-pxe"];

interface Subject {
  props: Draft<DeploymentProps>;
  node: SurveyedNode;
  facts: NodeInventory;
  planned: PlannedSettings | undefined;
  /** The state has this deployment already. */
  exists: boolean;
  /** On the node that its program named before. */
  stays: boolean;
  boot: string | undefined;
  deploy: string | undefined;
  cleans: boolean;
  enabled: EnabledInterfaces | undefined;
}

type Rule = (subject: Subject) => PreflightIssue | undefined;
const unfit = (code: Code, reason: string): PreflightIssue => ({
  path: "node",
  reason,
  code,
  rejected: true,
  settings: true,
});
const dropped = (code: Code, path: string, reason: string): PreflightIssue => ({ path, reason, code, rejected: false });

const notEnabled = ({ node, enabled, ...subject }: Subject, kind: "boot" | "deploy"): PreflightIssue | undefined => {
  const reason = whyNotEnabled(node, enabled, kind, subject[kind]);
  return reason === undefined ? undefined : unfit("interface-not-enabled", reason);
};

/**
 * Whoever has the node instead of this deployment. A check does not get to see the instance_uuid in the state; where the
 * deployment was renamed or adopted, only its marker on the node has it.
 */
function holderOther({ node, props, exists, stays }: Subject): OtherHolder | undefined {
  const identity = knownIdentity(props);
  const marked = exists ? deploymentMarker(node)?.instanceUuid : undefined;
  const instanceUuid = stays
    ? (marked ?? node.instance_uuid ?? "")
    : (marked ?? known(props.allocation) ?? instanceUuidFor({ ...identity, nodeUuid: node.uuid }));
  const holder = holderOf(node, { ...identity, instanceUuid });
  return holder.kind === "other" ? holder : undefined;
}

/** Where a redeploy of its own ended half-way, the deployment brings the node back itself. */
function comesBack({ node, props, exists, stays }: Subject): boolean {
  const marker = deploymentMarker(node);
  // Without a state a marker, which many may write, is not followed.
  if (!exists) return false;
  const own = marker?.stackId === props.stackId && (stays || marker.resourceId === props.resourceId);
  if (!own) return false;
  return (
    (!node.instance_uuid && comesBackFromFailedCleaning(node)) ||
    (!node.maintenance && isHalfUndeployed(node, known(props.updateStrategy)))
  );
}

function lacksAgent({ boot, cleans, node, props }: Subject): PreflightIssue | undefined {
  const missing = ["deploy_kernel", "deploy_ramdisk"].filter((key) => !node.driver_info?.[key]);
  return boot !== undefined && PORT_BOOT.includes(boot) && cleans && missing.length > 0 && props.adopt === undefined
    ? dropped(
        "agent-image-missing",
        "node",
        `is cleaned after use and boots with ${boot}, so Ironic also needs ${missing.join(" and ")} in driver_info (or defaults in its configuration); or set automatedCleaning to false`,
      )
    : undefined;
}

/** Cleaning is on by default, and seldom intended for a machine whose disks are not written to. Older Ironics do not show it. */
function stillCleans({ node, planned, props }: Subject): PreflightIssue | undefined {
  const automatedClean = node.automated_clean;
  if (automatedClean === undefined || automatedClean === false) return undefined;
  if (planned?.automatedCleaning !== undefined || planned?.uncertain) return undefined;
  if (props.adopt !== undefined || keeps({ onDestroy: known(props.onDestroy) }) || deploymentMarker(node)?.keep)
    return undefined;
  const reason = `is cleaned after use${automatedClean ? "" : ", unless the conductor's configuration turns it off"}. Cleaning makes destroy slow and needs the agent. Set automatedCleaning of a BaremetalNodeConfig to say whether this is intended`;
  return { ...dropped("cleaning-enabled", "node", reason), hint: true };
}

const RULES: readonly Rule[] = [
  (subject) => {
    const { node } = subject;
    return node.maintenance && !comesBack(subject)
      ? rejected(
          "node-in-maintenance",
          "node",
          `is in maintenance${node.maintenance_reason ? ` ("${node.maintenance_reason}")` : ""}`,
        )
      : undefined;
  },
  ({ node }) =>
    node.retired ? rejected("node-retired", "node", "is retired; Ironic does not deploy retired nodes") : undefined,
  (subject) => {
    const { props, stays } = subject;
    if (stays ? isUnknown(props.stackId) : props.adopt !== undefined || isUnknown(props.allocation)) return undefined;
    const other = holderOther(subject);
    return other ? rejected(heldCode(other), "node", `is held by ${other.who}`) : undefined;
  },
  (subject) => {
    const { node, props } = subject;
    if (!isUndeployable(node) || props.adopt !== undefined || comesBack(subject)) return undefined;
    return rejected(
      "node-state-unsuitable",
      "node",
      `is "${stateName(node.provision_state)}" and cannot be deployed from this state. ${stateAdvice(node)}`,
    );
  },
  (subject) => notEnabled(subject, "boot"),
  (subject) => notEnabled(subject, "deploy"),
  ({ deploy }) =>
    deploy !== undefined && deploy !== "ramdisk"
      ? unfit(
          "deploy-interface-unsuitable",
          `has the deploy interface ${deploy}; add a BaremetalNodeConfig, which sets ramdisk`,
        )
      : undefined,
  ({ boot }) => {
    if (boot === undefined || RAMDISK_BOOT.includes(boot)) return undefined;
    return NO_RAMDISK_BOOT.includes(boot)
      ? unfit(
          "boot-interface-unsuitable",
          `has the boot interface ${boot}, which cannot boot a ramdisk; use one of ${RAMDISK_BOOT.join(", ")}`,
        )
      : dropped(
          "boot-interface-unsuitable",
          "node",
          `has the boot interface ${boot}, which may not boot ramdisks; Ironic refuses the deployment if it does not`,
        );
  },
  ({ boot, node, facts }) => {
    const hasPxePort = facts.ports.get(node.uuid);
    if (boot === undefined || !PORT_BOOT.includes(boot) || hasPxePort) return undefined;
    // Ironic's validation accepts any port (pxe_base.py, _validate_common); its boot files need the other.
    return hasPxePort === undefined
      ? unfit("boot-port-missing", `boots with ${boot}, but has no port in Ironic`)
      : dropped(
          "boot-port-missing",
          "node",
          `boots with ${boot}, but none of its ports has pxe_enabled, so the machine will not boot`,
        );
  },
  (subject) => lacksAgent(subject) ?? stillCleans(subject),
  ({ props, boot }) =>
    props.configDrive !== undefined && boot !== undefined && RAMDISK_BOOT.includes(boot) && !DRIVE_BOOT.includes(boot)
      ? dropped(
          "config-drive-not-attached",
          "configDrive",
          `will be dropped by Ironic without an error: only ${DRIVE_BOOT.join(" and ")} attach it, not ${boot}`,
        )
      : undefined,
  ({ props }) =>
    props.kernelArguments && props.bootIso !== undefined
      ? dropped("argument-no-effect", "kernelArguments", "have no effect with bootIso: an ISO has its own")
      : undefined,
  ({ props, boot }) =>
    props.bootIso !== undefined && boot !== undefined && NO_ISO_BOOT.includes(boot)
      ? dropped(
          "boot-interface-unsuitable",
          "bootIso",
          `cannot be booted by the boot interface ${boot}; use ipxe, http-ipxe or virtual media`,
        )
      : undefined,
];

async function issuesOf(
  props: Draft<DeploymentProps>,
  name: string,
  facts: NodeInventory,
  { settings }: RunContext,
  olds: Props | undefined,
): Promise<PreflightIssue[]> {
  const exists = olds !== undefined;
  const isSpelledAsBefore = exists && olds.node === name;
  const node = nodeOf({ ...knownIdentity(props), node: name }, facts, isSpelledAsBefore, deploymentMarker);
  if (!node) return isSpelledAsBefore ? [] : [NO_SUCH_NODE];
  const planned = settings.of({ uuid: node.uuid, name: node.name });
  const subject: Subject = {
    props,
    node,
    facts,
    planned,
    exists,
    stays: isSpelledAsBefore,
    boot: planned?.bootInterface ?? node.boot_interface ?? undefined,
    deploy: planned?.deployInterface ?? node.deploy_interface ?? undefined,
    cleans: (planned?.automatedCleaning ?? node.automated_clean) !== false,
    enabled: await facts.enabled(node),
  };
  const found = RULES.map((rule) => rule(subject)).filter((finding) => finding !== undefined);
  // The engine checks resources in the order in which they happen to be registered, so a BaremetalNodeConfig that names
  // the node itself may still come and set what is missing here. Until then it is only doubtful.
  const isDoubtful = (finding: PreflightIssue) => planned?.uncertain || (finding.settings && planned === undefined);
  return found.map((finding) => ({ ...finding, rejected: finding.rejected && !isDoubtful(finding) }));
}

/** `olds` are the inputs in the state, if the deployment is there already. */
export const preflight = (
  props: Draft<DeploymentProps>,
  services: Services,
  call: Call,
  olds: Props | undefined,
): Promise<CheckFailure[]> =>
  report(`Node ${props.node}`, services, call, async () => {
    const node = known(props.node);
    const findings = [
      ...(await imageIssues(props, services.run.imageTroubles)),
      ...(await missing(needsIn(DEPLOYMENT_ARGUMENTS, props), services, call)),
      ...(node === undefined
        ? []
        : await checkedAgainst(node, services, call, (facts) => issuesOf(props, node, facts, services.run, olds))),
    ];
    const drive = known(props.configDrive);
    // The check says that anyway, and of such a drive nothing else can be said.
    return drive !== undefined && "reason" in driveValue(drive) ? [] : findings;
  });
