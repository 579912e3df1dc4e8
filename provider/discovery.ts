import { ProblemError } from "./errors.ts";
import type { Reply } from "./transport.ts";
import { chooseMinor, parseMinor, type VersionRange } from "./versions.ts";

/** The endpoint without `/v1` and trailing slashes: the place where versions are told. */
export const baseOf = (endpoint: string): string =>
  endpoint
    .trim()
    .replace(/[?#].*$/, "")
    .replace(/\/+$/, "")
    .replace(/\/v1$/, "")
    .replace(/\/+$/, "");

/** `path` starts with a slash and is below `/v1`. */
export const joinUrl = (base: string, path: string, query?: Record<string, string | number | undefined>): URL => {
  const url = new URL(`${base}/v1${path}`);
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(key, String(value));
  }
  return url;
};

const minorHeader = (reply: Reply, name: string): number | undefined => {
  const value = reply.headers[`x-openstack-ironic-api-${name}-version`];
  return typeof value === "string" ? parseMinor(value) : undefined;
};

/** The range that Ironic puts on every answer below `/v1`; undefined if something else answered. */
export const rangeOf = (reply: Reply): VersionRange | undefined => {
  const minMinor = minorHeader(reply, "minimum");
  const maxMinor = minorHeader(reply, "maximum");
  return minMinor === undefined || maxMinor === undefined ? undefined : { minMinor, maxMinor };
};

export const discover = async (options: {
  endpoint: string;
  pinned: number | undefined;
  get: (url: URL) => Promise<Reply>;
}): Promise<{ base: string; minor: number }> => {
  const base = baseOf(options.endpoint);
  const reply = await options.get(new URL(`${base}/v1`));
  const range = rangeOf(reply);
  if (range === undefined) {
    throw new ProblemError({
      problem: `${base}/v1 answered ${reply.status} without Ironic's version headers`,
      advice: "Check `ironic:endpoint`: host, port and path prefix (often /baremetal).",
    });
  }
  return { base, minor: chooseMinor(range, options.pinned, base) };
};
