import { ProblemError } from "../core/index.ts";
import type { Raw } from "./cloud-files.ts";
import { knownAuthTypes } from "./cloud-fixes.ts";
import { isShownPath } from "./pem.ts";

/** Reads one key of stack configuration, named without `ironic:`; values are text, structured ones JSON. */
export type ConfigGetter = (key: string) => string | undefined;

interface ConnectionKey {
  /** Name in the `auth` section of clouds.yaml, where the key is one of its options. */
  auth?: string;
  /** Options of other sources that stop counting when this key is set: they would say the same otherwise. */
  replaces?: readonly string[];
  secret?: true;
}

const otherScopes = (...own: string[]): string[] =>
  [
    "project_id",
    "project_name",
    "project_domain_id",
    "project_domain_name",
    "domain_id",
    "domain_name",
    "system_scope",
    "trust_id",
  ].filter((key) => !own.includes(key));

/** Every key of a connection, in stack configuration (`ironic:<key>`) and in an explicit Provider. */
export const connectionKeys = {
  endpoint: {},
  allowCredentialsTo: {},
  cloud: {},
  authType: {},
  authUrl: { auth: "auth_url" },
  username: { auth: "username", replaces: ["user_id"] },
  userId: { auth: "user_id", replaces: ["username", "user_domain_id", "user_domain_name"] },
  password: { auth: "password", secret: true },
  userDomainName: { auth: "user_domain_name", replaces: ["user_domain_id"] },
  userDomainId: { auth: "user_domain_id", replaces: ["user_domain_name"] },
  projectName: { auth: "project_name", replaces: ["project_id", "system_scope", "trust_id"] },
  projectId: { auth: "project_id", replaces: ["project_name", "system_scope", "trust_id"] },
  projectDomainName: { auth: "project_domain_name", replaces: ["project_domain_id"] },
  projectDomainId: { auth: "project_domain_id", replaces: ["project_domain_name"] },
  domainName: { auth: "domain_name", replaces: ["domain_id", "system_scope", "trust_id"] },
  domainId: { auth: "domain_id", replaces: ["domain_name", "system_scope", "trust_id"] },
  systemScope: { auth: "system_scope", replaces: otherScopes("system_scope") },
  trustId: { auth: "trust_id", replaces: otherScopes("trust_id") },
  applicationCredentialId: { auth: "application_credential_id", replaces: ["application_credential_name"] },
  applicationCredentialName: { auth: "application_credential_name", replaces: ["application_credential_id"] },
  applicationCredentialSecret: { auth: "application_credential_secret", secret: true },
  token: { auth: "token", secret: true },
  passcode: { auth: "passcode", secret: true },
  region: {},
  interface: {},
  caCertificate: {},
  clientCertificate: {},
  clientKey: { secret: true },
  insecure: {},
  apiVersion: {},
  requestTimeoutSeconds: {},
  concurrency: {},
} as const satisfies Record<string, ConnectionKey>;

export type ConnectionKeyName = keyof typeof connectionKeys;

export const connectionKeyNames = Object.keys(connectionKeys) as ConnectionKeyName[];

/** Keys whose values are encrypted wherever they are stored. */
export const secretConnectionKeys: readonly ConnectionKeyName[] = connectionKeyNames.filter(
  (name) => "secret" in connectionKeys[name],
);

/** Options of `auth` that are secret: in clouds.yaml, and as OS_<OPTION> in the environment. */
const secretOptions: readonly string[] = secretConnectionKeys.flatMap((name) => {
  const { auth }: ConnectionKey = connectionKeys[name];
  return auth === undefined ? [] : [auth];
});

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Values of secret options in a section of clouds.yaml, or in what stands beside `auth`. */
export const secretsOfOptions = (options: Raw): string[] => secretOptions.map((name) => options[name]).filter(isText);

export const secretsOfEnv = (env: NodeJS.ProcessEnv): string[] =>
  secretOptions.map((name) => env[`OS_${name.toUpperCase()}`]).filter(isText);

export type Settings = Partial<Record<ConnectionKeyName, string>>;

/** The keys that are set to something. */
export const readSettings = (get: ConfigGetter): Settings => {
  const settings: Settings = {};
  for (const name of connectionKeyNames) {
    const value = get(name)?.trim();
    if (value !== undefined && value !== "") settings[name] = value;
  }
  return settings;
};

/** Values of secret keys; not the path of a certificate's key, which is no secret, and which an error has to name. */
export const secretsOfSettings = (settings: Settings): string[] =>
  secretConnectionKeys
    .filter((name) => name !== "clientKey" || !isShownPath(settings[name] ?? ""))
    .map((name) => settings[name])
    .filter(isText);

/** The `auth` section that the settings amount to. */
export const authOfSettings = (settings: Settings): Raw => {
  const auth: Raw = {};
  for (const name of connectionKeyNames) {
    const key: ConnectionKey = connectionKeys[name];
    if (key.auth !== undefined && settings[name] !== undefined) auth[key.auth] = settings[name];
  }
  if (auth.system_scope === "true") auth.system_scope = "all";
  return auth;
};

/** Options that the settings replace and do not set themselves. */
export const replacedBy = (settings: Settings): string[] => {
  const own = authOfSettings(settings);
  return connectionKeyNames
    .filter((name) => settings[name] !== undefined)
    .flatMap((name) => (connectionKeys[name] as ConnectionKey).replaces ?? [])
    .filter((option) => !(option in own));
};

/** Ways to log in by what is set, first match wins; `keystone` leaves the choice to this table. */
const inferences: ReadonlyArray<{ when: readonly ConnectionKeyName[]; authType: string }> = [
  { when: ["applicationCredentialSecret"], authType: "v3applicationcredential" },
  { when: ["applicationCredentialId"], authType: "v3applicationcredential" },
  { when: ["applicationCredentialName"], authType: "v3applicationcredential" },
  { when: ["token"], authType: "token" },
  { when: ["passcode", "password"], authType: "v3multifactor" },
  { when: ["passcode"], authType: "v3totp" },
  { when: ["authUrl"], authType: "password" },
];

/** keystoneauth's name of the way to log in that the settings ask for; undefined if they leave it to other sources. */
export const authTypeOfSettings = (settings: Settings): string | undefined => {
  const { authType } = settings;
  const inferred = inferences.find(({ when }) => when.every((name) => settings[name] !== undefined))?.authType;
  if (authType === "keystone") return inferred ?? (settings.password !== undefined ? "password" : undefined);
  if (authType !== undefined) {
    if (knownAuthTypes.includes(authType)) return authType;
    throw new ProblemError({
      code: "setting-invalid",
      problem: `ironic:authType is "${authType}"`,
      advice: `Use none, http_basic or keystone (or a name of keystoneauth: ${knownAuthTypes.join(", ")}).`,
    });
  }
  if (inferred !== undefined) return inferred;
  const basic = settings.endpoint !== undefined && settings.username !== undefined && settings.password !== undefined;
  return basic ? "http_basic" : undefined;
};
