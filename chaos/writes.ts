// Whether what was sent was the stack's to send, read from the requests themselves.
import type { Views } from "./assertions.ts";
import type { Machine, Plan } from "./plan.ts";
import type { Passage } from "./proxy.ts";
import { nodeIn } from "./requests.ts";
import { record } from "./values.ts";

interface Op {
  path: string;
  value?: unknown;
}

const opsOf = (body: string | undefined): Op[] => {
  try {
    const ops: unknown = JSON.parse(body ?? "[]");
    return (Array.isArray(ops) ? ops : []).map(record).map(({ path, value }) => ({ path: String(path), value }));
  } catch {
    return [];
  }
};

/** The descriptions of a node's settings, before and after the update. */
const settingsOf = ({ up, update }: Plan, name: string): Machine["config"][] =>
  [...up.machines, ...(update?.machines ?? [])]
    .filter(({ node, settings }) => node === name && settings !== "none")
    .map(({ config }) => config);

type Ban = (op: Op, settings: readonly Machine["config"][], before: Record<string, unknown>) => string | undefined;

const BANS: readonly Ban[] = [
  ({ path, value }, settings) => {
    if (path !== "/driver_info" && !path.startsWith("/driver_info/")) return undefined;
    const key = path.slice("/driver_info/".length);
    const isManaged = settings.some(({ driverInfo }) => key in record(driverInfo));
    return isManaged ? undefined : `writes ${JSON.stringify(value)} to ${path}, which no program manages`;
  },
  ({ path, value }, settings, before) => {
    if (path !== "/automated_clean" || value !== false) return undefined;
    const isWanted = before.automated_clean === false || settings.some((one) => one.automatedCleaning === false);
    return isWanted ? undefined : "turns automated_clean off, which no program wants";
  },
];

/** `nameOf`: the name of a node whose name or UUID this is. */
export function judgeWrites(
  passages: readonly Passage[],
  plan: Plan,
  before: Views,
  nameOf: (ident: string) => string,
): string[] {
  const allowed = new Set(plan.up.machines.map(({ node }) => node));
  return passages.flatMap(({ method, path, body }) => {
    if (method === "GET") return [];
    const ident = nodeIn(path);
    const name = ident === undefined ? undefined : nameOf(ident);
    if (name === undefined || !allowed.has(name)) return [`${method} ${path} is not this stack's to send`];
    if (method !== "PATCH") return [];
    const was = before.get(name)?.body ?? {};
    const settings = settingsOf(plan, name);
    const banned = opsOf(body).flatMap((op) => BANS.map((ban) => ban(op, settings, was)));
    return banned.filter((text) => text !== undefined).map((text) => `${method} of ${name} ${text}`);
  });
}
