import { baseOf, parseMinor } from "../connection/index.ts";
import { ProblemError } from "../core/index.ts";
import type { Outcome, Refusal } from "./session.ts";
import type { Reply } from "./transport.ts";
import { chooseMinor, type VersionRange } from "./versions.ts";

/**
 * `path` starts with a slash and is below `/v1`. Refused where the address would lead to another path, as a node named ".."
 * does: https://url.spec.whatwg.org/#double-dot-path-segment
 */
export const joinUrl = (base: string, path: string, query?: Record<string, string | number | undefined>): URL => {
  const text = `${base}/v1${path}`;
  const url = new URL(text);
  if (url.href !== text || /[?#]|\/\/|\/$/.test(path)) {
    throw new ProblemError({
      code: "argument-invalid",
      problem: `Ironic cannot be asked for ${JSON.stringify(path)}: the address would be that of something else`,
      advice: "Use UUIDs instead of names.",
    });
  }
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(key, String(value));
  }
  return url;
};

const minorHeader = (reply: Reply, name: string): number | undefined => {
  const value = reply.headers[`x-openstack-ironic-api-${name}-version`];
  return typeof value === "string" ? parseMinor(value) : undefined;
};

/**
 * The range that Ironic puts on every answer below `/v1`; undefined if something else answered.
 * https://docs.openstack.org/ironic/latest/contributor/webapi.html
 */
export const rangeOf = (reply: Reply): VersionRange | undefined => {
  const minMinor = minorHeader(reply, "minimum");
  const maxMinor = minorHeader(reply, "maximum");
  return minMinor === undefined || maxMinor === undefined ? undefined : { minMinor, maxMinor };
};

/** Prefixes under which Ironic is found if the endpoint has none: its own port, or a shared web server's. */
const prefixesOf = (base: string): string[] => (new URL(base).pathname === "/" ? ["", "/baremetal"] : [""]);

const redirection = (reply: Reply, from: URL): string => {
  const { location } = reply.headers;
  if (location === undefined) return "";
  const target = String(location);
  return `, redirected to ${URL.canParse(target, from.href) ? new URL(target, from).origin : "no valid address"}`;
};

/** What `/v1` of a base answered when it wasn't Ironic that answered. */
const misses = (status: number): boolean => status < 400 || status === 404 || status === 405 || status === 410;

export interface Discovered {
  /** Ironic's root: `/v1` follows. */
  base: string;
  minor: number;
  range: VersionRange;
}

/**
 * Finds Ironic at or below `endpoint` and negotiates a version. `get` rejects on unreachable servers;
 * `refuse` turns an answer that is neither Ironic nor "not here" into an error.
 */
export const discover = async (options: {
  endpoint: string;
  pinned: number | undefined;
  get: (url: URL) => Promise<Outcome>;
  refuse: (reply: Reply, refusal: Refusal, url: URL) => Error;
}): Promise<Discovered> => {
  const root = baseOf(options.endpoint);
  const askedUrls: string[] = [];
  for (const prefix of prefixesOf(root)) {
    const base = `${root}${prefix}`;
    const url = new URL(`${base}/v1`);
    const { reply, refusal } = await options.get(url);
    const range = rangeOf(reply);
    if (range !== undefined) return { base, range, minor: chooseMinor(range, options.pinned, base) };
    if (refusal !== undefined && !misses(reply.status)) throw options.refuse(reply, refusal, url);
    askedUrls.push(`${url.href} (${reply.status}${redirection(reply, url)})`);
  }
  throw new ProblemError({
    code: "endpoint-not-ironic",
    problem: `No Ironic answers at ${askedUrls.join(" nor at ")}: the version headers are missing`,
    advice: "Check `ironic:endpoint`: scheme, host, port and path prefix (often /baremetal).",
  });
};
