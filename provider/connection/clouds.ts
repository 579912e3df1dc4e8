import { ProblemError } from "../core/index.ts";
import { asRaw, loadFirst, mergeCloud, mergeDeep, normaliseKeys, type Raw, type Surroundings } from "./cloud-files.ts";
import { applyFixes, authTypeOf, gatherAuth, splitList } from "./cloud-fixes.ts";

/** One cloud as openstacksdk resolves it: files, profile, region, environment and arguments merged. */
export interface Cloud {
  /** Name in clouds.yaml, `envvars`, or empty if there is neither file nor variable. */
  name: string;
  /** For messages, e.g. `cloud "lab" of /etc/openstack/clouds.yaml`. */
  source: string;
  /** keystoneauth's name of the way to log in. */
  authType: string;
  auth: Raw;
  config: Raw;
  region: string;
}

export interface CloudChoice {
  /** Name that was asked for; default: OS_CLOUD, then OS_* variables, then the only cloud there is. */
  cloud?: string | undefined;
  /** Laid over everything else; `auth` is merged. */
  args: Raw;
}

/** Everything that was found, before one cloud is chosen. */
export interface CloudSources {
  clouds: Raw;
  envName: string;
  /** Names of the OS_* variables that make up the cloud of the environment. */
  variables: string[];
  chosenByEnv: string | undefined;
  file: string | undefined;
  publicClouds: Raw;
  /** For messages: what was looked at, in order. */
  looked: string[];
}

/** Qualities of any cloud unless it says otherwise; only those that concern bare metal. */
const defaults: Raw = { auth_type: "password", interface: "public", verify: true };

/** Variables of this prefix that select or steer, and so make no cloud of their own. */
const selectors = new Set([
  "OS_CLOUD",
  "OS_REGION_NAME",
  "OS_CLIENT_CONFIG_FILE",
  "OS_CLIENT_SECURE_FILE",
  "OS_CLOUD_NAME",
]);
const foreignVariables = /^OS_(?:TEST|STD|LOG)/;

const variablesOf = (env: NodeJS.ProcessEnv): string[] =>
  Object.keys(env)
    .filter((key) => key.startsWith("OS_") && !foreignVariables.test(key) && env[key] !== undefined)
    .sort();

const cloudOfEnv = (env: NodeJS.ProcessEnv, variables: string[]): Raw =>
  Object.fromEntries(variables.map((key) => [key.slice(3).toLowerCase(), env[key]]));

/** Reads the environment and, if asked, the files: clouds, secure over it, clouds-public for profiles. */
export const loadSources = (around: Surroundings, searchFiles: boolean): CloudSources => {
  const { env } = around;
  const looked: string[] = [];
  const variables = variablesOf(env);
  const own = variables.filter((key) => !selectors.has(key));
  looked.push(variables.length > 0 ? `environment (${variables.join(", ")})` : "environment (no OS_* variables)");
  const fromFiles = searchFiles || variables.length > 0;
  const notes: string[] = [];
  const main = fromFiles ? loadFirst("clouds", around, env.OS_CLIENT_CONFIG_FILE, notes) : undefined;
  const secure = fromFiles ? loadFirst("secure", around, env.OS_CLIENT_SECURE_FILE, notes) : undefined;
  const publicFile = fromFiles ? loadFirst("clouds-public", around, undefined, notes) : undefined;
  const merged = secure ? mergeDeep(main?.data ?? {}, secure.data) : (main?.data ?? {});
  const clouds: Raw = { ...asRaw(merged.clouds) };
  const named = Object.keys(clouds).join(", ");
  if (fromFiles) {
    looked.push(main ? `${main.path} (clouds: ${named || "none"})` : "clouds.yaml (none found)");
    if (secure) looked.push(secure.path);
    if (publicFile) looked.push(publicFile.path);
    looked.push(...notes);
  }
  const envName = env.OS_CLOUD_NAME ?? "envvars";
  if (envName in clouds) {
    throw new ProblemError({
      code: "clouds-file-invalid",
      problem: `${main?.path ?? "clouds.yaml"} has a cloud named ${envName}, which is the name for the cloud of the environment`,
      advice: "Rename the cloud in the file, or set OS_CLOUD_NAME to another name.",
    });
  }
  if (own.length > 0) clouds[envName] = cloudOfEnv(env, variables);
  return {
    clouds,
    envName,
    variables: own,
    chosenByEnv: env.OS_CLOUD || (own.length > 0 ? envName : undefined),
    file: main?.path ?? secure?.path,
    publicClouds: asRaw(publicFile?.data["public-clouds"]),
    looked,
  };
};

const quoted = (names: string[]): string => names.map((name) => `"${name}"`).join(", ");

/** Name of the cloud to use; empty if there is none at all. */
const chooseName = (sources: CloudSources, asked: string | undefined): string => {
  const names = Object.keys(sources.clouds);
  const name = asked || sources.chosenByEnv || (names.length === 1 ? names[0] : undefined);
  if (name === undefined && names.length > 1) {
    throw new ProblemError({
      code: "cloud-ambiguous",
      problem: `${sources.file} has several clouds (${quoted(names)}), and none is chosen. Looked at: ${sources.looked.join("; ")}`,
      advice: "Set `ironic:cloud` or OS_CLOUD to one of them, or `ironic:endpoint` for an Ironic without clouds.yaml.",
    });
  }
  if (name !== undefined && !Object.hasOwn(sources.clouds, name)) {
    throw new ProblemError({
      code: "cloud-not-found",
      problem: `Cloud "${name}" (${asked ? "ironic:cloud" : "OS_CLOUD"}) was not found. Looked at: ${sources.looked.join("; ")}`,
      advice: "Correct the name, or put the file where it is looked for (OS_CLIENT_CONFIG_FILE names any place).",
    });
  }
  return name ?? "";
};

interface Region {
  name: string;
  values: Raw;
}

const expandRegions = (regions: unknown): Region[] => {
  if (!Array.isArray(regions)) return [];
  return regions.map((region: unknown) => {
    const record = asRaw(region);
    if (typeof record.name === "string") return { name: record.name, values: asRaw(record.values) };
    return { name: String(region), values: {} };
  });
};

const profileOf = (cloud: Raw, sources: CloudSources): Raw => {
  const name = cloud.profile ?? cloud.cloud;
  if (typeof name !== "string" || name === "" || name === sources.envName) return {};
  const profile = sources.publicClouds[name];
  if (profile === undefined) sources.looked.push(`profile "${name}" (not found in a clouds-public.yaml)`);
  return asRaw(profile);
};

const knownRegions = (cloud: Raw, profile: Raw): Region[] => {
  const own = normaliseKeys(cloud);
  if ("regions" in own) return expandRegions(own.regions);
  if ("region_name" in own) return expandRegions(splitList(own.region_name));
  if (profile.regions) return expandRegions(profile.regions);
  return profile.region_name ? [{ name: String(profile.region_name), values: {} }] : [];
};

const chooseRegion = (regions: Region[], asked: string | undefined, name: string, free: boolean): Region => {
  const wanted = asked ?? "";
  if (regions.length === 0 || free) return { name: wanted || (regions[0]?.name ?? ""), values: {} };
  const found = wanted === "" ? regions[0] : regions.find((region) => region.name === wanted);
  if (found) return found;
  throw new ProblemError({
    code: "cloud-not-found",
    problem: `Cloud "${name}" has no region "${wanted}" (ironic:region); it has ${quoted(regions.map((region) => region.name))}`,
    advice: "Names of regions are case-sensitive. Correct it, or remove it.",
  });
};

/** Python's `str.format` as far as cloud files use it: `{region_name}` and its like. */
const fill = (text: string, values: Raw): string =>
  text.replace(/\{(\w+)\}/g, (whole, key: string) => (typeof values[key] === "string" ? values[key] : whole));

const describe = (name: string, sources: CloudSources): string => {
  if (name === "") return "only the stack configuration";
  if (name === sources.envName) return `environment (${sources.variables.join(", ")})`;
  return `cloud "${name}" of ${sources.file}`;
};

/** One cloud, merged in openstacksdk's order: defaults, profile, cloud, region, arguments; then its old spellings. */
export const resolveCloud = (sources: CloudSources, choice: CloudChoice): Cloud => {
  const name = chooseName(sources, choice.cloud);
  const own = asRaw(sources.clouds[name]);
  const profile = profileOf(own, sources);
  const base = mergeCloud(mergeCloud({ ...defaults, auth: {} }, profile), own);
  delete base.cloud;
  const asked = typeof choice.args.region_name === "string" ? choice.args.region_name : undefined;
  // Variables name one region, not the list of all: what is said explicitly wins over them.
  const region = chooseRegion(knownRegions(own, profile), asked, name, name === sources.envName && Boolean(asked));
  delete base.regions;
  let config = mergeCloud(base, present(region.values));
  // Options beside `auth` win over those inside, but not over what is said explicitly.
  for (const option of Object.keys(asRaw(choice.args.auth))) delete config[option];
  config = mergeCloud(config, { ...present(choice.args), region_name: region.name });
  config = normaliseKeys(applyFixes(config));
  const authType = authTypeOf(config);
  const auth = gatherAuth(authType, config);
  if (typeof auth.auth_url === "string") auth.auth_url = fill(auth.auth_url, config);
  for (const [key, value] of Object.entries(config)) {
    if (typeof value === "string" && key !== "password") config[key] = fill(value, config);
  }
  return { name, source: describe(name, sources), authType, auth, config, region: region.name };
};

const present = (raw: Raw): Raw =>
  Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined && value !== null));
