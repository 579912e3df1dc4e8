/**
 * To whom credentials go: to no host that their own source does not know, unless the configuration names it. A shell that
 * is set up for one cloud must not give its token to the endpoint that a stack has for another one.
 */
import { isIP } from "node:net";
import { ProblemError, type Warning } from "../core/index.ts";
import { splitList } from "./cloud-fixes.ts";
import { type Auth, secretsOfAuth } from "./credentials.ts";
import { type Settings, secretsOfSettings } from "./keys.ts";

/** For messages: where an address is from, and where the credentials are from. */
export interface Sources {
  address: string;
  credentials: string;
}

/** Where credentials are to be sent, and what the source of what the stack leaves open names itself. */
export interface Destination {
  settings: Settings;
  auth: Auth;
  endpoint: string | undefined;
  /** Of the environment, or of a cloud in clouds.yaml. */
  source: string;
  own: { endpoint: string | undefined; authUrl: string | undefined };
}

/** Empty for what is no address: that is refused elsewhere. */
const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).hostname : "");

/** What is shown of an address: a cloud may have a password in one. */
export const originOf = (address: string): string => (URL.canParse(address) ? new URL(address).origin : "an address");

export const isSameHost = (one: string, other: string): boolean => hostOf(one) === hostOf(other);

/** `known` completes "the credentials are for …". */
export const otherHostError = (address: string, sources: Sources, known: string): ProblemError =>
  new ProblemError({
    code: "credentials-other-host",
    problem: `${originOf(address)} (${sources.address}) is at the host ${hostOf(address)}, but the credentials (${sources.credentials}) are for ${known}. They were not sent to ${hostOf(address)}`,
    advice: `If they are to go there, set \`ironic:allowCredentialsTo: ${hostOf(address)}\`. Otherwise correct the address, set credentials beside it, or \`ironic:authType: none\` for an Ironic without authentication.`,
  });

const allowedHosts = ({ allowCredentialsTo }: Settings): Set<string> =>
  new Set(
    splitList(allowCredentialsTo).map((entry) => {
      const name = entry.trim();
      const isAddress = isIP(name) === 6;
      const host = hostOf(isAddress ? `http://[${name}]` : `http://${name}`);
      // No pattern: a host is allowed that is written out.
      if (host !== "" && (isAddress || /^[^/?#@:*\s]+$/.test(name))) return host;
      throw new ProblemError({
        code: "setting-invalid",
        problem: `ironic:allowCredentialsTo is "${allowCredentialsTo}"`,
        advice: "Use the names or addresses of hosts, without scheme and port, several with commas.",
      });
    }),
  );

/** Are all secrets of the login set in the stack's configuration? */
const isOfStack = (auth: Auth, settings: Settings): boolean => {
  const own = new Set(secretsOfSettings(settings));
  return (auth.kind === "http_basic" ? [auth.password] : secretsOfAuth(auth)).every((secret) => own.has(secret));
};

const keyOf = (key: "endpoint" | "authUrl"): string => `ironic:${key}`;

const checkLogin = ({ settings, auth, source, own }: Destination, allowed: ReadonlySet<string>): void => {
  const { authUrl } = settings;
  if (auth.kind !== "keystone" || authUrl === undefined || own.authUrl === undefined) return;
  if (isSameHost(authUrl, own.authUrl) || allowed.has(hostOf(authUrl))) return;
  throw otherHostError(authUrl, { address: keyOf("authUrl"), credentials: source }, originOf(own.authUrl));
};

/**
 * Throws a ProblemError where credentials of one source would go to another host that another source names. Gives the
 * sources where that depends on Keystone's catalogue, which has to have the endpoint's host.
 */
export const checkDestination = (destination: Destination): Sources | undefined => {
  const { settings, auth, endpoint, source, own } = destination;
  const allowed = allowedHosts(settings);
  if (auth.kind === "none") return undefined;
  const isStacks = isOfStack(auth, settings);
  if (!isStacks) checkLogin(destination, allowed);
  if (endpoint === undefined || allowed.has(hostOf(endpoint))) return undefined;
  if (isStacks) {
    // The stack's own login, at its own Keystone; a cloud that the stack names is asked for with all that it says.
    const isBeside = auth.kind === "keystone" && settings.authUrl !== undefined && settings.cloud === undefined;
    return isBeside && settings.endpoint === undefined
      ? { address: source, credentials: "stack configuration" }
      : undefined;
  }
  if (settings.endpoint === undefined || (own.endpoint !== undefined && isSameHost(own.endpoint, endpoint))) {
    return undefined;
  }
  const sources = { address: keyOf("endpoint"), credentials: source };
  if (auth.kind === "keystone" && own.authUrl !== undefined) return sources;
  // Credentials that are kept with no address at all, as a password in a variable, are for those of the stack.
  if (own.endpoint === undefined) return undefined;
  throw otherHostError(endpoint, sources, originOf(own.endpoint));
};

const isLoopback = (host: string): boolean =>
  host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

/** For an address that credentials are sent to. */
export const unencryptedWarning = (address: string): Warning | undefined =>
  URL.canParse(address) && new URL(address).protocol === "http:" && !isLoopback(hostOf(address))
    ? {
        code: "credentials-unencrypted",
        text: `Credentials go to ${originOf(address)} without encryption: anybody on the network path can read them, and act as this account. Use an https:// address.`,
      }
    : undefined;

/** For the addresses that are known before Keystone was asked. */
export const warningsOf = (auth: Auth, endpoint: string | undefined): Warning[] => {
  const addresses = auth.kind === "none" ? [] : [endpoint, auth.kind === "keystone" ? auth.authUrl : undefined];
  return addresses.flatMap((address) => (address === undefined ? [] : (unencryptedWarning(address.trim()) ?? [])));
};
