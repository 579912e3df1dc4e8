/**
 * Whose machine is it: the claim that a deployment lays on a node, and the markers by which stacks recognise each other.
 *
 * A deployment holds a node while `instance_uuid` is its own (Ironic answers 409 to a second one, so taking a node is
 * atomic) and `extra.pulumi_ironic_deployment` carries its marker. BaremetalNodeConfig has a marker of its own,
 * `extra.pulumi_ironic`. They are two keys so that two resources never write the same value.
 */
import { createHash, scrypt } from "node:crypto";
import type { Node } from "./node.ts";
import { isRunning } from "./states.ts";

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
export function deploymentMarker(node: Pick<Node, "extra">): DeploymentMarker | undefined {
  const raw = node.extra[DEPLOYMENT_MARKER];
  if (raw === undefined || raw === null) return undefined;
  const marker = asRecord(raw);
  return marker && typeof marker.owner === "string" && typeof marker.instanceUuid === "string"
    ? (marker as unknown as DeploymentMarker)
    : { owner: "unreadable", resource: "unreadable", instanceUuid: "unreadable", after: null };
}

export function configMarker(node: Pick<Node, "extra">): ConfigMarker | undefined {
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
  return { boots, after, at: isRunning(node) && at !== after ? at : null };
}
