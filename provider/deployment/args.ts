/** What a RamdiskDeployment takes: checked at preview, where any value may still be unknown. */
import * as z from "zod";
import { addressHash, type DriveReference, imageHash, jsonDriveHash, parseReference } from "../drive/index.ts";
import { type InstanceInfo, isMasked } from "../node/index.ts";
import type { Call, CheckFailure, Props } from "../plugin/index.ts";
import { hasUnknown, known, object, parse, text } from "../schema/index.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const isUuid = (value: string) => UUID.test(value);

const image = text((value) =>
  /^(https?|file|glance|oci):\/\/\S+$/.test(value) || isUuid(value)
    ? undefined
    : "must be a URL that the conductor can read (http://, https:// or file://) or the UUID of a Glance image",
);
const name = text((value) =>
  value.trim() === "" || /[/?#\s]/.test(value) ? "must be a node's name or UUID" : undefined,
);
const seconds = z
  .number()
  .int()
  .min(1)
  .max(7 * 24 * 3600);

// A probe that cannot be is refused here: it would be tried until the deadline, with the machine booted.
const isPort = (port: number): boolean => port >= 1 && port <= 65_535;
const host = text((value) =>
  isPort(Number(/^\S+:(\d{1,5})$/.exec(value)?.[1]))
    ? undefined
    : 'must be "host:port" with a port from 1 to 65535, e.g. "192.0.2.10:22"',
);
const url = text((value) =>
  /^https?:\/\/\S+$/.test(value) && URL.canParse(value) && new URL(value).port !== "0"
    ? undefined
    : "must be an http:// or https:// address",
);

export const readinessSchema = object({
  tcp: host.optional(),
  http: url.optional(),
  status: z.number().int().min(100).max(599).optional(),
  timeoutSeconds: seconds.optional(),
});
export type ReadinessProps = z.infer<typeof readinessSchema>;

export const deploymentSchema = object({
  node: name,
  kernel: image.optional(),
  ramdisk: image.optional(),
  bootIso: image.optional(),
  kernelArguments: z.string().max(2048).optional(),
  configDrive: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  timeoutSeconds: seconds.optional(),
  undeployTimeoutSeconds: seconds.optional(),
  updateStrategy: z.enum(["rebuild", "redeploy"]).optional(),
  onDestroy: z.enum(["undeploy", "keep"]).optional(),
  powerPolicy: z.enum(["ignore", "on"]).optional(),
  protected: z.boolean().optional(),
  readiness: readinessSchema.optional(),
  allocation: text((value) => (isUuid(value) ? undefined : "must be an allocation's UUID")).optional(),
  adopt: text((value) =>
    value === "unclaimed" || isUuid(value) ? undefined : 'must be the instance_uuid on the node, or "unclaimed"',
  ).optional(),
  stackId: z.string(),
  stackName: z.string().optional(),
  resourceId: z.string(),
  resourceName: z.string(),
});
export type DeploymentProps = z.infer<typeof deploymentSchema>;

export const DEFAULT_TIMEOUT_SECONDS = 1_800;
export const DEFAULT_READINESS_TIMEOUT_SECONDS = 900;
const UNDEPLOY_SECONDS = { clean: 3 * 3600, noClean: 300 };

export const undeployTimeoutSeconds = (asked: number | undefined, automatedClean: boolean | null | undefined): number =>
  asked ?? (automatedClean === false ? UNDEPLOY_SECONDS.noClean : UNDEPLOY_SECONDS.clean);

/** The engine's own time-out counts where it is shorter. */
export const timeoutMsOf = (props: DeploymentProps, { timeoutMs = Number.POSITIVE_INFINITY }: Call): number =>
  Math.min((props.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000, timeoutMs);

/** Does the deployment stay on the machine when it leaves the state? What was adopted stays unless said otherwise. */
export const keeps = ({ onDestroy }: Pick<DeploymentProps, "onDestroy">, adopted = false): boolean =>
  (onDestroy ?? (adopted ? "keep" : "undeploy")) === "keep";

const DRIVE_KEYS = ["meta_data", "network_data", "user_data", "vendor_data"];

/** A config drive in one of the two forms that Ironic takes, a reference to one, or the reason why it is none of them. */
export type DriveValue = { json: Props } | { text: string } | { source: DriveReference } | { reason: string };

/** Ironic's rule: JSON with known keys, else a URL, else base64 of a gzipped image (api/controllers/v1/node.py). */
export function driveValue(value: string | Props): DriveValue {
  if (typeof value !== "string") return jsonDrive(value);
  const source = parseReference(value);
  if (source) return { source };
  const trimmed = value.trim();
  if (trimmed.startsWith("{")) {
    try {
      return jsonDrive(JSON.parse(trimmed) as Props);
    } catch {
      return { reason: "starts like JSON but is not valid JSON" };
    }
  }
  if (/^https?:\/\/\S+$/.test(trimmed)) return { text: trimmed };
  // "H4sI" is how base64 of a gzip stream begins.
  if (/^H4sI[A-Za-z0-9+/\s]*={0,2}\s*$/.test(trimmed)) return { text: trimmed };
  return {
    reason:
      "must be an object or JSON text with meta_data, network_data, user_data, vendor_data; or base64 of a gzipped ISO image; or an http(s) address",
  };
}

function jsonDrive(value: Props): DriveValue {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { reason: "must be a JSON object" };
  const strange = Object.keys(value).filter((key) => !DRIVE_KEYS.includes(key));
  return strange.length > 0
    ? { reason: `has the key ${strange.join(", ")}; Ironic takes only ${DRIVE_KEYS.join(", ")}` }
    : { json: value };
}

/** The same for the same content, whatever the form in which it comes. */
export function driveHashOf(value: string | Props): string {
  const drive = driveValue(value);
  if ("json" in drive) return jsonDriveHash(drive.json);
  if ("source" in drive) return drive.source.sha256;
  const text = String(value).trim();
  return /^https?:/.test(text) ? addressHash(text) : imageHash(Buffer.from(text, "latin1"));
}

function rules(props: DeploymentProps): CheckFailure[] {
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
  for (const path of ["kernel", "ramdisk", "bootIso", "kernelArguments"] as const)
    if (isMasked(props[path]))
      failures.push({ path, reason: "has asterisks that Ironic shows instead of a secret; give the secret itself" });
  if (readiness && known(readiness) && (readiness.tcp === undefined) === (readiness.http === undefined))
    failures.push({ path: "readiness", reason: "takes exactly one of tcp and http" });
  if (readiness && readiness.status !== undefined && readiness.http === undefined)
    failures.push({ path: "readiness.status", reason: "goes with http only" });
  if (props.configDrive !== undefined && !hasUnknown(props.configDrive)) {
    const drive = driveValue(props.configDrive);
    if ("reason" in drive) failures.push({ path: "configDrive", reason: drive.reason });
  }
  if (props.adopt !== undefined && props.allocation !== undefined)
    failures.push({ path: "adopt", reason: "cannot stand beside allocation" });
  return failures;
}

export function checkDeployment(news: Props): { props: DeploymentProps; failures: CheckFailure[] } {
  const { value, failures } = parse(deploymentSchema as z.ZodType<DeploymentProps>, news);
  return { props: value, failures: failures.length > 0 ? failures : rules(value) };
}

export function instanceInfo(props: DeploymentProps, needsImageSource: boolean): InstanceInfo {
  const { kernel, ramdisk, bootIso, kernelArguments } = props;
  return {
    ...(kernel !== undefined && { kernel }),
    ...(ramdisk !== undefined && { ramdisk }),
    ...(bootIso !== undefined && { boot_iso: bootIso }),
    // Works on pxe, ipxe and on the ISO that virtual media makes; kernel_append_params is ignored by the latter.
    ...(kernelArguments !== undefined && kernelArguments !== "" && { ramdisk_kernel_arguments: kernelArguments }),
    ...(needsImageSource && ramdisk !== undefined && { image_source: ramdisk }),
  };
}
