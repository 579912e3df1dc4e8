/** What a RamdiskDeployment takes: checked at preview, where any value may still be unknown. */
import { type InstanceInfo, isMasked } from "../node/index.ts";
import { type CheckFailure, type Props, shapeOf } from "../plugin/index.ts";
import { type Draft, isUnknown, known, object, type Parsed, parse, withRules } from "../schema/index.ts";
import { BOOT_ARGUMENTS, type BootArgument, DEPLOYMENT_ARGUMENTS, type DeploymentProps } from "./arguments.ts";
import { driveValue } from "./drive-value.ts";

export type { DeploymentProps } from "./arguments.ts";
export { driveHashOf } from "./drive-value.ts";

const UNDEPLOY_SECONDS = { clean: 3 * 3600, noClean: 300 };

export const undeployTimeoutSeconds = (asked: number | undefined, automatedClean: boolean | null | undefined): number =>
  asked ?? (automatedClean === false ? UNDEPLOY_SECONDS.noClean : UNDEPLOY_SECONDS.clean);

function rules(props: Draft<DeploymentProps>): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const { kernel, ramdisk, bootIso, readiness } = props;
  if (bootIso !== undefined && (kernel !== undefined || ramdisk !== undefined))
    failures.push({
      path: "bootIso",
      reason: "conflicts with kernel and ramdisk: set only one way to boot",
      code: "argument-conflict",
    });
  else if (bootIso === undefined && kernel === undefined && ramdisk === undefined)
    failures.push({
      path: "",
      reason: "nothing to boot is set: set kernel and ramdisk, or bootIso",
      code: "argument-missing",
    });
  else if (bootIso === undefined && (kernel === undefined || ramdisk === undefined))
    failures.push({
      path: kernel === undefined ? "kernel" : "ramdisk",
      reason: "is missing; set kernel and ramdisk together",
      code: "argument-missing",
    });
  for (const path of BOOT_ARGUMENTS)
    if (isMasked(props[path]))
      failures.push({
        path,
        reason: "contains the asterisks that Ironic shows in place of a secret; set the secret itself",
        code: "argument-masked",
      });
  const probe = known(readiness);
  if (probe && (probe.tcp === undefined) === (probe.http === undefined))
    failures.push(
      probe.tcp === undefined
        ? { path: "readiness", reason: "set tcp or http", code: "argument-missing" }
        : { path: "readiness", reason: "tcp conflicts with http: set only one", code: "argument-conflict" },
    );
  if (readiness && !isUnknown(readiness) && readiness.status !== undefined && readiness.http === undefined)
    failures.push({
      path: "readiness.status",
      reason: "has no effect without readiness.http",
      code: "argument-no-effect",
    });
  const configDrive = known(props.configDrive);
  if (configDrive !== undefined) {
    const drive = driveValue(configDrive);
    if ("reason" in drive)
      failures.push({ path: "configDrive", reason: drive.reason, code: "config-drive-form-invalid" });
  }
  if (props.adopt !== undefined && props.allocation !== undefined)
    failures.push({ path: "adopt", reason: "conflicts with allocation: set only one", code: "argument-conflict" });
  return failures;
}

const deploymentSchema = object(shapeOf(DEPLOYMENT_ARGUMENTS));

export const parseDeployment = (news: Props): Parsed<DeploymentProps> =>
  withRules(parse(deploymentSchema, news), rules);

/** What `info` says, as arguments. */
export const bootArgumentsOf = (info: InstanceInfo): Partial<Record<BootArgument, string | undefined>> =>
  Object.fromEntries(BOOT_ARGUMENTS.map((name) => [name, info[DEPLOYMENT_ARGUMENTS[name].boots]]));
