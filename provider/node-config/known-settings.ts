/**
 * What is known of the settings that a BaremetalNodeConfig has written, and on whose word. The state's word counts. A mark on
 * the node is a hint: it adds what the state does not know, as far as trusted-fields.ts allows.
 */
import { type ConfigMarker, type Node, nodeLabel } from "../node/index.ts";
import type { Call } from "../plugin/index.ts";
import { type Fields, readField, sameValue } from "./args.ts";
import { commandsFor } from "./hand-commands.ts";
import { isManageable, mayComeFromMark } from "./trusted-fields.ts";

export interface KnownSettings {
  /** What the fields were before, by path. */
  previous: Fields;
  /** What was written. */
  written: Fields;
  /** What a mark alone wants to be written back, and what is not written on its word. */
  doubtful: Fields;
}

export type SettingsRecord = Pick<KnownSettings, "previous" | "written">;

export const NOTHING_KNOWN: SettingsRecord = { previous: {}, written: {} };

/** `isManaged`: does the program that runs manage this field? */
export function knownSettings(
  node: Node,
  mark: Pick<ConfigMarker, "previous" | "written"> | undefined,
  state: SettingsRecord,
  isManaged: (path: string) => boolean = () => false,
): KnownSettings {
  const previous = { ...state.previous };
  const written = { ...state.written };
  const doubtful: Fields = {};
  for (const [path, value] of Object.entries(mark?.written ?? {})) {
    if (!isManageable(path)) continue;
    const now = readField(node, path);
    const isInState = path in state.written;
    // Of a field that the state knows, the mark can only say that a later run, which was killed, wrote another value.
    if (isInState && (sameValue(state.written[path], value) || !sameValue(now, value))) continue;
    // The program writes it anew, and what was there before is known without the mark.
    if (isInState && isManaged(path)) continue;
    const before = (path in state.previous ? state.previous[path] : mark?.previous[path]) ?? null;
    if (mayComeFromMark(path, before, isManaged(path))) {
      previous[path] = before;
      written[path] = value;
    } else if (sameValue(now, value) && !sameValue(now, before)) doubtful[path] = before;
  }
  return { previous, written, doubtful };
}

/** Says what is not written on the word of a mark, and how a person does it. */
export function warnOfDoubtful(node: Node, doubtful: Fields, warn: Call["warn"]): void {
  const paths = Object.keys(doubtful).map((path) => path.replace(/[^\x21-\x7e]/g, "?"));
  if (paths.length === 0) return;
  const commands = commandsFor(node, doubtful);
  warn(
    "settings-mark-not-trusted",
    `Node ${nodeLabel(node)}: not restored, because only the record on the node says that this stack changed it, and others may have written that: ${paths.join(", ")}.${commands && ` Check the value before you use it: ${commands}.`}`,
  );
}
