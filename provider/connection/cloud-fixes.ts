import { asRaw, pythonText, type Raw } from "./cloud-files.ts";

/** A list, or text with commas in it. */
export const splitList = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" ? value.split(",") : [];
};

/** Old spellings inside and beside `auth`: later ones win, and those beside `auth` win over those inside. */
const authSpellings: Record<string, readonly string[]> = {
  domain_id: ["domain_id", "domain-id"],
  domain_name: ["domain_name", "domain-name"],
  user_domain_id: ["user_domain_id", "user-domain-id"],
  user_domain_name: ["user_domain_name", "user-domain-name"],
  project_domain_id: ["project_domain_id", "project-domain-id"],
  project_domain_name: ["project_domain_name", "project-domain-name"],
  token: ["auth-token", "auth_token", "token"],
  passcode: ["passcode"],
  project_id: ["tenant_id", "tenant-id", "project_id", "project-id"],
  project_name: ["tenant_name", "tenant-name", "project_name", "project-name"],
};

const fixAuthSpellings = (config: Raw): void => {
  const auth = asRaw(config.auth);
  for (const [target, spellings] of Object.entries(authSpellings)) {
    let found: unknown;
    for (const spelling of spellings) {
      if (spelling in auth) {
        found = auth[spelling];
        delete auth[spelling];
      }
      if (spelling in config) {
        found = config[spelling];
        delete config[spelling];
      }
    }
    if (found !== undefined && found !== null && found !== "") auth[target] = pythonText(found);
  }
  config.auth = auth;
};

/** `*_timeout` of single services and `*endpoint_type`, as clients wrote them before there was one file for all. */
const fixNames = (config: Raw): Raw => {
  const result: Raw = {};
  let serviceTimeout: unknown;
  for (const [key, value] of Object.entries(config)) {
    if (key.endsWith("timeout") && key !== "timeout" && key !== "api_timeout") serviceTimeout = value;
    else result[key.endsWith("endpoint_type") ? key.replace("endpoint_type", "interface") : key] = value;
  }
  if (serviceTimeout !== undefined && serviceTimeout !== null) result.api_timeout = serviceTimeout;
  const authType = result.auth_type ?? result.auth_plugin;
  delete result.auth_plugin;
  return { ...result, auth_type: authType };
};

const domainSpreads: Record<string, readonly string[]> = {
  domain_id: ["user_domain_id", "project_domain_id"],
  domain_name: ["user_domain_name", "project_domain_name"],
};

/** With a project scope, one domain stands for the user's and the project's; without, it is the scope itself. */
const spreadDomain = (config: Raw): void => {
  const auth = asRaw(config.auth);
  const projectScoped = ["project_id", "project_name"].some((key) => key in config || key in auth);
  for (const [domain, targets] of Object.entries(domainSpreads)) {
    if (projectScoped) {
      for (const target of targets) if (domain in auth && !(target in auth)) auth[target] = auth[domain];
      delete config[domain];
      delete auth[domain];
    } else if (domain in config && !(domain in auth)) {
      auth[domain] = config[domain];
      delete config[domain];
    }
  }
};

/** True only for the word itself, as openstacksdk reads it. */
export const isTrue = (value: unknown): boolean =>
  value === true || (typeof value === "string" && value.toLowerCase() === "true");

/** openstacksdk's repairs of old spellings, in its order. */
export const applyFixes = (config: Raw): Raw => {
  const result = fixNames({ ...config, auth: { ...asRaw(config.auth) } });
  fixAuthSpellings(result);
  spreadDomain(result);
  if ("insecure" in result) result.insecure = isTrue(result.insecure);
  if (typeof result.auth_methods === "string") result.auth_methods = result.auth_methods.split(",");
  return result;
};

const scopeOptions = [
  "auth_url",
  "system_scope",
  "domain_id",
  "domain_name",
  "project_id",
  "project_name",
  "project_domain_id",
  "project_domain_name",
  "trust_id",
] as const;
const userOptions = ["user_id", "username", "user_domain_id", "user_domain_name"] as const;
const defaultDomainOptions = ["default_domain_id", "default_domain_name"] as const;

/**
 * What each way to log in takes; the rest of `auth` is left alone.
 * https://docs.openstack.org/keystoneauth/latest/plugin-options.html
 */
const optionsByAuthType: Record<string, readonly string[]> = {
  password: [...scopeOptions, ...defaultDomainOptions, ...userOptions, "password"],
  v3password: [...scopeOptions, ...userOptions, "password"],
  token: [...scopeOptions, ...defaultDomainOptions, "token"],
  v3token: [...scopeOptions, "token"],
  v3applicationcredential: [
    ...scopeOptions,
    ...userOptions,
    "application_credential_secret",
    "application_credential_id",
    "application_credential_name",
  ],
  v3totp: [...scopeOptions, ...userOptions, "passcode"],
  v3multifactor: [...scopeOptions, "auth_methods"],
  none: ["endpoint"],
  http_basic: ["username", "password", "endpoint"],
  admin_token: ["endpoint", "token"],
};

export const knownAuthTypes = Object.keys(optionsByAuthType);

/** Names of one option that are no longer used. */
const oldNames: Record<string, string> = { username: "user_name", endpoint: "url" };

const authTypeAliases: Record<string, string> = { "": "none", None: "none", token_endpoint: "admin_token" };

export const authTypeOf = (config: Raw): string => {
  const text = String(config.auth_type ?? "");
  return authTypeAliases[text] ?? text;
};

/** The options of a way to log in, from `auth` or from beside it. */
export const gatherAuth = (authType: string, config: Raw): Raw => {
  const auth = { ...asRaw(config.auth) };
  const methods = authType === "v3multifactor" ? splitList(config.auth_methods ?? auth.auth_methods) : [];
  const options = new Set([authType, ...methods].flatMap((type) => optionsByAuthType[type] ?? []));
  for (const option of options) {
    const names = oldNames[option] ? [option, oldNames[option]] : [option];
    const value = names.map((name) => auth[name]).find(Boolean) || names.map((name) => config[name]).find(Boolean);
    for (const name of names) {
      delete auth[name];
      delete config[name];
    }
    if (value) auth[option] = value;
  }
  config.auth = auth;
  return auth;
};
