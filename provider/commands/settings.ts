/**
 * The connection's settings, as the command line gives them. Every user of the machine sees the arguments of its processes, so
 * secrets come from a file or from standard input.
 */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import * as z from "zod";
import { secretConnectionKeys } from "../connection/keys.ts";
import { type Code, ProblemError } from "../core/index.ts";

export interface SettingsOptions {
  /** Of `--config`: `ironic:KEY=VALUE`. */
  pairs: readonly string[];
  /** Of `--config-file`; `-` is standard input. */
  file: string | undefined;
  warn(code: Code, text: string): void;
  /** The secrets that were read are added, before anything else can fail. */
  secrets: Set<string>;
}

const PREFIX = "ironic:";
const SECRET_KEYS: ReadonlySet<string> = new Set(secretConnectionKeys.map((name) => `${PREFIX}${name}`));
/** Permissions of users other than the file's own. */
const OTHERS = 0o077;

const FORMS = `Use lines such as "${PREFIX}password: …" (YAML), or the output of \`pulumi config --show-secrets --json\`.`;

const plain = z.union([z.string(), z.number(), z.boolean(), z.array(z.unknown())]);
/** A value, or what `pulumi config --json` prints of it. */
const fileSchema = z.record(
  z.string(),
  z.union([plain, z.looseObject({ value: plain }), z.looseObject({ secret: z.literal(true) })]),
);
type Entry = z.infer<typeof fileSchema>[string];

/** Settings by key, `ironic:endpoint` and the like. Throws a ProblemError without any value in it. */
export function readSettingsOptions({ pairs, file, warn, secrets }: SettingsOptions): Map<string, string> {
  const given = pairs.map(pairOf);
  const settings = new Map([...(file === undefined ? [] : fileSettings(file, warn)), ...given]);
  for (const [key, value] of settings) if (SECRET_KEYS.has(key)) secrets.add(value);
  return settings;
}

function pairOf(pair: string): readonly [key: string, value: string] {
  const split = pair.indexOf("=");
  const key = pair.slice(0, Math.max(split, 0)).trim();
  if (!key.startsWith(PREFIX))
    throw new ProblemError({
      code: "cli-usage",
      problem: `--config expects ${PREFIX}KEY=VALUE`,
      advice: "See --help.",
    });
  if (SECRET_KEYS.has(key))
    throw new ProblemError({
      code: "cli-secret-exposed",
      problem: `--config ${key} is a secret, and other users of this machine see the arguments of a process`,
      advice:
        "Change the secret if the machine has other users. Give it in --config-file FILE (- reads standard input), in an OS_* variable or in clouds.yaml.",
    });
  return [key, pair.slice(split + 1)];
}

function fileSettings(file: string, warn: SettingsOptions["warn"]): (readonly [string, string])[] {
  const { text, isOpen } = readOptionFile(file, "--config-file");
  const { data } = fileSchema.safeParse(parsed(text, file) ?? {});
  if (!data) throw unusable(file, "is not a mapping of keys to values");
  const entries = Object.entries(data).filter(([key]) => key.startsWith(PREFIX));
  if (isOpen && entries.some(([key]) => SECRET_KEYS.has(key)))
    warn(
      "cli-secret-exposed",
      `${file} contains secrets, and other users may read or write it. Use \`chmod 600 ${file}\`.`,
    );
  return entries.map(([key, entry]) => [key, textOf(entry, key, file)]);
}

/** What the parser says of a text may contain it. */
function parsed(text: string, file: string): unknown {
  try {
    return parse(text, { prettyErrors: false, logLevel: "error" });
  } catch {
    throw unusable(file, "is not YAML");
  }
}

function textOf(entry: Entry, key: string, file: string): string {
  const value = typeof entry === "object" && !Array.isArray(entry) ? entry.value : entry;
  if (value === undefined) throw unusable(file, `has ${key} without its value`);
  return typeof value === "string" ? value : JSON.stringify(value);
}

const unusable = (file: string, reason: string): ProblemError =>
  new ProblemError({ code: "cli-usage", problem: `The --config-file ${file} ${reason}`, advice: FORMS });

/** The file that `option` names, `-` being standard input, and whether others than its user may read or write it. */
function readOptionFile(file: string, option: string): { text: string; isOpen: boolean } {
  try {
    const descriptor = file === "-" ? 0 : openSync(file, "r");
    try {
      const stat = fstatSync(descriptor);
      const isOpen = file !== "-" && process.platform !== "win32" && stat.isFile() && (stat.mode & OTHERS) !== 0;
      return { text: readFileSync(descriptor, "utf8"), isOpen };
    } finally {
      if (descriptor !== 0) closeSync(descriptor);
    }
  } catch (cause) {
    throw new ProblemError({
      code: "cli-usage",
      problem: `The ${option} ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      advice: FORMS,
      cause,
    });
  }
}
