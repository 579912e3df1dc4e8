/**
 * Which fields a mark on a node may bring back where no state knows them. `extra`, where marks lie, may be written by people
 * who may write nothing else of the node, so a mark must not get them more than these fields: a closed list, with the values
 * that each of them may take. What is not in it is left to a person.
 */
import * as z from "zod";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../node/index.ts";

const interfaceName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .nullable();
const capability = /^[\w.+/-]{1,255}$/;
/** ironic/drivers/utils.py and docs/source/install/troubleshooting: case does not matter, booleans are the older form. */
const persistence = z.union([z.boolean(), z.string().regex(/^(default|always|never|true|false)$/i)]).nullable();
/** Too short and too plain for an address. */
const word = z.union([z.boolean(), z.number(), z.string().regex(/^[\w-]{1,64}$/)]).nullable();

/**
 * Keys of `driver_info` that say whom Ironic talks to, what it sends there, what it boots there, or how it proves itself: who
 * sets one of them gets the BMC's password, or a machine that boots what he likes. Parts of names, as drivers of other
 * parties have keys of their own.
 */
const SENSITIVE_KEY = new RegExp(
  [
    // Whom Ironic talks to.
    "addr|url|uri|host|server|endpoint|gateway|proxy|bridg|channel|network|share|port(?!al)",
    // As whom, and how it knows the other.
    "user|pass|pswd|key|token|secret|cred|auth|login|communit|cert|verify|tls|ssl|cipher|protocol|version|priv|security",
    // What is booted, and with what.
    "kernel|ramdisk|image|iso|loader|param|path|file|location|volume|target|template",
    // Which machine behind the BMC.
    "system|chassis|uuid|wwn|mac|serial|outlet",
    "(^|[_-])(ip|id|ca|community|terminal|domain)($|[_-])",
  ].join("|"),
  "i",
);

interface TrustedKind {
  /** Which keys of the field; absent where the field has none. */
  key?: (key: string) => boolean;
  value: z.ZodType;
  /** From whom: from any mark, or only where the program that runs manages the field as well. */
  from: "anyMark" | "managedByProgram";
}

/** By the beginning of the field's path. The first row that fits counts. */
const TRUSTED_KINDS: readonly (TrustedKind & { column: string })[] = [
  { column: "deploy_interface", value: interfaceName, from: "anyMark" },
  { column: "boot_interface", value: interfaceName, from: "anyMark" },
  // Never off: what a machine leaves on its disks would then be there for the next one.
  { column: "automated_clean", value: z.literal(true).nullable(), from: "anyMark" },
  { column: "description", value: z.string().max(4096).nullable(), from: "anyMark" },
  {
    column: "capabilities",
    key: (key) => capability.test(key),
    value: z.string().regex(capability).nullable(),
    from: "anyMark",
  },
  {
    column: "driver_info",
    key: (key) => key === "force_persistent_boot_device",
    value: persistence,
    from: "anyMark",
  },
  { column: "driver_info", key: (key) => !SENSITIVE_KEY.test(key), value: word, from: "managedByProgram" },
  // Who can write the mark can write these as well.
  {
    column: "extra",
    key: (key) => key !== CONFIG_MARKER && key !== DEPLOYMENT_MARKER,
    value: z.json(),
    from: "managedByProgram",
  },
];

/** `driver_info/redfish_address` in its two parts; `key` is undefined for a column as a whole. */
export function splitPath(path: string): [column: string, key: string | undefined] {
  const slash = path.indexOf("/");
  return slash === -1 ? [path, undefined] : [path.slice(0, slash), path.slice(slash + 1)];
}

const rowsOf = (path: string): readonly (TrustedKind & { column: string })[] => {
  const [column, key] = splitPath(path);
  return TRUSTED_KINDS.filter(
    (row) => row.column === column && (row.key === undefined ? key === undefined : key !== undefined),
  );
};

/** Is it a field that a BaremetalNodeConfig can manage at all? A mark that names another one was not written by this project. */
export function isManageable(path: string): boolean {
  const [column, key] = splitPath(path);
  return rowsOf(path).length > 0 && !(column === "extra" && (key === CONFIG_MARKER || key === DEPLOYMENT_MARKER));
}

/** May `value` be written to `path` on the word of a mark? `managed`: the program that runs manages the field. */
export const mayComeFromMark = (path: string, value: unknown, managed: boolean): boolean => {
  const key = splitPath(path)[1] ?? "";
  const row = rowsOf(path).find((each) => each.key?.(key) ?? true);
  return row !== undefined && (row.from === "anyMark" || managed) && row.value.safeParse(value ?? null).success;
};
