/**
 * The records by which stacks recognise each other's nodes.
 *
 * A deployment holds a node while `instance_uuid` is its own (Ironic answers 409 to a second one, so taking a node is
 * atomic) and `extra.pulumi_ironic_deployment` carries its marker. BaremetalNodeConfig has a marker of its own,
 * `extra.pulumi_ironic`. They are two keys so that two resources never write the same value. An allocation's `extra`
 * carries the identity alone, under `pulumi_ironic`.
 */
import * as z from "zod";
import { type Claim, identityOf, type ResourceIdentity } from "./identity.ts";
import type { Node } from "./node.ts";

export const CONFIG_MARKER = "pulumi_ironic";
export const DEPLOYMENT_MARKER = "pulumi_ironic_deployment";
/** Of all records, on nodes and in states. */
const WIRE_VERSION = 1;

/** What every record of ours holds. */
const identity = {
  version: z.literal(WIRE_VERSION),
  stackId: z.string().min(1),
  stackName: z.string().optional(),
  resourceId: z.string().min(1),
  resourceName: z.string(),
};

const identityMarkSchema = z.looseObject(identity);

/** Whose an allocation is; `undefined` where no mark of ours can be read. */
export const identityMark = ({ extra }: Pick<Node, "extra">) => identityMarkSchema.safeParse(extra[CONFIG_MARKER]).data;

/** Unknown keys are a later version's: they are kept when the record is rewritten. */
export const deploymentMarkerSchema = z.looseObject({
  ...identity,
  kind: z.enum(["deployment", "fleet", "job"]),
  instanceUuid: z.string().min(1),
  /** Slow, salted hash of the config drive that was last sent; absent without one. */
  driveHash: z.string().optional(),
  /** Hash of what was last booted: others may write to `instance_info` without a reboot. Unknown where adopted. */
  bootHash: z.string().optional(),
  /** Hash of what stood there when a running machine's next boot was written down: until that comes, it runs this. */
  runningBootHash: z.string().optional(),
  /**
   * `provision_updated_at` when this marker was written. While the node still shows the same value, what the marker
   * describes has not been started: this is how a run after a crash knows whether its PUT arrived.
   */
  preparedAt: z.string().nullable().default(null),
  /** The deployment is to stay on the machine when it leaves the state. */
  keep: z.boolean().optional(),
  /**
   * A failed cleaning is being repeated: a run that is killed on the way leaves a node that looks like an operator's. From
   * when the node is manageable, its `provision_updated_at` then.
   */
  cleanRetry: z.union([z.literal(true), z.string()]).optional(),
  /** Reserved: a machine's key in a fleet. */
  member: z.string().optional(),
  /** Reserved: a job's run. */
  runId: z.string().optional(),
  /** Reserved: the deploy interface that the deployment itself changed. */
  deployInterfaceBefore: z.string().nullable().optional(),
});
export type DeploymentMarker = z.infer<typeof deploymentMarkerSchema>;

const fields = z.record(z.string(), z.unknown());

export const configMarkerSchema = z.looseObject({
  ...identity,
  /** Values that the managed fields had before we first wrote them, by field path; `null` for unset. */
  previous: fields.default({}),
  /** Values that we wrote, by field path. */
  written: fields.default({}),
  /** instance_uuid of a deployment of the same stack that left the state but stays on the machine. */
  keptInstanceUuid: z.string().optional(),
  /** The `resourceId` of that deployment: an instance_uuid that does not follow from it is not believed to be the stack's. */
  keptResourceId: z.string().optional(),
  /** The settings have left the stack while its deployment stood on the machine: who ends that one restores them. */
  restorePending: z.literal(true).optional(),
  /** Reserved: a machine's key in a fleet. */
  member: z.string().optional(),
});
export type ConfigMarker = z.infer<typeof configMarkerSchema>;

/** The beginning of every record: its version and whose it is. */
export const markOf = (identity: ResourceIdentity) => ({ version: WIRE_VERSION, ...identityOf(identity) }) as const;

/** The identity that stands for the unknown writer of a record that cannot be read; no stack has these brackets in its id. */
const stranger = (raw: unknown) => {
  const version = z.object({ version: z.number().gt(WIRE_VERSION) }).safeParse(raw);
  const what = version.success
    ? `(of a newer pulumi-ironic: version ${version.data.version} of its records)`
    : "(unreadable)";
  return { version: WIRE_VERSION, stackId: what, resourceId: what, resourceName: "unreadable" } as const;
};

/** The marker of whatever deployment is on the node. A record that cannot be read counts as another stack's. */
export function deploymentMarker(node: Pick<Node, "extra">): DeploymentMarker | undefined {
  const raw = node.extra[DEPLOYMENT_MARKER];
  if (raw === undefined || raw === null) return undefined;
  const { data } = deploymentMarkerSchema.safeParse(raw);
  return data ?? { ...stranger(raw), kind: "deployment", instanceUuid: "unreadable", preparedAt: null };
}

/** The marker of whatever settings are on the node. A record that cannot be read counts as another stack's. */
export function configMarker(node: Pick<Node, "extra">): ConfigMarker | undefined {
  const raw = node.extra[CONFIG_MARKER];
  if (raw === undefined || raw === null) return undefined;
  const { data } = configMarkerSchema.safeParse(raw);
  return data ?? { ...stranger(raw), previous: {}, written: {} };
}

const KNOWN = new Set(Object.keys(deploymentMarkerSchema.shape));

/** The beginning of a deployment's marker: `prior` is the one of ours that stands on the node, whose unknown keys are kept. */
export function deploymentMarkOf(claim: Claim, prior: DeploymentMarker | undefined) {
  const unknown = Object.fromEntries(Object.entries(prior ?? {}).filter(([key]) => !KNOWN.has(key)));
  return { ...unknown, ...markOf(claim), kind: "deployment", instanceUuid: claim.instanceUuid } as const;
}
