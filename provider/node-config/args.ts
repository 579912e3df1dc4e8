/** What a BaremetalNodeConfig takes, and the node's fields that it manages: a table from inputs to Ironic's fields. */
import { canonicalJson } from "../core/index.ts";
import {
  CONFIG_MARKER,
  type ConfigMarker,
  DEPLOYMENT_MARKER,
  type Node,
  type PatchOp,
  pointer,
} from "../node/index.ts";
import { type CheckFailure, changedArguments, declaredIn, type Props, shapeOf } from "../plugin/index.ts";
import { type Draft, object, type Parsed, parse, withRules } from "../schema/index.ts";
import { DEFAULT_DEPLOY_INTERFACE, NODE_CONFIG_ARGUMENTS, type NodeConfigProps } from "./arguments.ts";
import { splitPath } from "./trusted-fields.ts";

// Ironic masks such values when they are read, so what was there before could never be restored.
const CREDENTIAL =
  /passw|passphrase|admin_?pass|new_pass|sys_pswd|secret|token|credential|private|encrypted_key|sslkey|fernetkey|configdrive|snmp_.*(key|community)|username_key/i;
// oslo.utils, strutils: its patterns for texts.
const HIDDEN =
  "(password|passphrase|admin_?pass|new_pass|sys_pswd|secret|token|private_key|encrypted_key|sslkey|fernetkey)";
const CREDENTIAL_WITHIN = new RegExp(`${HIDDEN}[0-9]*(\\s*=|['"]\\s*:|\\s+['"])|--${HIDDEN}[0-9]*\\s`, "i");
const CAPABILITY = /^[^,:\s]+$/;

/** Is it, or does it hold, what Ironic would mask? */
export const isCredential = (key: string, value: unknown): boolean =>
  CREDENTIAL.test(key) || CREDENTIAL_WITHIN.test(typeof value === "string" ? value : JSON.stringify(value));

/** What is known of a map. */
const entriesOf = (map: unknown): [string, unknown][] =>
  typeof map === "object" && map !== null ? Object.entries(map) : [];

function rules({ driverInfo, capabilities, extra }: Draft<NodeConfigProps>): CheckFailure[] {
  const failures: CheckFailure[] = [];
  for (const [key, value] of entriesOf(driverInfo))
    if (isCredential(key, value))
      failures.push({
        path: `driverInfo.${key}`,
        reason:
          "is or contains a credential. Ironic hides its value, so it could not be restored. Set it with Ironic's own client",
        code: "driver-info-credential",
      });
  for (const key of entriesOf(extra).map(([key]) => key))
    if (key === CONFIG_MARKER || key === DEPLOYMENT_MARKER)
      failures.push({
        path: `extra.${key}`,
        reason: "is reserved for the markers by which stacks recognize each other; use another key",
        code: "argument-invalid",
      });
  for (const [key, value] of entriesOf(capabilities))
    if (!CAPABILITY.test(key) || (typeof value === "string" && !CAPABILITY.test(value)))
      failures.push({
        path: `capabilities.${key}`,
        reason: "key and value cannot contain commas, colons or spaces",
        code: "argument-invalid",
      });
  return failures;
}

const nodeConfigSchema = object(shapeOf(NODE_CONFIG_ARGUMENTS));

export const parseNodeConfig = (news: Props): Parsed<NodeConfigProps> =>
  withRules(parse(nodeConfigSchema, news), rules);

/** Values by field path; `null` is Ironic's "unset". */
export type Fields = Record<string, unknown>;

/** `driver_info` and `extra` are managed key by key, so that what others put beside ours stays theirs. */
export function wantedFields(props: Draft<NodeConfigProps>): Fields {
  const fields: Fields = { deploy_interface: props.deployInterface ?? DEFAULT_DEPLOY_INTERFACE };
  if (props.bootInterface !== undefined) fields.boot_interface = props.bootInterface;
  if (props.automatedCleaning !== undefined) fields.automated_clean = props.automatedCleaning;
  if (props.description !== undefined) fields.description = props.description;
  for (const [key, value] of entriesOf(props.driverInfo)) fields[`driver_info/${key}`] = value;
  for (const [key, value] of entriesOf(props.capabilities)) fields[`capabilities/${key}`] = value;
  for (const [key, value] of entriesOf(props.extra)) fields[`extra/${key}`] = value;
  return fields;
}

const orNothing = (map: unknown): unknown =>
  typeof map === "object" && map !== null && Object.keys(map).length === 0 ? undefined : map;

/** Would `news` have something else done than `olds`? A default that is written out, or a map without keys, says nothing new. */
export function hasOtherSettings(olds: NodeConfigProps, news: Draft<NodeConfigProps>): boolean {
  const plain = (props: Draft<NodeConfigProps>): Props => ({
    ...props,
    deployInterface: props.deployInterface ?? DEFAULT_DEPLOY_INTERFACE,
    driverInfo: orNothing(props.driverInfo),
    capabilities: orNothing(props.capabilities),
    extra: orNothing(props.extra),
  });
  return changedArguments(NODE_CONFIG_ARGUMENTS, plain(olds), plain(news), "inPlace", "nothing").length > 0;
}

/** The inverse of wantedFields, for refresh: the declared inputs with the fields' values in them. */
export function inputsOf(props: NodeConfigProps, live: Fields): Props {
  const inputs = declaredIn(NODE_CONFIG_ARGUMENTS, props);
  const put = (key: string, value: unknown) => {
    if (value === null || value === undefined) delete inputs[key];
    else inputs[key] = value;
  };
  for (const [path, value] of Object.entries(live)) {
    const [column, key] = splitPath(path);
    if (path === "deploy_interface" && props.deployInterface === undefined && value === DEFAULT_DEPLOY_INTERFACE)
      continue;
    if (key === undefined) put(INPUT_NAMES[column] ?? column, value);
    else {
      const input = INPUT_NAMES[column] ?? column;
      const map = Object.fromEntries(entriesOf(inputs[input]));
      if (value === null) delete map[key];
      else map[key] = value;
      inputs[input] = map;
    }
  }
  return inputs;
}

const INPUT_NAMES: Readonly<Record<string, string>> = {
  deploy_interface: "deployInterface",
  boot_interface: "bootInterface",
  automated_clean: "automatedCleaning",
  driver_info: "driverInfo",
};

/** Fields that change only in a few states: https://docs.openstack.org/ironic/latest/admin/upgrade-to-hardware-types.html */
export const isInterface = (path: string): boolean => path.endsWith("_interface");

/** `properties.capabilities` is one string, `key:value,key:value`. Parts that others wrote need not have that form. */
function capabilitiesOf(node: Node): string[] {
  const raw = node.properties.capabilities;
  return typeof raw === "string" && raw !== "" ? raw.split(",") : [];
}

/** Where the part is that counts, as Ironic sees it: ironic/drivers/utils.py, get_node_capability. */
const capabilityAt = (parts: readonly string[], key: string): number =>
  parts.findIndex((part) => part.split(":").length === 2 && part.split(":", 1)[0]?.trim() === key);

/** Do the capabilities have a form that cannot be edited? */
export const hasOddCapabilities = ({ properties }: Node): boolean =>
  typeof (properties.capabilities ?? "") !== "string";

export function readField(node: Node, path: string): unknown {
  const [column, key = ""] = splitPath(path);
  if (column === "capabilities") {
    const parts = capabilitiesOf(node);
    return parts[capabilityAt(parts, key)]?.split(":")[1]?.trim() ?? null;
  }
  const value = new Map<string, unknown>(Object.entries(node)).get(column);
  return (path === column ? value : new Map(entriesOf(value)).get(key)) ?? null;
}

export const readFields = (node: Node, paths: readonly string[]): Fields =>
  Object.fromEntries(paths.map((path) => [path, readField(node, path)]));

export const sameValue = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) === canonicalJson(b ?? null);

/**
 * The operations that set `changes`. Unset columns are written as `replace` with null, as `remove` of automated_clean
 * answers 500 on Ironic 39.0; the description is removed, as null answers 500 there.
 */
export function fieldsPatch(node: Node, changes: Fields): PatchOp[] {
  const ops: PatchOp[] = [];
  const parts = capabilitiesOf(node);
  let capabilitiesChanged = false;
  for (const [path, value] of Object.entries(changes)) {
    const [column, key] = splitPath(path);
    if (column === "capabilities") {
      capabilitiesChanged = true;
      const at = capabilityAt(parts, key ?? "");
      parts.splice(at === -1 ? parts.length : at, 1, ...(value === null ? [] : [`${key}:${value}`]));
    } else if (column === "description" && value === null) ops.push({ op: "remove", path: pointer(column) });
    else if (key === undefined) ops.push({ op: "replace", path: pointer(column), value });
    else if (value !== null) ops.push({ op: "add", path: pointer(column, key), value });
    else if (readField(node, path) !== null) ops.push({ op: "remove", path: pointer(column, key) });
  }
  if (capabilitiesChanged) {
    const text = parts.join(",");
    if (text !== "") ops.push({ op: "add", path: "/properties/capabilities", value: text });
    else if ("capabilities" in node.properties) ops.push({ op: "remove", path: "/properties/capabilities" });
  }
  return ops;
}

export const configMarkerPatch = (marker: ConfigMarker): PatchOp => ({
  op: "add",
  path: pointer("extra", CONFIG_MARKER),
  value: marker,
});
export const removeConfigMarker: PatchOp = { op: "remove", path: pointer("extra", CONFIG_MARKER) };
