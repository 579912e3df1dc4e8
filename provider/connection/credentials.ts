import type { Raw } from "./cloud-files.ts";
import { knownAuthTypes, splitList } from "./cloud-fixes.ts";

/** A name with its domain, or an id that needs none. */
export interface Named {
  id?: string;
  name?: string;
  domain?: { id: string } | { name: string };
}

/** Parts of an identity: https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management */
export type Method =
  | { name: "password"; user: Named; password: string }
  | { name: "totp"; user: Named; passcode: string }
  | { name: "token"; token: string }
  | { name: "application_credential"; id?: string; credentialName?: string; user?: Named; secret: string };

export type Scope =
  | { kind: "project"; project: Named }
  | { kind: "domain"; domain: { id: string } | { name: string } }
  | { kind: "system" }
  | { kind: "trust"; id: string }
  | { kind: "unscoped" };

export type Auth =
  | { kind: "none" }
  | { kind: "http_basic"; username: string; password: string }
  /** A token that is sent as it is; no catalogue. */
  | { kind: "fixed_token"; token: string }
  | { kind: "keystone"; authUrl: string; methods: Method[]; scope: Scope };

/** What is missing, as clouds.yaml names it. */
export interface LoginProblem {
  missing: string[];
  /** What else is wrong. */
  wrong?: string;
}

export type AuthResult = { auth: Auth } | LoginProblem;

const text = (raw: Raw, key: string): string | undefined => {
  const value = raw[key];
  return value === undefined || value === null || value === "" ? undefined : String(value);
};

const domainOf = (raw: Raw, prefix: string): Named["domain"] => {
  const id = text(raw, `${prefix}_domain_id`) ?? text(raw, "default_domain_id");
  if (id !== undefined) return { id };
  const name = text(raw, `${prefix}_domain_name`) ?? text(raw, "default_domain_name");
  return name === undefined ? undefined : { name };
};

type Reader<T> = (raw: Raw, missing: string[]) => T | undefined;

const named = (raw: Raw, idKey: string, nameKey: string, domainPrefix: string, missing: string[]): Named => {
  const id = text(raw, idKey);
  if (id !== undefined) return { id };
  const name = text(raw, nameKey);
  if (name === undefined) {
    missing.push(`${nameKey} or ${idKey}`);
    return {};
  }
  const domain = domainOf(raw, domainPrefix);
  if (domain === undefined) missing.push(`${domainPrefix}_domain_name or ${domainPrefix}_domain_id`);
  return { name, ...(domain ? { domain } : {}) };
};

const userOf = (raw: Raw, missing: string[]): Named => named(raw, "user_id", "username", "user", missing);

const need = (raw: Raw, key: string, missing: string[]): string => {
  const value = text(raw, key);
  if (value === undefined) missing.push(key);
  return value ?? "";
};

const passwordMethod: Reader<Method> = (raw, missing) => ({
  name: "password",
  user: userOf(raw, missing),
  password: need(raw, "password", missing),
});

const tokenMethod: Reader<Method> = (raw, missing) => ({ name: "token", token: need(raw, "token", missing) });

const totpMethod: Reader<Method> = (raw, missing) => ({
  name: "totp",
  user: userOf(raw, missing),
  passcode: need(raw, "passcode", missing),
});

const applicationMethod: Reader<Method> = (raw, missing) => {
  const secret = need(raw, "application_credential_secret", missing);
  const id = text(raw, "application_credential_id");
  if (id !== undefined) return { name: "application_credential", id, secret };
  const credentialName = text(raw, "application_credential_name");
  if (credentialName === undefined) {
    missing.push("application_credential_id or application_credential_name");
    return undefined;
  }
  return { name: "application_credential", credentialName, user: userOf(raw, missing), secret };
};

const methodsByAuthType: Record<string, Reader<Method>> = {
  password: passwordMethod,
  v3password: passwordMethod,
  token: tokenMethod,
  v3token: tokenMethod,
  v3totp: totpMethod,
  v3applicationcredential: applicationMethod,
};

const scopeOf = (raw: Raw, missing: string[]): Scope | string => {
  const found: Scope[] = [];
  if (text(raw, "project_id") !== undefined || text(raw, "project_name") !== undefined) {
    found.push({ kind: "project", project: named(raw, "project_id", "project_name", "project", missing) });
  }
  const domainId = text(raw, "domain_id");
  const domainName = text(raw, "domain_name");
  if (domainId !== undefined) found.push({ kind: "domain", domain: { id: domainId } });
  else if (domainName !== undefined) found.push({ kind: "domain", domain: { name: domainName } });
  const trust = text(raw, "trust_id");
  if (trust !== undefined) found.push({ kind: "trust", id: trust });
  const system = text(raw, "system_scope");
  if (system !== undefined && system !== "all") return `system_scope is "${system}"; only "all" is allowed`;
  if (system !== undefined) found.push({ kind: "system" });
  if (found.length > 1) return `more than one scope is set: ${found.map((scope) => scope.kind).join(" and ")}`;
  return found[0] ?? { kind: "unscoped" };
};

/** Different ways to say "scope" in one application credential: it carries its own, and Keystone refuses another. */
const scopeOfMethods = (methods: Method[], raw: Raw, missing: string[]): Scope | string =>
  methods.some((method) => method.name === "application_credential") ? { kind: "unscoped" } : scopeOf(raw, missing);

const keystoneAuth = (authType: string, raw: Raw): AuthResult => {
  const missing: string[] = [];
  const authUrl = need(raw, "auth_url", missing);
  const types = authType === "v3multifactor" ? splitList(raw.auth_methods) : [authType];
  if (types.length === 0) missing.push("auth_methods");
  const unknown = types.filter((type) => methodsByAuthType[type] === undefined);
  if (unknown.length > 0) return { missing, wrong: `auth_methods has ${unknown.join(", ")}, which is not supported` };
  const methods = types.flatMap((type) => methodsByAuthType[type]?.(raw, missing) ?? []);
  const scope = scopeOfMethods(methods, raw, missing);
  if (typeof scope === "string") return { missing, wrong: scope };
  if (missing.length > 0) return { missing: [...new Set(missing)] };
  return { auth: { kind: "keystone", authUrl, methods, scope } };
};

/** A frequent mistake, because neither file nor variables say which kind of login is intended. */
const slipOf = (authType: string, config: Raw): string | undefined =>
  authType === "password" && text(config, "application_credential_secret") !== undefined
    ? "an application credential is set, but auth_type is not v3applicationcredential"
    : undefined;

/** Turns openstacksdk's `auth` section into proof of identity, or says what is missing. */
export const readAuth = (authType: string, raw: Raw, config: Raw): AuthResult => {
  if (authType === "none") return { auth: { kind: "none" } };
  const missing: string[] = [];
  if (authType === "http_basic") {
    const auth: Auth = {
      kind: "http_basic",
      username: need(raw, "username", missing),
      password: need(raw, "password", missing),
    };
    return missing.length > 0 ? { missing } : { auth };
  }
  if (authType === "admin_token") {
    const token = need(raw, "token", missing);
    return missing.length > 0 ? { missing } : { auth: { kind: "fixed_token", token } };
  }
  if (!knownAuthTypes.includes(authType)) {
    return { missing: [], wrong: `auth_type "${authType}" is not supported (supported: ${knownAuthTypes.join(", ")})` };
  }
  const result = keystoneAuth(authType, raw);
  const slip = slipOf(authType, { ...config, ...raw });
  return "auth" in result || result.wrong !== undefined || slip === undefined ? result : { ...result, wrong: slip };
};

const secretsOfMethod = (method: Method): string[] => {
  switch (method.name) {
    case "password":
      return [method.password];
    case "totp":
      return [method.passcode];
    case "token":
      return [method.token];
    case "application_credential":
      return [method.secret];
  }
};

/** Values of a proof that must never appear in a message. */
export const secretsOfAuth = (auth: Auth): string[] => {
  switch (auth.kind) {
    case "none":
      return [];
    case "http_basic":
      return [auth.password, `${auth.username}:${auth.password}`];
    case "fixed_token":
      return [auth.token];
    case "keystone":
      return auth.methods.flatMap(secretsOfMethod);
  }
};
