/** What the state holds of a RamdiskDeployment, and what of it is no longer so. */
import * as z from "zod";
import { type SlowHash, type Warning, withCode } from "../core/index.ts";
import type { Node } from "../node/index.ts";
import {
  bootHashOf,
  bootInfoOf,
  type Claim,
  heldCode,
  hidesBoots,
  holderOf,
  identityOf,
  isRunning,
  mayBeDeployed,
  type ResourceIdentity,
  type Started,
  saltedDriveHash,
  shows,
  stateName,
} from "../node/index.ts";
import { changedArguments, declaredIn, type Props, shapeOf } from "../plugin/index.ts";
import { type Draft, hasUnknown, known, typesOnly } from "../schema/index.ts";
import { bootArgumentsOf } from "./args.ts";
import { DEPLOYMENT_ARGUMENTS, type DeploymentProps } from "./arguments.ts";
import { contentHashOf } from "./drive-value.ts";

const started = z.object({ bootHash: z.string(), preparedAt: z.string().nullable(), at: z.string().nullable() });

const outputs = {
  nodeUuid: z.string(),
  nodeName: z.string().optional(),
  instanceUuid: z.string(),
  // What only a reader wants to know must not keep a destroy from its work.
  provisionState: z.string().default("unknown"),
  powerState: z.string().default("unknown"),
  /** When the machine became active, as Ironic's clock says. */
  deployedAt: z.string().optional(),
  driveHash: z.string().optional(),
  /** The last start that is known for certain, for the next run. */
  started: started.optional() satisfies z.ZodType<Started | undefined>,
  /** `false` while the readiness probe has not been answered. */
  ready: z.boolean().optional(),
  adopted: z.boolean().optional(),
  /** What refresh found to be different from what was deployed. */
  drift: z.string().optional(),
};

/** What the state holds of a deployment beside its inputs. */
export type Outputs = z.infer<z.ZodObject<typeof outputs>>;
export type State = DeploymentProps & Outputs;
export const stateSchema: z.ZodType<State> = z.looseObject({
  ...typesOnly(shapeOf(DEPLOYMENT_ARGUMENTS)),
  ...outputs,
});

export function outputsOf(node: Node, claim: Claim, extra: Partial<Outputs> = {}): Outputs {
  return {
    nodeUuid: node.uuid,
    nodeName: node.name ?? undefined,
    instanceUuid: claim.instanceUuid,
    provisionState: stateName(node.provision_state),
    powerState: node.power_state ?? "unknown",
    ...(isRunning(node) && { deployedAt: node.provision_updated_at ?? undefined }),
    ...extra,
  };
}

export function claimFrom(state: ResourceIdentity & Pick<Outputs, "instanceUuid">): Claim {
  return { ...identityOf(state), instanceUuid: state.instanceUuid };
}

/** The same content may come in another form. */
function hasSameDrive(state: State, news: Draft<DeploymentProps>): boolean {
  const drive = known(news.configDrive);
  return !hasUnknown(news.configDrive) && contentHashOf(drive) === contentHashOf(state.configDrive);
}

/** Changes that the machine or the node has to see, and things that are wrong with what is there. */
export function hasWork(state: State, news: Draft<DeploymentProps>): boolean {
  if (!isRunning({ provision_state: state.provisionState }) || state.drift !== undefined || state.ready === false)
    return true;
  if (news.powerPolicy === "on" && state.powerState === "power off") return true;
  return changedArguments(DEPLOYMENT_ARGUMENTS, state, news, "reboots", "inPlace", "nothing").some(
    (name) => name !== "configDrive" || !hasSameDrive(state, news),
  );
}

const UNDEPLOYED: Warning = { code: "drift-undeployed", text: "undeployed" };
const claimRemoved = (text: string): Warning => ({ code: "drift-claim-removed", text });
const bootChanged = (text: string): Warning => ({ code: "drift-boot-changed", text });
const driveChanged = (text: string): Warning => ({ code: "drift-config-drive", text });

/** What a reader of the state should know of a node that is not as it was left: the one text that is stored with codes. */
export async function driftOf(node: Node, state: State, slowHash: SlowHash): Promise<string | undefined> {
  const drifts = await driftsOf(node, state, slowHash);
  return drifts.length > 0 ? drifts.map(({ code, text }) => withCode(text, code)).join("; ") : undefined;
}

async function driftsOf(node: Node, state: State, slowHash: SlowHash): Promise<Warning[]> {
  const claim = claimFrom(state);
  const holder = holderOf(node, claim);
  if (holder.kind === "other") return [{ code: heldCode(holder), text: `held by ${holder.who}` }];
  if (holder.kind === "free")
    return [isRunning(node) ? claimRemoved("instance_uuid and the marker in extra were removed") : UNDEPLOYED];
  if (holder.kind === "marked") return [mayBeDeployed(node) ? UNDEPLOYED : claimRemoved("instance_uuid was removed")];
  if (!holder.marker) return [claimRemoved("the marker in extra was removed")];
  const sha256 = state.driveHash;
  const drive = sha256 === undefined ? undefined : await saltedDriveHash(slowHash, sha256, claim.instanceUuid);
  const bootHash = hidesBoots(node)
    ? holder.marker.bootHash
    : await bootHashOf(slowHash, bootInfoOf(node), claim.instanceUuid);
  return [
    ...(node.maintenance
      ? [{ code: "node-in-maintenance", text: `in maintenance${node.fault ? ` (${node.fault})` : ""}` } as const]
      : []),
    // Written down before the reboot that it needs, which a crash then prevented.
    ...(isRunning(node) && holder.marker.preparedAt === node.provision_updated_at
      ? [bootChanged("what it boots was changed, but it was not restarted since")]
      : []),
    // Written down by a run that was cut off. Whether it was restarted since then, the next update finds out.
    ...(isRunning(node) &&
    holder.marker.preparedAt !== node.provision_updated_at &&
    holder.marker.preparedAt !== state.started?.preparedAt
      ? [bootChanged("an update did not finish")]
      : []),
    ...(isRunning(node) && (holder.marker.bootHash ?? bootHash) !== bootHash
      ? [bootChanged("what it boots was changed by somebody else, but it was not restarted since")]
      : []),
    ...(holder.marker.driveHash !== drive ? [driveChanged("another config drive was sent")] : []),
    ...(isRunning(node) && "configdrive" in node.instance_info !== (drive !== undefined) && !state.adopted
      ? [driveChanged("a config drive was added or removed")]
      : []),
  ];
}

/** The declared inputs with what the node says laid over them, so that the engine shows what changed. */
export function liveInputs(node: Node, state: State): Props {
  const inputs = declaredIn(DEPLOYMENT_ARGUMENTS, state);
  if (holderOf(node, claimFrom(state)).kind !== "ours" || !isRunning(node)) return inputs;
  for (const [key, value] of Object.entries(bootArgumentsOf(bootInfoOf(node)))) {
    if (value === undefined && (inputs[key] === undefined || inputs[key] === "")) continue;
    if (value === undefined) delete inputs[key];
    else if (!shows(value, inputs[key])) inputs[key] = value;
  }
  if (state.protected !== undefined) inputs.protected = node.protected ?? false;
  return inputs;
}
