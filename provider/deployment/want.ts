/**
 * What a deployment wants, worked out once from its arguments. After this, nothing in the provider process reads the
 * arguments of a create or an update any more.
 */
import { type Clock, type Deadline, deadlineFrom } from "../core/index.ts";
import { loadDriveContent } from "../drive/index.ts";
import {
  bootHashOf,
  type Claim,
  type InstanceInfo,
  identityOf,
  instanceUuidFor,
  type Started,
  saltedDriveHash,
} from "../node/index.ts";
import { type Call, needsIn, type Services } from "../plugin/index.ts";
import { BOOT_ARGUMENTS, DEFAULT_TIMEOUT_SECONDS, DEPLOYMENT_ARGUMENTS, type DeploymentProps } from "./arguments.ts";
import { contentHashOf } from "./drive-value.ts";
import { claimFrom, type State } from "./state.ts";

/** What decisions are made from. */
export interface DeployWant {
  claim: Claim;
  info: InstanceInfo;
  /** Of `info`. */
  bootHash: string;
  /** Salted hash of the config drive, if there is one. */
  driveHash: string | undefined;
  /** The last start that the state knows, if that was of what is wanted. */
  last: Started | undefined;
  protected: boolean;
  /** It is to stay on the machine when it leaves the state. */
  keep: boolean;
  updateStrategy: "rebuild" | "redeploy";
  /** The state holds the deployment. Without it a marker alone, which many may write, proves nothing. */
  hasState: boolean;
}

/**
 * What says that a deployment is this stack's: its state; the person who named the node; a marker with the instance UUID that
 * follows from stack, resource and node; or nothing but a marker, which many may write.
 */
export type KnownBy = "state" | "command line" | "instance" | "marker";

export interface ReleaseWant {
  claim: Claim;
  keep: boolean;
  knownBy: KnownBy;
}

/** Everything that one create or update needs of the arguments. */
export interface DeploymentPlan {
  want: DeployWant;
  /** What the state holds, if the deployment exists. */
  olds: State | undefined;
  /** Hash of the config drive as the state holds it. */
  contentHash: string | undefined;
  /** The config drive as Ironic takes it, read when it is called. */
  loadDrive(): Promise<unknown>;
  /** For settings, machine and power together. */
  deadline: Deadline;
  /** What `customTimeouts` leave for everything, readiness included. */
  callLeftMs(): number;
  /** A machine that is found switched off is switched on. */
  powersOn: boolean;
  readiness: DeploymentProps["readiness"];
}

/** The instance_uuid of what is to be adopted, if it has one. */
export const instanceToAdopt = ({ adopt }: DeploymentProps): string | undefined =>
  adopt === "unclaimed" ? undefined : adopt;

const claimFor = (props: DeploymentProps, nodeUuid: string): Claim => ({
  ...identityOf(props),
  isNew: true,
  instanceUuid: props.allocation ?? instanceToAdopt(props) ?? instanceUuidFor({ ...props, nodeUuid }),
});

/** The ends of a call that begins now: that of its work, where the engine's own timeout counts if it is shorter, and the engine's. */
export function deadlinesOf(
  { timeoutSeconds = DEFAULT_TIMEOUT_SECONDS }: DeploymentProps,
  { timeoutMs = Number.POSITIVE_INFINITY }: Call,
  clock: Clock,
): Pick<DeploymentPlan, "deadline" | "callLeftMs"> {
  const deadlineOf = (ms: number) => deadlineFrom(clock.now(), ms, clock);
  return {
    deadline: deadlineOf(Math.min(timeoutSeconds * 1000, timeoutMs)),
    callLeftMs: deadlineOf(timeoutMs).leftMs,
  };
}

/** Does the deployment stay on the machine when it leaves the state? What was adopted stays unless said otherwise. */
export const keeps = ({ onDestroy }: Pick<DeploymentProps, "onDestroy">, adopted = false): boolean =>
  (onDestroy ?? (adopted ? "keep" : "undeploy")) === "keep";

export function instanceInfo(props: DeploymentProps, needsImageSource: boolean): InstanceInfo {
  const info: InstanceInfo = {};
  for (const name of BOOT_ARGUMENTS) {
    const value = props[name];
    if (value !== undefined && value !== "") info[DEPLOYMENT_ARGUMENTS[name].boots] = value;
  }
  if (needsImageSource && props.ramdisk !== undefined) info.image_source = props.ramdisk;
  return info;
}

/** @throws IronicError "unsupported" where this Ironic is too old for an argument. */
export async function planFor(
  nodeUuid: string,
  props: DeploymentProps,
  olds: State | undefined,
  deadlines: Pick<DeploymentPlan, "deadline" | "callLeftMs">,
  services: Services,
  call: Call,
): Promise<DeploymentPlan> {
  const client = await services.client();
  const { slowHash } = services.run;
  for (const { path, feature } of needsIn(DEPLOYMENT_ARGUMENTS, props))
    await client.require(feature, `deploy with ${path}`);
  const claim = olds ? claimFrom(olds) : claimFor(props, nodeUuid);
  const info = instanceInfo(props, !(await client.supports("ramdiskWithoutImageSource")));
  const bootHash = await bootHashOf(slowHash, info, claim.instanceUuid);
  const contentHash = contentHashOf(props.configDrive);
  const driveHash =
    contentHash === undefined ? undefined : await saltedDriveHash(slowHash, contentHash, claim.instanceUuid);
  const isOfLast = olds?.started?.bootHash === bootHash && olds.driveHash === contentHash;
  return {
    want: {
      claim,
      info,
      bootHash,
      driveHash,
      last: isOfLast ? olds.started : undefined,
      protected: props.protected ?? false,
      keep: keeps(props, olds?.adopted),
      updateStrategy: props.updateStrategy ?? "rebuild",
      hasState: olds !== undefined,
    },
    olds,
    contentHash,
    loadDrive: () => loadDriveContent(props.configDrive, call.signal),
    ...deadlines,
    powersOn: props.powerPolicy === "on",
    readiness: props.readiness,
  };
}
