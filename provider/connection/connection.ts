import { ProblemError, type Warning } from "../core/index.ts";
import { parseMinor } from "./api-version.ts";
import { type Raw, type Surroundings, systemSurroundings } from "./cloud-files.ts";
import { splitList } from "./cloud-fixes.ts";
import { type Cloud, type CloudSources, loadSources, resolveCloud } from "./clouds.ts";
import { type Auth, type LoginProblem, readAuth, secretsOfAuth } from "./credentials.ts";
import { baseOf, trimSlashes } from "./endpoint.ts";
import {
  authOfSettings,
  authTypeOfSettings,
  type ConfigGetter,
  connectionKeyNames,
  readSettings,
  replacedBy,
  type Settings,
  secretsOfEnv,
  secretsOfOptions,
  secretsOfSettings,
} from "./keys.ts";
import { type Proxies, proxiesOf } from "./proxies.ts";
import { checkDestination, type Sources, warningsOf } from "./recipients.ts";
import { privateKeysIn, tlsOf } from "./tls.ts";

export type { Auth } from "./credentials.ts";
export type { ConfigGetter } from "./keys.ts";

/** Everything needed to talk to one Ironic: plain data, secrets included. Never stored, never printed. */
export interface Connection {
  /** Where Ironic is; undefined: as in Keystone's catalogue. */
  endpoint?: string;
  /** Set where the endpoint is of another source than the credentials: Keystone's catalogue has to have its host. */
  endpointBeside?: Sources;
  auth: Auth;
  /** For messages: which source won. */
  source: string;
  /** What the user should be told once a run. */
  warnings: Warning[];
  serviceType: string;
  serviceName?: string;
  /** Interfaces of the catalogue, most wanted first. */
  interfaces: string[];
  region?: string;
  /** PEM. */
  caCertificate?: string;
  clientCertificate?: string;
  clientKey?: string;
  insecure: boolean;
  /** Pinned minor of API 1.x. */
  minor?: number;
  /** One request, from the first byte to the last. */
  requestTimeoutMs: number;
  /** Most requests in flight. */
  concurrency: number;
  proxy: Proxies;
}

const requestTimeoutSecondsDefault = 60;
const concurrencyDefault = 32;
const concurrencyMax = 1000;

/** Values that must never appear in a message. */
export const secretsOf = (connection: Connection): string[] => [
  ...secretsOfAuth(connection.auth),
  ...(connection.clientKey ? [connection.clientKey] : []),
  ...privateKeysIn(connection.clientCertificate, connection.caCertificate),
  ...connection.proxy.secrets,
];

/** For messages before the catalogue was read. */
export const describeEndpoint = (connection: Connection): string => {
  if (connection.endpoint !== undefined) return connection.endpoint;
  return connection.auth.kind === "keystone" ? `the Ironic in the catalogue of ${connection.auth.authUrl}` : "Ironic";
};

const numberSetting = (name: string, text: string | undefined, max: number): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= max) return value;
  throw new ProblemError({
    code: "setting-invalid",
    problem: `ironic:${name} is "${text}"`,
    advice: `Use a number above 0, at most ${max}.`,
  });
};

const minorOf = (settings: Settings, config: Raw): number | undefined => {
  const asked = settings.apiVersion ?? config.baremetal_default_microversion ?? config.baremetal_api_version;
  const text = String(asked ?? "").trim();
  // "1" is the API itself, not one of its versions.
  if (text === "" || text === "latest" || text === "1") return undefined;
  const minor = parseMinor(text);
  if (minor !== undefined) return minor;
  throw new ProblemError({
    code: "setting-invalid",
    problem: `The API version "${text}" (ironic:apiVersion or baremetal_api_version) does not have the form 1.N`,
    advice: 'Use for example "1.82", in quotes in YAML, or remove it to use the newest.',
  });
};

const first = (config: Raw, ...keys: string[]): string | undefined => {
  const value = keys.map((key) => config[key]).find(Boolean);
  return value === undefined ? undefined : String(value);
};

const listOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProblemError({
      code: "setting-invalid",
      problem: `ironic:interface is "${text}"`,
      advice: 'Use one name, several with commas, or a JSON list such as ["internal","public"].',
      cause,
    });
  }
};

const interfacesOf = (settings: Settings, config: Raw): string[] => {
  const { interface: own } = settings;
  const asked = own?.startsWith("[") ? listOf(own) : (own ?? config.baremetal_interface ?? config.interface);
  const names = splitList(asked).map((name) => name.trim().replace(/URL$/, ""));
  return names.length > 0 && names[0] !== "" ? names : ["public"];
};

/** The cloud's own, in openstacksdk's order; `auth.endpoint` is where the ways without a catalogue keep it. */
const endpointOf = (cloud: Cloud): string | undefined =>
  first(
    cloud.config,
    "baremetal_endpoint_override",
    "bare_metal_endpoint_override",
    "baremetal_endpoint",
    "bare_metal_endpoint",
  ) ?? (typeof cloud.auth.endpoint === "string" ? cloud.auth.endpoint : undefined);

const sourcesText = (settings: Settings, sources: CloudSources, cloud: Cloud | undefined): string => {
  const own = connectionKeyNames.filter((name) => settings[name] !== undefined).map((name) => `ironic:${name}`);
  const stack = `stack configuration (${own.join(", ") || "no ironic:* keys"})`;
  const used = cloud ? `. Used: ${cloud.source}` : "";
  return `Looked at, in this order: ${[stack, ...sources.looked].join("; ")}${used}`;
};

/** Names of one option in each source. */
const optionNames = (options: string): string =>
  options
    .split(" or ")
    .map((option) => `${option.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())}`)
    .join(" or ");

const loginProblemError = (lack: LoginProblem, cloud: Cloud, looked: string): ProblemError => {
  const parts = [
    lack.missing.length > 0 ? `missing: ${lack.missing.map(optionNames).join(", ")}` : "",
    lack.wrong ?? "",
  ].filter((part) => part !== "");
  return new ProblemError({
    code: "login-incomplete",
    problem: `The login (${cloud.authType}) is incomplete or invalid: ${parts.join("; ")}. ${looked}`,
    advice:
      "Set it as ironic:<name> (`pulumi config set --secret` for secrets), as OS_<NAME>, or below `auth:` in clouds.yaml.",
  });
};

/** An address with a password in it would be shown in messages. */
const refuseUserInfo = (auth: Auth): void => {
  const url = auth.kind === "keystone" && URL.canParse(auth.authUrl) ? new URL(auth.authUrl) : undefined;
  if (url === undefined || (url.username === "" && url.password === "")) return;
  throw new ProblemError({
    code: "setting-invalid",
    problem: `The address of Keystone at ${url.host} contains a user name or password`,
    advice: "Set them separately (ironic:username, OS_USERNAME, `auth:` in clouds.yaml).",
  });
};

/** An identity service that the stack names itself: credentials kept for another one are not sent there. */
const isOtherKeystone = (settings: Settings, cloud: Cloud): boolean =>
  settings.authUrl !== undefined &&
  cloud.auth.auth_url !== undefined &&
  trimSlashes(String(cloud.auth.auth_url)) !== trimSlashes(settings.authUrl);

const nothing: CloudSources = {
  clouds: {},
  envName: "envvars",
  variables: [],
  chosenByEnv: undefined,
  file: undefined,
  publicClouds: {},
  looked: ["nothing else, because the stack configuration is complete"],
};

interface Resolved {
  cloud: Cloud;
  sources: CloudSources;
  /** Keystone's address as environment or clouds.yaml have it, before that of the stack is laid over it. */
  ownAuthUrl?: string | undefined;
}

const resolveAround = (settings: Settings, around: Surroundings): Resolved => {
  const authType = authTypeOfSettings(settings);
  const complete =
    settings.cloud === undefined &&
    settings.endpoint !== undefined &&
    (authType === "none" || authType === "http_basic" || authType === "admin_token");
  const named = settings.endpoint !== undefined || settings.authUrl !== undefined;
  const args: Raw = {
    auth: authOfSettings(settings),
    auth_type: authType,
    region_name: settings.region,
    ...(authType === "v3multifactor" && settings.authType !== authType
      ? { auth_methods: ["v3password", "v3totp"] }
      : {}),
  };
  if (complete) return { cloud: resolveCloud(nothing, { args }), sources: nothing };
  const sources = loadSources(around, settings.cloud !== undefined || !named);
  const bare = resolveCloud(sources, {
    cloud: settings.cloud,
    args: { region_name: settings.region },
  });
  if (settings.cloud === undefined && isOtherKeystone(settings, bare)) {
    const looked = [...sources.looked, "not used, because ironic:authUrl is another Keystone"];
    return { cloud: resolveCloud(nothing, { args }), sources: { ...nothing, looked } };
  }
  // Nothing but an address: that is an Ironic without authentication.
  if (bare.name === "" && settings.authUrl === undefined && authType === undefined) args.auth_type = "none";
  const cloud = resolveCloud(sources, { cloud: settings.cloud, args });
  for (const option of replacedBy(settings)) delete cloud.auth[option];
  return { cloud, sources, ownAuthUrl: first(bare.auth, "auth_url") };
};

/**
 * Finds out how to reach Ironic: stack configuration, then the environment, then clouds.yaml and its companions.
 * Sends nothing. Throws a ProblemError that says what was looked at, what won and what is missing. `onSecret` gets each
 * secret before anything can fail that might repeat it.
 */
export const resolveConnection = (
  get: ConfigGetter,
  env: NodeJS.ProcessEnv,
  around: Surroundings = systemSurroundings(env),
  onSecret: (secret: string) => void = () => {},
): Connection => {
  const settings = readSettings(get);
  const proxy = proxiesOf(env);
  for (const secret of [...secretsOfSettings(settings), ...secretsOfEnv(env), ...proxy.secrets]) onSecret(secret);
  const { cloud, sources, ownAuthUrl } = resolveAround(settings, around);
  for (const secret of [...secretsOfOptions(cloud.auth), ...secretsOfOptions(cloud.config)]) onSecret(secret);
  const looked = sourcesText(settings, sources, cloud);
  const ownEndpoint = endpointOf(cloud);
  const endpoint = settings.endpoint ?? ownEndpoint;
  if (cloud.name === "" && [endpoint, settings.authUrl, settings.authType].every((value) => value === undefined)) {
    throw new ProblemError({
      code: "connection-not-configured",
      problem: `No Ironic is configured. ${looked}`,
      advice:
        "Set `ironic:endpoint` for an Ironic without Keystone, `ironic:cloud` for one in clouds.yaml, or the OS_* variables.",
    });
  }
  const result = readAuth(cloud.authType, cloud.auth, cloud.config);
  if (!("auth" in result)) throw loginProblemError(result, cloud, looked);
  if (endpoint === undefined && result.auth.kind !== "keystone") {
    throw loginProblemError({ missing: ["endpoint"] }, cloud, looked);
  }
  refuseUserInfo(result.auth);
  if (endpoint !== undefined) baseOf(endpoint);
  const { auth } = result;
  const { config, source } = cloud;
  const own = { endpoint: ownEndpoint, authUrl: ownAuthUrl };
  const endpointBeside = checkDestination({ settings, auth, endpoint, source, own });
  const tls = tlsOf(settings, config, around);
  const minor = minorOf(settings, config);
  const region = settings.region ?? (first(config, "baremetal_region_name", "bare_metal_region_name") || cloud.region);
  const serviceName = first(config, "baremetal_service_name");
  const timeoutSeconds =
    numberSetting("requestTimeoutSeconds", settings.requestTimeoutSeconds, 3600) ??
    (Number(config.api_timeout) || undefined);
  return {
    auth,
    source,
    warnings: [...(tls.insecure ? [insecureWarning] : []), ...warningsOf(auth, endpoint)],
    serviceType: first(config, "baremetal_service_type") ?? "baremetal",
    interfaces: interfacesOf(settings, config),
    insecure: tls.insecure,
    requestTimeoutMs: (timeoutSeconds ?? requestTimeoutSecondsDefault) * 1000,
    concurrency: Math.ceil(numberSetting("concurrency", settings.concurrency, concurrencyMax) ?? concurrencyDefault),
    proxy,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(endpointBeside === undefined ? {} : { endpointBeside }),
    ...(serviceName === undefined ? {} : { serviceName }),
    ...(region === "" ? {} : { region }),
    ...(tls.caCertificate === undefined ? {} : { caCertificate: tls.caCertificate }),
    ...(tls.clientCertificate === undefined ? {} : { clientCertificate: tls.clientCertificate }),
    ...(tls.clientKey === undefined ? {} : { clientKey: tls.clientKey }),
    ...(minor === undefined ? {} : { minor }),
  };
};

const insecureWarning: Warning = {
  code: "certificates-not-verified",
  text: "Certificates are not verified (`insecure`): anybody on the network path can read and change what is sent, passwords included. Set `ironic:caCertificate` instead.",
};
