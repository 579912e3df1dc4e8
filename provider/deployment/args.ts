/** What a RamdiskDeployment takes: checked at preview, where any value may still be unknown. */
import { type InstanceInfo, isMasked } from "../node/index.ts";
import { type Call, type CheckFailure, type Props, shapeOf } from "../plugin/index.ts";
import { type Draft, isUnknown, known, object, type Parsed, parse, withRules } from "../schema/index.ts";
import {
  BOOT_ARGUMENTS,
  type BootArgument,
  DEFAULT_TIMEOUT_SECONDS,
  DEPLOYMENT_ARGUMENTS,
  type DeploymentProps,
} from "./arguments.ts";
import { driveValue } from "./drive-value.ts";

export type { DeploymentProps } from "./arguments.ts";
export { driveHashOf, driveValue } from "./drive-value.ts";

const UNDEPLOY_SECONDS = { clean: 3 * 3600, noClean: 300 };

export const undeployTimeoutSeconds = (asked: number | undefined, automatedClean: boolean | null | undefined): number =>
  asked ?? (automatedClean === false ? UNDEPLOY_SECONDS.noClean : UNDEPLOY_SECONDS.clean);

/** The engine's own time-out counts where it is shorter. */
export const timeoutMsOf = (props: DeploymentProps, { timeoutMs = Number.POSITIVE_INFINITY }: Call): number =>
  Math.min((props.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000, timeoutMs);

/** Does the deployment stay on the machine when it leaves the state? What was adopted stays unless said otherwise. */
export const keeps = ({ onDestroy }: Pick<DeploymentProps, "onDestroy">, adopted = false): boolean =>
  (onDestroy ?? (adopted ? "keep" : "undeploy")) === "keep";

function rules(props: Draft<DeploymentProps>): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const { kernel, ramdisk, bootIso, readiness } = props;
  if (bootIso !== undefined && (kernel !== undefined || ramdisk !== undefined))
    failures.push({
      path: "bootIso",
      reason: "cannot stand beside kernel and ramdisk: choose one of the two ways to boot",
    });
  else if (bootIso === undefined && kernel === undefined && ramdisk === undefined)
    failures.push({ path: "", reason: "say what to boot: kernel and ramdisk, or bootIso" });
  else if (bootIso === undefined && (kernel === undefined || ramdisk === undefined))
    failures.push({
      path: kernel === undefined ? "kernel" : "ramdisk",
      reason: "is missing; kernel and ramdisk go together",
    });
  for (const path of BOOT_ARGUMENTS)
    if (isMasked(props[path]))
      failures.push({ path, reason: "has asterisks that Ironic shows instead of a secret; give the secret itself" });
  const probe = known(readiness);
  if (probe && (probe.tcp === undefined) === (probe.http === undefined))
    failures.push({ path: "readiness", reason: "takes exactly one of tcp and http" });
  if (readiness && !isUnknown(readiness) && readiness.status !== undefined && readiness.http === undefined)
    failures.push({ path: "readiness.status", reason: "goes with http only" });
  const configDrive = known(props.configDrive);
  if (configDrive !== undefined) {
    const drive = driveValue(configDrive);
    if ("reason" in drive) failures.push({ path: "configDrive", reason: drive.reason });
  }
  if (props.adopt !== undefined && props.allocation !== undefined)
    failures.push({ path: "adopt", reason: "cannot stand beside allocation" });
  return failures;
}

const deploymentSchema = object(shapeOf(DEPLOYMENT_ARGUMENTS));

export const parseDeployment = (news: Props): Parsed<DeploymentProps> =>
  withRules(parse(deploymentSchema, news), rules);

export function instanceInfo(props: DeploymentProps, needsImageSource: boolean): InstanceInfo {
  const info: InstanceInfo = {};
  for (const name of BOOT_ARGUMENTS) {
    const value = props[name];
    if (value !== undefined && value !== "") info[DEPLOYMENT_ARGUMENTS[name].boots] = value;
  }
  if (needsImageSource && props.ramdisk !== undefined) info.image_source = props.ramdisk;
  return info;
}

/** What `info` says, as arguments. */
export const bootArgumentsOf = (info: InstanceInfo): Partial<Record<BootArgument, string | undefined>> =>
  Object.fromEntries(BOOT_ARGUMENTS.map((name) => [name, info[DEPLOYMENT_ARGUMENTS[name].boots]]));
