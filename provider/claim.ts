/**
 * Whose machine is it: the claim that a deployment lays on a node, and the markers by which stacks recognise each other.
 *
 * A deployment holds a node while `instance_uuid` is its own (Ironic answers 409 to a second one, so taking a node is
 * atomic) and `extra.pulumi_ironic_deployment` carries its marker. BaremetalNodeConfig has a marker of its own,
 * `extra.pulumi_ironic`. They are two keys so that two resources never write the same value.
 */
import { createHash, scrypt } from "node:crypto";
import { type Node, type PatchOp, pointer } from "./node.ts";
import { stateFacts } from "./states.ts";

export const CONFIG_MARKER = "pulumi_ironic";
export const DEPLOYMENT_MARKER = "pulumi_ironic_deployment";

/** The last start that is known for certain; lives in the stack's state. */
export interface Started {
  /** Fingerprint of what was booted. */
  boots: string;
  /** `after` of its marker: another one on the node means that something was prepared since. */
  after: string | null;
  /** `provision_updated_at` when the machine was seen to run it; `null` where that run was cut off before. */
  at: string | null;
}

/** What makes a deployment recognisable. All three are fixed at create and live in the stack's state. */
export interface Claim {
  owner: string;
  /** The resource's logical name when it was created; for people. */
  resource: string;
  instanceUuid: string;
}

export interface DeploymentMarker extends Claim {
  /** Fingerprint of the config drive that was last sent, or absent. */
  drive?: string;
  /** Fingerprint of what was last booted: others may write to `instance_info` without a reboot. Unknown where adopted. */
  boots?: string;
  /** Fingerprint of what stood there when a running machine's next boot was written down: until that comes, it runs this. */
  over?: string;
  /**
   * `provision_updated_at` when this marker was written. While the node still shows the same value, what the marker
   * describes has not been started: this is how a re-run after a crash knows whether its PUT arrived.
   */
  after: string | null;
  /** We set `protected`, so we may lift it. */
  protected?: boolean;
  /** The deployment is to stay on the machine when it leaves the state. */
  keep?: boolean;
  /**
   * A failed cleaning is being repeated: a run that is killed on the way leaves a node that looks like an operator's. From
   * when the node is manageable, its `provision_updated_at` then.
   */
  recovering?: true | string;
}

export interface ConfigMarker {
  owner: string;
  resource: string;
  /** Values that the managed fields had before we first wrote them, by field path; `null` for unset. */
  previous: Record<string, unknown>;
  /** Values that we wrote, by field path. */
  written: Record<string, unknown>;
  /** instance_uuid of a deployment of the same stack that left the state but stays on the machine. */
  kept?: string;
  /** The settings have left the stack while its deployment stood on the machine: who ends that one restores them. */
  left?: true;
}

// A name-based UUID (RFC 9562, version 8: own hash), so that a re-run after a crash computes the same claim.
export function instanceUuidFor(owner: string, resource: string, nodeUuid: string): string {
  const hex = createHash("sha256").update(`pulumi-ironic\0${owner}\0${resource}\0${nodeUuid}`).digest("hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}

const fingerprints = new Map<string, Promise<string>>();

/**
 * A fingerprint of a config drive that may stand on the node in plain text: everybody who reads the node sees it, so
 * it is slow to compute (guessing a short password from it is not worth it), once per process, and salted by the
 * deployment.
 */
export function driveFingerprint(sha256: string, instanceUuid: string): Promise<string> {
  const key = `${instanceUuid} ${sha256}`;
  const known =
    fingerprints.get(key) ??
    new Promise<string>((resolve, reject) =>
      scrypt(sha256, instanceUuid, 8, (error, bytes) => (error ? reject(error) : resolve(bytes.toString("hex")))),
    );
  fingerprints.set(key, known);
  return known;
}

const asRecord = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

/** The marker of whatever deployment is on the node. Something unreadable under our key is a stranger's. */
export function deploymentMarker(node: Node): DeploymentMarker | undefined {
  const raw = node.extra[DEPLOYMENT_MARKER];
  if (raw === undefined || raw === null) return undefined;
  const marker = asRecord(raw);
  return marker && typeof marker.owner === "string" && typeof marker.instanceUuid === "string"
    ? (marker as unknown as DeploymentMarker)
    : { owner: "unreadable", resource: "unreadable", instanceUuid: "unreadable", after: null };
}

/** Is a failed cleaning being repeated here? Not where an operator made the node manageable since. */
export function isRecovering(node: Node): boolean {
  const { recovering } = deploymentMarker(node) ?? {};
  return recovering === true || (recovering !== undefined && recovering === node.provision_updated_at);
}

export function configMarker(node: Node): ConfigMarker | undefined {
  const raw = node.extra[CONFIG_MARKER];
  if (raw === undefined || raw === null) return undefined;
  const marker = asRecord(raw);
  return marker && typeof marker.owner === "string"
    ? {
        owner: marker.owner,
        resource: String(marker.resource ?? ""),
        previous: asRecord(marker.previous) ?? {},
        written: asRecord(marker.written) ?? {},
        ...(typeof marker.kept === "string" && { kept: marker.kept }),
        ...(marker.left === true && { left: true }),
      }
    : { owner: "unreadable", resource: "unreadable", previous: {}, written: {} };
}

/** The start that `node` shows: of what `boots` stands for. */
export function startedOf(node: Node, boots: string): Started {
  const after = deploymentMarker(node)?.after ?? null;
  const at = node.provision_updated_at;
  return { boots, after, at: node.provision_state === "active" && at !== after ? at : null };
}

export type Holder =
  | { kind: "free" }
  /** Our `instance_uuid` is on the node; the marker is ours or was wiped by somebody. */
  | { kind: "ours"; marker: DeploymentMarker | undefined }
  /** Our marker without `instance_uuid`: being undeployed, or somebody removed it. */
  | { kind: "marked"; marker: DeploymentMarker }
  | { kind: "other"; who: string };

/** Who holds the node, seen from one deployment. Both signs count: one that is another's is enough to keep off. */
export function holderOf(node: Node, claim: Claim): Holder {
  const marker = deploymentMarker(node);
  const config = configMarker(node);
  if (marker && (marker.owner !== claim.owner || marker.instanceUuid !== claim.instanceUuid))
    return { kind: "other", who: `deployment "${marker.resource}" of owner ${marker.owner}` };
  if (config && config.owner !== claim.owner)
    return { kind: "other", who: `BaremetalNodeConfig "${config.resource}" of owner ${config.owner}` };
  if (node.instance_uuid && node.instance_uuid !== claim.instanceUuid)
    return { kind: "other", who: `instance ${node.instance_uuid}` };
  if (node.instance_uuid) return { kind: "ours", marker };
  return marker ? { kind: "marked", marker } : { kind: "free" };
}

/**
 * Did a run of this deployment's, perhaps one that was killed, take the node? In mid-redeploy the marker alone tells; on a
 * machine that runs it does not.
 */
export function isTaken(node: Node, claim: Claim): boolean {
  const holder = holderOf(node, claim);
  if (holder.kind === "marked") return stateFacts(node.provision_state)?.release !== "undeploy";
  return holder.kind === "ours" && holder.marker !== undefined;
}

/**
 * Keys of `instance_info` that decide what is booted. Whatever an earlier deployment left of them would change ours:
 * a stale `image_source`, for one, makes virtual media boot the disk.
 * Source: ironic/drivers/modules/{boot_mode_utils,image_utils,pxe_utils}.py and deploy_utils.py.
 */
const BOOT_KEYS = [
  "kernel",
  "ramdisk",
  "boot_iso",
  "image_source",
  "image_type",
  "image_checksum",
  "image_os_hash_algo",
  "image_os_hash_value",
  "image_url",
  "original_image_source",
  "ramdisk_kernel_arguments",
  "kernel_append_params",
] as const;

/** What a deployment wants in `instance_info`; `configdrive` travels in the PUT and never here. */
export type InstanceInfo = Partial<
  Record<"kernel" | "ramdisk" | "boot_iso" | "image_source" | "ramdisk_kernel_arguments", string>
>;

/** Fingerprint of what a machine boots. An `image_source` beside kernel and ramdisk makes no difference to it. */
export function bootsOf({ kernel, ramdisk, boot_iso, ramdisk_kernel_arguments }: InstanceInfo): string {
  const what = [kernel, ramdisk, boot_iso, ramdisk_kernel_arguments].map((value) => value ?? "");
  return createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 16);
}

/** What Ironic shows instead of what it takes for a secret, such as the rest of a word after `token=` (oslo.utils, strutils). */
const MASK = "******";

export const isMasked = (value: unknown): boolean => JSON.stringify(value ?? null).includes(MASK);

/** Can the value that Ironic shows be `wanted`? What it masks may be anything; the marker tells, by the hash in `boots`. */
export function shows(shown: unknown, wanted: unknown): boolean {
  if (typeof shown !== "string" || typeof wanted !== "string" || !isMasked(shown)) return shown === wanted;
  const [start = "", ...rest] = shown.split(MASK);
  // Between quotes it leaves out more than it marks.
  if (/['"]/.test(rest.join())) return wanted.startsWith(start);
  const parts = [start, ...rest].map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(wanted);
}

/**
 * Does the node's `instance_info` say what `info` says? `image_type` is Ironic's own derivation from `image_source`,
 * and an `image_source` equal to the ramdisk changes nothing about what is booted (see decision.ts, infoFor).
 */
export function infoMatches(node: Node, info: InstanceInfo): boolean {
  const actual = node.instance_info;
  return BOOT_KEYS.every(
    (key) =>
      key === "image_type" ||
      shows(actual[key] ?? undefined, (info as Record<string, string>)[key]) ||
      (key === "image_source" && info.image_source === undefined && shows(actual[key], info.ramdisk)),
  );
}

/** The one PATCH that takes the node, or that prepares it for a rebuild: only what differs. */
export function claimPatch(node: Node, marker: DeploymentMarker, info: InstanceInfo): PatchOp[] {
  const wanted = info as Record<string, string>;
  const ops: PatchOp[] = [];
  if (node.instance_uuid !== marker.instanceUuid)
    ops.push({ op: "add", path: "/instance_uuid", value: marker.instanceUuid });
  for (const key of BOOT_KEYS) {
    const value = wanted[key];
    const path = pointer("instance_info", key);
    if (value !== undefined && node.instance_info[key] !== value) ops.push({ op: "add", path, value });
    if (value === undefined && key in node.instance_info) ops.push({ op: "remove", path });
  }
  // A rebuild without a config drive goes on with the one that stands here (ironic/conductor/deployments.py).
  if (marker.drive === undefined && "configdrive" in node.instance_info)
    ops.push({ op: "remove", path: pointer("instance_info", "configdrive") });
  ops.push({ op: "add", path: pointer("extra", DEPLOYMENT_MARKER), value: marker });
  return ops;
}

/**
 * Is the instance_uuid an allocation's, which goes with it? Once undeployed it is not, though the deployment may have taken
 * the node again under the same UUID.
 */
export const isAllocated = (node: Node, { instanceUuid }: Claim): boolean => node.allocation_uuid === instanceUuid;

/** Takes the claim, and what it put into `instance_info`, off a node that nothing of ours runs on. */
export function unclaimPatch(node: Node, claim: Claim): PatchOp[] {
  const ops: PatchOp[] = [];
  if (node.instance_uuid === claim.instanceUuid) {
    if (!isAllocated(node, claim)) ops.push({ op: "remove", path: "/instance_uuid" });
    for (const key of BOOT_KEYS)
      if (key in node.instance_info) ops.push({ op: "remove", path: pointer("instance_info", key) });
  }
  if (DEPLOYMENT_MARKER in node.extra) ops.push({ op: "remove", path: pointer("extra", DEPLOYMENT_MARKER) });
  return ops;
}

export const markerPatch = (marker: DeploymentMarker | undefined): PatchOp[] => [
  marker
    ? { op: "add", path: pointer("extra", DEPLOYMENT_MARKER), value: marker }
    : { op: "remove", path: pointer("extra", DEPLOYMENT_MARKER) },
];

/** Takes the marker off a machine that stays as it is, and tells the stack's BaremetalNodeConfig about it. */
export const handOverPatch = (node: Node, claim: Claim): PatchOp[] => [
  ...markerPatch(undefined),
  ...(configMarker(node)?.owner === claim.owner
    ? [{ op: "add" as const, path: pointer("extra", CONFIG_MARKER, "kept"), value: claim.instanceUuid }]
    : []),
];
