/** The arguments of a RamdiskDeployment: all that is decided by argument. */
import * as z from "zod";
import type { BootField } from "../node/index.ts";
import { type ArgumentRow, type ArgumentTable, IDENTITY_ARGUMENTS } from "../plugin/index.ts";
import { hasUnknown, nodeName, object, text } from "../schema/index.ts";
import type { IdentityInputs } from "../stack/index.ts";
import { driveValue } from "./drive-value.ts";
import type { RamdiskDeploymentArgs } from "./index.ts";
import type { SECRET_ARGUMENTS } from "./secrets.ts";

export const DEFAULT_TIMEOUT_SECONDS = 1_800;
export const DEFAULT_READINESS_TIMEOUT_SECONDS = 900;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const isUuid = (value: string) => UUID.test(value);

const image = text((value) =>
  /^(https?|file|glance|oci):\/\/\S+$/.test(value) || isUuid(value)
    ? undefined
    : "must be a URL that the conductor can read (http://, https:// or file://) or the UUID of a Glance image",
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

const readiness = object({
  tcp: host.optional(),
  http: url.optional(),
  status: z.number().int().min(100).max(599).optional(),
  timeoutSeconds: seconds.optional(),
});
export type ReadinessProps = z.infer<typeof readiness>;

const configDrive = z.union([z.string(), z.record(z.string(), z.unknown())]);

/** The drive's JSON, where it has that form and is known. */
function driveJson(value: unknown): object | undefined {
  const { data } = configDrive.safeParse(value);
  const drive = data === undefined || hasUnknown(data) ? undefined : driveValue(data);
  return drive && "json" in drive ? drive.json : undefined;
}

/** What reboots a machine reaches it in `instance_info`, and so is part of `bootHash`, or as its config drive. */
type DeploymentRow = ArgumentRow &
  ({ change: "reboots"; boots: BootField | "configdrive" } | { change: Exclude<ArgumentRow["change"], "reboots"> });

export type DeploymentTable = ArgumentTable<
  keyof RamdiskDeploymentArgs | keyof IdentityInputs,
  (typeof SECRET_ARGUMENTS)[number],
  DeploymentRow
>;

export const DEPLOYMENT_ARGUMENTS = {
  node: {
    schema: nodeName,
    change: "replaces",
    meaning: "Name or UUID of the node. Another spelling of the same node changes nothing.",
  },
  kernel: {
    schema: image.optional(),
    change: "reboots",
    boots: "kernel",
    meaning:
      "Kernel: `http`, `https`, `file`, `glance` or `oci` address that the conductor can read, or the UUID of a Glance image.",
  },
  ramdisk: { schema: image.optional(), change: "reboots", boots: "ramdisk", meaning: "Ramdisk, as `kernel`." },
  bootIso: {
    schema: image.optional(),
    change: "reboots",
    boots: "boot_iso",
    meaning: "ISO image, as `kernel`. Conflicts with `kernel` and `ramdisk`.",
  },
  kernelArguments: {
    schema: z.string().max(2048).optional(),
    change: "reboots",
    // Works on pxe, ipxe and on the ISO that virtual media makes; kernel_append_params is ignored by the latter.
    boots: "ramdisk_kernel_arguments",
    meaning: "Kernel command line, at most 2048 characters. No effect on `bootIso`.",
  },
  configDrive: {
    schema: configDrive.optional(),
    change: "reboots",
    boots: "configdrive",
    secret: true,
    needs: [
      { feature: "configDriveJson", when: (value) => driveJson(value) !== undefined, says: "JSON needs" },
      {
        feature: "vendorData",
        when: (value) => Object.hasOwn(driveJson(value) ?? {}, "vendor_data"),
        says: "JSON with `vendor_data` needs",
      },
    ],
    meaning:
      "ConfigDrive's `content`; an object or JSON text with `meta_data`, `network_data`, `user_data`, `vendor_data`; base64 of a gzipped ISO image; or an http(s) address.",
  },
  timeoutSeconds: {
    schema: seconds.optional(),
    change: "nothing",
    default: `${DEFAULT_TIMEOUT_SECONDS} s`,
    meaning: "How long to wait for `active`; 1 to 604800.",
  },
  undeployTimeoutSeconds: {
    schema: seconds.optional(),
    change: "nothing",
    default: "10800 s if the node cleans, else 300 s",
    meaning: "How long to wait until the node is given back; 1 to 604800.",
  },
  updateStrategy: {
    schema: z.enum(["rebuild", "redeploy"]).optional(),
    change: "nothing",
    default: "`rebuild`",
    meaning: "How a change reaches the machine, see below.",
  },
  onDestroy: {
    schema: z.enum(["undeploy", "keep"]).optional(),
    change: "inPlace",
    default: "`undeploy`; after `adopt`: `keep`",
    meaning: "`keep` leaves the machine running and forgets it. What never ran is given back.",
  },
  powerPolicy: {
    schema: z.enum(["ignore", "on"]).optional(),
    change: "inPlace",
    default: "`ignore`",
    meaning: "`on` powers a switched-off machine on again.",
  },
  protected: {
    schema: z.boolean().optional(),
    change: "inPlace",
    needs: [{ feature: "protected", when: (value) => value === true }],
    default: "`false`",
    meaning: "Sets Ironic's `protected` once the node is active. Lifted only if this resource set it.",
  },
  readiness: { schema: readiness.optional(), change: "nothing", meaning: "Probe after `active`, see below." },
  allocation: {
    schema: text((value) => (isUuid(value) ? undefined : "must be an allocation's UUID")).optional(),
    change: "replaces",
    meaning: "UUID of a NodeAllocation; it becomes the instance UUID. Conflicts with `adopt`.",
  },
  adopt: {
    schema: text((value) =>
      value === "unclaimed" || isUuid(value) ? undefined : 'must be the instance_uuid on the node, or "unclaimed"',
    ).optional(),
    change: "onlyAtCreation",
    meaning: "Takes a running deployment over: its `instance_uuid`, or `unclaimed`. Conflicts with `allocation`.",
  },
  ...IDENTITY_ARGUMENTS,
} satisfies DeploymentTable;

type Table = typeof DEPLOYMENT_ARGUMENTS;
export type DeploymentProps = z.infer<z.ZodObject<{ [Name in keyof Table]: Table[Name]["schema"] }>>;

/** Arguments that reach the machine in `instance_info`. */
export type BootArgument = {
  [Name in keyof Table]: Table[Name] extends { boots: BootField } ? Name : never;
}[keyof Table];

const isBootArgument = (name: string): name is BootArgument => {
  const row: DeploymentRow | undefined = Object.hasOwn(DEPLOYMENT_ARGUMENTS, name)
    ? DEPLOYMENT_ARGUMENTS[name as keyof Table]
    : undefined;
  return row?.change === "reboots" && row.boots !== "configdrive";
};
export const BOOT_ARGUMENTS: readonly BootArgument[] = Object.keys(DEPLOYMENT_ARGUMENTS).filter(isBootArgument);
