import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { ProblemError } from "../core/index.ts";

export type Raw = Record<string, unknown>;

/** Where clouds.yaml and its companions are looked for. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  cwd: string;
  home: string;
  platform: NodeJS.Platform;
  /** Text of a file; undefined if there is none or it may not be read. */
  readFile(path: string): string | undefined;
}

/** The machine's own files; paths without a root are below `cwd`. */
export const systemSurroundings = (env: NodeJS.ProcessEnv, cwd: string = process.cwd()): Surroundings => ({
  env,
  cwd,
  home: env.HOME || homedir(),
  platform: process.platform,
  readFile: (path) => {
    try {
      return readFileSync(resolve(cwd, path), "utf8");
    } catch {
      return undefined;
    }
  },
});

/** `~` at the start means the home directory, as in openstacksdk. */
export const expandHome = (path: string, home: string): string =>
  path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : path;

/** Folders in openstacksdk's order; the first file that can be read is the only one that counts. */
export const searchFolders = ({ env, cwd, home, platform }: Surroundings): string[] => {
  const snapHome = env.SNAP_REAL_HOME || home;
  const unix = join(snapHome, ".config", "openstack");
  const ownByPlatform: Partial<Record<NodeJS.Platform, string>> = {
    darwin: join(home, "Library", "Application Support", "openstack"),
    win32: join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "OpenStack", "openstack"),
  };
  const siteByPlatform: Partial<Record<NodeJS.Platform, string>> = {
    darwin: "/Library/Application Support/openstack",
    win32: join(env.PROGRAMDATA || "C:\\ProgramData", "OpenStack", "openstack"),
  };
  const own = ownByPlatform[platform] ?? join(env.XDG_CONFIG_HOME?.trim() || join(home, ".config"), "openstack");
  const site = siteByPlatform[platform] ?? join(env.XDG_CONFIG_DIRS?.trim() || "/etc/xdg", "openstack");
  return [...new Set([cwd, own, unix, site, "/etc/openstack"])];
};

const suffixes = [".yaml", ".yml", ".json"] as const;

/**
 * Values as PyYAML reads them (YAML 1.1: `yes` is true, 010 is eight). Integers stay exact, since they may be
 * passwords; a key written twice takes its last value.
 */
const parseText = (path: string, text: string): unknown =>
  path.endsWith("json")
    ? JSON.parse(text)
    : parse(text, { version: "1.1", uniqueKeys: false, intAsBigInt: true, prettyErrors: false, logLevel: "error" });

export interface LoadedFile {
  path: string;
  data: Raw;
}

const isRaw = (value: unknown): value is Raw => typeof value === "object" && value !== null && !Array.isArray(value);

/** First readable file of that name. `notes` gets what was skipped and why, without a line of its content. */
export const loadFirst = (
  name: "clouds" | "secure" | "clouds-public",
  around: Surroundings,
  override: string | undefined,
  notes: string[],
): LoadedFile | undefined => {
  const paths = searchFolders(around).flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)));
  if (override) paths.unshift(expandHome(override, around.home));
  for (const path of paths) {
    const text = around.readFile(path);
    if (text === undefined) {
      if (path === paths[0] && override) notes.push(`${path} cannot be read`);
      continue;
    }
    let data: unknown;
    try {
      data = parseText(path, text);
    } catch {
      notes.push(`${path} was skipped: not valid ${path.endsWith("json") ? "JSON" : "YAML"}`);
      continue;
    }
    if (data === null || data === undefined || data === "") {
      notes.push(`${path} is empty`);
      return undefined;
    }
    if (!isRaw(data)) {
      throw new ProblemError({
        code: "clouds-file-invalid",
        problem: `${path} has no mapping at the top`,
        advice: "It needs a `clouds:` key.",
      });
    }
    return { path, data };
  }
  return undefined;
};

/** `extra` laid over `base`, mappings merged at every depth. */
export const mergeDeep = (base: Raw, extra: Raw): Raw => {
  const result: Raw = { ...base };
  for (const [key, value] of Object.entries(extra)) {
    const old = result[key];
    result[key] = isRaw(value) ? (isRaw(old) ? mergeDeep(old, value) : { ...value }) : value;
  }
  return result;
};

/** `extra` laid over `base`; of all mappings only `auth` is merged, key by key. */
export const mergeCloud = (base: Raw, extra: Raw): Raw => {
  const auth = isRaw(extra.auth)
    ? { ...(isRaw(base.auth) ? base.auth : {}), ...extra.auth }
    : (extra.auth ?? base.auth);
  return { ...base, ...extra, ...(auth === undefined ? {} : { auth }) };
};

/** A plain value as Python prints it: what openstacksdk would send. */
export const pythonText = (value: unknown): string => {
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" && Number.isInteger(value) ? `${value}.0` : String(value);
};

/** Dashes to underscores, numbers to text; times stay numbers. */
export const normaliseKeys = (raw: Raw): Raw => {
  const result: Raw = {};
  for (const [name, value] of Object.entries(raw)) {
    const key = name.replaceAll("-", "_");
    if (isRaw(value) && !(value instanceof Date)) result[key] = normaliseKeys(value);
    else if (typeof value === "bigint" || typeof value === "number") result[key] = pythonText(value);
    else result[key] = value;
  }
  return result;
};

export const asRaw = (value: unknown): Raw => (isRaw(value) ? value : {});
