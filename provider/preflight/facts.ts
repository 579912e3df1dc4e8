/** What a program is about to use, as Ironic shows it: one bulk read of nodes and ports per run, and each driver once. */

import type { CallOptions, Client } from "../http/index.ts";
import type { Node } from "../node/index.ts";
import type { Call, Services } from "../plugin/index.ts";
import { hasUnknown } from "../schema/index.ts";
import { type Finding, look, reachable, rejected, tellUnchecked } from "./findings.ts";

export interface Facts {
  nodes: Map<string, Node>;
  /** By node: has any of its ports `pxe_enabled`? */
  ports: Map<string, boolean>;
  /** What its driver has enabled, as far as this account may know. */
  enabled(node: Node): Promise<Record<string, unknown> | undefined>;
}

const FIELDS =
  "uuid,name,driver,provision_state,provision_updated_at,instance_uuid,maintenance,maintenance_reason,fault,last_error,boot_interface,deploy_interface,extra,driver_info";
const LIMIT = 1_000;
type Ask = <T>(path: string, options: CallOptions) => Promise<T>;

async function readAll<T extends { uuid: string }>(
  ask: Ask,
  path: string,
  key: string,
  fields: string,
  query: CallOptions["query"] = {},
): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const marker = found.at(-1)?.uuid;
    const page = await ask<Record<string, T[]> & { next?: string }>(path, {
      tried: "look at what the program is about to use",
      query: { fields, limit: LIMIT, marker, ...query },
    });
    found.push(...(page[key] ?? []));
    if (!page.next) return found;
  }
}

async function readFacts(client: Client, services: Services, call: Call): Promise<Facts> {
  const ask: Ask = (path, options) =>
    look(client, services, call, (signal) => client.get(path, { ...options, signal }));
  const cleanField = (await client.supports("automatedClean")) ? ",automated_clean" : "";
  const retiredField = (await client.supports("retired")) ? ",retired" : "";
  // Nodes with a parent are left out of lists, but read by name like any other.
  const children = (await client.supports("childNodes")) ? { include_children: "true" } : {};
  const [nodes, ports] = await Promise.all([
    readAll<Node>(ask, "/nodes", "nodes", FIELDS + cleanField + retiredField, children),
    readAll<{ uuid: string; node_uuid: string; pxe_enabled: boolean }>(
      ask,
      "/ports",
      "ports",
      "uuid,node_uuid,pxe_enabled",
    ),
  ]);
  const byNode = new Map<string, boolean>();
  for (const { node_uuid, pxe_enabled } of ports) byNode.set(node_uuid, pxe_enabled || byNode.get(node_uuid) === true);
  const byKey = new Map<string, Node>();
  for (const node of nodes) {
    if (node.name) byKey.set(node.name, node);
    byKey.set(node.uuid, node);
  }
  const drivers = new Map<string, Promise<Record<string, unknown> | undefined>>();
  return {
    nodes: byKey,
    ports: byNode,
    enabled: async ({ driver }) => {
      if (driver === undefined) return undefined;
      const known =
        drivers.get(driver) ??
        ask<Record<string, unknown>>(`/drivers/${driver}`, { tried: `read the driver ${driver}` }).catch(
          () => undefined,
        );
      drivers.set(driver, known);
      return known;
    },
  };
}

interface Reading {
  atMs: number;
  facts: Promise<Facts | Error>;
}

/** What a run has read may have changed since by what the same run does: nothing is refused by what is older. */
const FRESH_MS = 3_000;
const memo = new WeakMap<Client, Reading>();

function factsOf(client: Client, services: Services, call: Call, sinceMs: number): Reading {
  const known = memo.get(client);
  if (known && known.atMs >= sinceMs) return known;
  const reading = {
    atMs: services.clock.now(),
    facts: readFacts(client, services, call).catch((error: unknown) => error as Error),
  };
  memo.set(client, reading);
  return reading;
}

/** What `judge` makes of what Ironic shows. Where it shows nothing the user is told, and the run goes on. */
export async function judged(
  node: string,
  services: Services,
  call: Call,
  judge: (facts: Facts) => Promise<Finding[]>,
): Promise<Finding[]> {
  if (hasUnknown(node)) return [];
  const client = await reachable(services, call);
  if (!client) return [];
  const judgeSince = async (sinceMs: number): Promise<{ atMs: number; found: Finding[] }> => {
    const { atMs, facts } = factsOf(client, services, call, sinceMs);
    const known = await facts;
    if (!(known instanceof Error)) return { atMs, found: await judge(known) };
    tellUnchecked(known, call);
    return { atMs, found: [] };
  };
  const freshSinceMs = services.clock.now() - FRESH_MS;
  const { atMs, found } = await judgeSince(Number.NEGATIVE_INFINITY);
  const isStale = atMs < freshSinceMs && found.some(({ rejected }) => rejected);
  return isStale ? (await judgeSince(freshSinceMs)).found : found;
}

export const NO_SUCH_NODE = rejected("node", "there is no such node in this Ironic, or this account may not see it");

/** What exists is found by its marker: its node may have been renamed since, and the name given away. */
export function nodeOf(
  { node, owner, resourceName }: { node: string; owner: string; resourceName: string },
  { nodes }: Facts,
  isSpelledAsBefore: boolean,
  markerOf: (node: Node) => { owner: string; resource: string } | undefined,
): Node | undefined {
  const isOwn = (candidate: Node) => {
    const marker = markerOf(candidate);
    return marker?.owner === owner && marker.resource === resourceName;
  };
  const named = nodes.get(node);
  if (!isSpelledAsBefore || (named && isOwn(named))) return named;
  return [...nodes.values()].find(isOwn) ?? named;
}

export function whyNotEnabled(
  { driver }: Node,
  enabled: Record<string, unknown> | undefined,
  kind: "boot" | "deploy",
  name: string | undefined,
): string | undefined {
  const list = enabled?.[`enabled_${kind}_interfaces`];
  return name !== undefined && Array.isArray(list) && !list.includes(name)
    ? `the ${kind} interface ${name} is not enabled for its driver ${driver}; there are ${list.join(", ")}`
    : undefined;
}
