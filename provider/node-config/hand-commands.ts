/** The commands by which a person writes settings that this project does not write by itself. */
import type { Node } from "../node/index.ts";
import { type Fields, fieldsPatch, isCredential } from "./args.ts";
import { splitPath } from "./trusted-fields.ts";

/** What is longer is not for a command line. */
const MAX_SHOWN = 512;
/** Neither control characters nor what turns the direction of the text: what is shown is what is pasted. */
const PRINTABLE = /^[\p{L}\p{N}\p{P}\p{S} ]*$/u;

/** For a POSIX shell. */
const quoted = (text: string): string => (/^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const pair = (key: string, value: unknown): string =>
  isCredential(key, value) || textOf(value).length > MAX_SHOWN || !PRINTABLE.test(textOf(value))
    ? quoted(`${key}=VALUE`)
    : quoted(`${key}=${textOf(value)}`);

/** `--driver-info` and the like. */
const KEYED: Readonly<Record<string, string>> = { driver_info: "--driver-info", extra: "--extra" };

interface Options {
  set: string[];
  unset: string[];
}

function optionsFor(path: string, value: unknown): Options {
  const [column, key] = splitPath(path);
  const option = `--${column.replaceAll("_", "-")}`;
  if (key !== undefined) {
    const keyed = KEYED[column] ?? option;
    if (!PRINTABLE.test(key) || key.length > MAX_SHOWN) return { set: [], unset: [] };
    return value === null
      ? { set: [], unset: [`${keyed} ${quoted(key)}`] }
      : { set: [`${keyed} ${pair(key, value)}`], unset: [] };
  }
  if (value === null) return { set: [], unset: [option] };
  if (typeof value === "boolean") return { set: [value ? option : `--no-${column.replaceAll("_", "-")}`], unset: [] };
  const text = textOf(value);
  return { set: [`${option} ${PRINTABLE.test(text) && text.length <= MAX_SHOWN ? quoted(text) : "VALUE"}`], unset: [] };
}

/** All capabilities are one property. */
function capabilitiesFor(node: Node, fields: Fields): Options {
  const capabilities = Object.fromEntries(Object.entries(fields).filter(([path]) => path.startsWith("capabilities/")));
  const [op] = fieldsPatch(node, capabilities);
  if (op === undefined) return { set: [], unset: [] };
  return op.op === "remove"
    ? { set: [], unset: ["--property capabilities"] }
    : { set: [`--property ${pair("capabilities", op.value)}`], unset: [] };
}

/** `baremetal node set …` and `baremetal node unset …`, ready to be pasted into a shell. */
export function commandsFor(node: Node, fields: Fields): string {
  const options = [
    ...Object.entries(fields)
      .filter(([path]) => !path.startsWith("capabilities/"))
      .map(([path, value]) => optionsFor(path, value)),
    capabilitiesFor(node, fields),
  ];
  return (["set", "unset"] as const)
    .map((verb) => ({ verb, list: options.flatMap((each) => each[verb]) }))
    .filter(({ list }) => list.length > 0)
    .map(({ verb, list }) => `\`baremetal node ${verb} ${node.uuid} ${list.join(" ")}\``)
    .join(" and ");
}
