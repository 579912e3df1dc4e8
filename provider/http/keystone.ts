import { type Auth, type Method, type Named, type Scope, trimSlashes } from "../connection/index.ts";
import {
  IronicError,
  type IronicErrorFields,
  ProblemError,
  type Recognition,
  recognise,
  redact,
} from "../core/index.ts";
import { readErrorBody, shorten } from "./error-body.ts";
import {
  type Endpoint,
  flatRootSchema,
  loginSchema,
  oneVersionSchema,
  rootSchema,
  type Service,
  type VersionDocument,
} from "./keystone-schema.ts";
import { type Account, accountOfToken } from "./place.ts";
import { parseBody } from "./shape.ts";
import { type Reply, signOf, type Transport, TransportError } from "./transport.ts";

export type { Service } from "./keystone-schema.ts";

export interface Token {
  value: string;
  /** Wall clock, milliseconds; undefined if Keystone named no end. */
  expiresAtMs?: number;
  catalogue: Service[];
  account: Account;
  /** How long it was good for when it was made, by Keystone's clock: independent of ours. */
  lifetimeMs?: number;
}

type KeystoneAuth = Extract<Auth, { kind: "keystone" }>;

const namedBody = ({ id, name, domain }: Named): Record<string, unknown> =>
  id === undefined ? { name, ...(domain ? { domain } : {}) } : { id };

const methodBody = (method: Method): Record<string, unknown> => {
  switch (method.name) {
    case "password":
      return { user: { ...namedBody(method.user), password: method.password } };
    case "totp":
      return { user: { ...namedBody(method.user), passcode: method.passcode } };
    case "token":
      return { id: method.token };
    case "application_credential":
      return method.id === undefined
        ? { name: method.credentialName, user: namedBody(method.user ?? {}), secret: method.secret }
        : { id: method.id, secret: method.secret };
  }
};

const scopeBody = (scope: Scope): Record<string, unknown> | undefined => {
  switch (scope.kind) {
    case "project":
      return { project: namedBody(scope.project) };
    case "domain":
      return { domain: scope.domain };
    case "system":
      return { system: { all: true } };
    case "trust":
      return { "OS-TRUST:trust": { id: scope.id } };
    case "unscoped":
      return undefined;
  }
};

/** https://docs.openstack.org/api-ref/identity/v3/#password-authentication-with-scoped-authorization */
const tokenRequest = (auth: KeystoneAuth): unknown => {
  const identity: Record<string, unknown> = { methods: auth.methods.map((method) => method.name) };
  for (const method of auth.methods) identity[method.name] = methodBody(method);
  const scope = scopeBody(auth.scope);
  return { auth: { identity, ...(scope ? { scope } : {}) } };
};

const timeoutMsDefault = 60_000;

interface Login {
  auth: KeystoneAuth;
  transport: Transport;
  secrets: readonly string[];
  timeoutMs?: number;
}

const failure = (
  login: Login,
  request: string,
  { fault, code, advice = "Check `auth_url` and Keystone's log." }: Recognition,
  fields: Pick<IronicErrorFields, "code" | "detail" | "status" | "requestId" | "cause">,
) =>
  new IronicError({
    operation: `log in at Keystone ${login.auth.authUrl}`,
    request,
    server: "Keystone",
    fault,
    code: code ?? (fields.status === undefined ? undefined : "keystone-failed"),
    advice,
    ...fields,
    detail: shorten(redact(fields.detail, login.secrets)),
  });

const exchange = async (login: Login, method: "GET" | "POST", url: URL, body?: unknown): Promise<Reply> => {
  try {
    return await login.transport.exchange({
      method,
      url,
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs: login.timeoutMs ?? timeoutMsDefault,
    });
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw failure(login, `${method} ${url.pathname}`, recognise({ server: "keystone", sign: signOf(cause) }), {
      detail: `${url.origin}: ${cause.message}`,
      ...(cause.tlsCode !== undefined && { code: cause.tlsCode }),
      cause,
    });
  }
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** None where something else answers: the usual address is then tried, and the login says what is wrong with it. */
const documentsIn = (text: string): VersionDocument[] => {
  const body = jsonOf(text);
  const one = parseBody(oneVersionSchema, body);
  if (one.ok) return [one.value.version];
  const root = parseBody(rootSchema, body);
  if (root.ok) return root.value.versions.values;
  const flat = parseBody(flatRootSchema, body);
  return flat.ok ? flat.value.versions : [];
};

/**
 * The address that `href` of a version document means, at the origin that was asked: a Keystone behind a proxy does not
 * know the proxy's scheme, name, port or path prefix, and whoever else wrote the document gets no password.
 * As keystoneauth combines them: https://opendev.org/openstack/keystoneauth, discover.py, _combine_relative_url. A path at
 * the host that was asked, but without the prefix that was asked, gets the prefix as well.
 */
const combined = (asked: URL, href: string): string | undefined => {
  const target = URL.canParse(href, asked.href) ? new URL(href, asked) : undefined;
  const version = target?.pathname.split("/").findLast((part) => part !== "");
  if (target === undefined || version === undefined) return undefined;
  const knowsItsPath = target.host === asked.host && target.pathname.startsWith(asked.pathname);
  return trimSlashes(asked.origin + (knowsItsPath ? target.pathname : asked.pathname + version));
};

const versionUrl = (documents: VersionDocument[], asked: URL): string | undefined => {
  const document = documents.find((candidate) => candidate.id?.startsWith("v3"));
  const href = document?.links?.find((link) => link.rel === "self")?.href ?? document?.links?.[0]?.href;
  return href ? combined(asked, href) : undefined;
};

const isMultipleChoices = (status: number): boolean => status === 300 || (status >= 200 && status < 300);

/** `…/v3` of an address with or without it. Keystone lists its versions at the root, with status 300. */
const findV3 = async (login: Login): Promise<string> => {
  const text = trimSlashes(login.auth.authUrl.trim());
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new ProblemError({
      code: "setting-invalid",
      problem: `The address of Keystone (ironic:authUrl, OS_AUTH_URL or auth_url) is not an http:// or https:// address`,
      advice: "Use for example https://keystone.example.org:5000/v3.",
    });
  }
  if (/\/v3$/.test(text)) return text;
  const asked = new URL(`${text.replace(/\/v2\.0$/, "")}/`);
  const reply = await exchange(login, "GET", asked);
  const found = isMultipleChoices(reply.status) ? versionUrl(documentsIn(reply.text), asked) : undefined;
  return found ?? `${trimSlashes(asked.href)}/v3`;
};

const holdsToken = (body: unknown): boolean =>
  typeof body === "object" && body !== null && "token" in body && body.token !== undefined;

const parseToken = (login: Login, reply: Reply, request: string): Token => {
  const value = reply.headers["x-subject-token"];
  const body = jsonOf(reply.text);
  const parsed = parseBody(loginSchema, body);
  if (typeof value !== "string" || !parsed.ok) {
    const isOdd = typeof value === "string" && !parsed.ok && holdsToken(body);
    throw failure(login, request, recognise({ server: "keystone", sign: isOdd ? "misshapen" : "unreadable" }), {
      status: reply.status,
      detail: isOdd ? `${request}: ${parsed.fault}` : "the answer has no token",
    });
  }
  const { token } = parsed.value;
  const expiresAtMs = Date.parse(token.expires_at ?? "");
  const issuedAtMs = Date.parse(token.issued_at ?? "");
  return {
    value,
    catalogue: token.catalog ?? [],
    account: accountOfToken(token),
    ...(Number.isNaN(expiresAtMs) ? {} : { expiresAtMs }),
    ...(Number.isNaN(expiresAtMs) || Number.isNaN(issuedAtMs) ? {} : { lifetimeMs: expiresAtMs - issuedAtMs }),
  };
};

/** One token from Keystone, or an IronicError that names Keystone, never a secret. */
export const logIn = async (login: Login): Promise<Token> => {
  const url = new URL(`${await findV3(login)}/auth/tokens`);
  const request = `POST ${url.pathname}`;
  const reply = await exchange(login, "POST", url, tokenRequest(login.auth));
  if (reply.status >= 200 && reply.status < 300) return parseToken(login, reply, request);
  const detail = readErrorBody(reply.text);
  // Second methods that Keystone still wants: https://docs.openstack.org/keystone/latest/admin/auth-receipts.html
  const wanted = reply.headers["openstack-auth-receipt"]
    ? " (Keystone asks for another factor, e.g. `ironic:passcode`)"
    : "";
  const redirected = reply.status >= 300 && reply.status < 400 ? " (redirects are not followed with credentials)" : "";
  const requestId = reply.headers["x-openstack-request-id"];
  throw failure(login, request, recognise({ server: "keystone", status: reply.status, text: shorten(detail) }), {
    status: reply.status,
    requestId: typeof requestId === "string" ? requestId : undefined,
    detail: `${detail || "no explanation"}${wanted}${redirected}`,
  });
};

/** https://service-types.openstack.org/: the name, then the alias that older deployments use. */
const serviceTypesOf = (asked: string): string[] => (asked === "baremetal" ? ["baremetal", "bare-metal"] : [asked]);

/** All addresses that a catalogue has of Ironic, whatever their region and interface. */
export const endpointsIn = (catalogue: Service[], serviceType: string): string[] =>
  catalogue
    .filter(({ type }) => serviceTypesOf(serviceType).includes(type ?? ""))
    .flatMap(({ endpoints }) => (endpoints ?? []).flatMap(({ url }) => url ?? []));

/** Ironic's address in a catalogue; throws a ProblemError that lists what the catalogue has. */
export const findEndpoint = (
  catalogue: Service[],
  wanted: {
    serviceType: string;
    serviceName?: string | undefined;
    interfaces: string[];
    region?: string | undefined;
    authUrl: string;
  },
): string => {
  const plain = (name: string | null | undefined): string => (name ?? "").replace(/URL$/, "");
  const inRegion = (endpoint: Endpoint): boolean =>
    wanted.region === undefined || [endpoint.region, endpoint.region_id].includes(wanted.region);
  const ofType = serviceTypesOf(wanted.serviceType).map((type) =>
    catalogue
      .filter(
        (service) =>
          service.type === type && (!wanted.serviceName || (service.name ?? wanted.serviceName) === wanted.serviceName),
      )
      .flatMap((service) => service.endpoints ?? []),
  );
  for (const endpoints of ofType) {
    for (const name of wanted.interfaces) {
      const found = endpoints.find(
        (endpoint) => plain(endpoint.interface) === name && inRegion(endpoint) && endpoint.url,
      );
      if (found?.url) return found.url;
    }
  }
  const offers = ofType.flat().map((endpoint) => `${plain(endpoint.interface)} in ${endpoint.region ?? "no region"}`);
  const types = catalogue.map((service) => service.type ?? "?").join(", ");
  throw new ProblemError({
    code: "catalogue-endpoint-missing",
    problem: `Keystone's catalogue at ${wanted.authUrl} has no endpoint of type ${wanted.serviceType}, interface ${wanted.interfaces.join(" or ")}${wanted.region ? `, region ${wanted.region}` : ""}. It has ${offers.length > 0 ? offers.join(", ") : `no such service (types: ${types || "none; the token has no scope"})`}`,
    advice: "Set `ironic:region` or `ironic:interface`, or the address itself as `ironic:endpoint`.",
  });
};
