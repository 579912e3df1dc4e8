/** What a program is about to use, as Ironic shows it: one bulk read of nodes and ports per run, and each driver once. */

import type * as z from "zod";
import { type Client, field, type Page, pageOf, type ReadOptions, type Shape } from "../http/index.ts";
import { fieldsOf, portSchema, type SurveyedNode, surveyedNodeSchema } from "../node/index.ts";
import type { Call, Services } from "../plugin/index.ts";
import { hasUnknown } from "../schema/index.ts";
import { type Finding, look, reachable, rejected, tellUnchecked } from "./findings.ts";

const interfaces = field.list(field.text).nullable().optional();
/** https://docs.openstack.org/api-ref/baremetal/#show-driver-details */
const driverSchema = field.object({ enabled_boot_interfaces: interfaces, enabled_deploy_interfaces: interfaces });
export type EnabledInterfaces = z.infer<typeof driverSchema>;

const nodePage = pageOf("nodes", surveyedNodeSchema);
const surveyedPortSchema = portSchema.pick({ uuid: true, node_uuid: true, pxe_enabled: true }).required();
const portPage = pageOf("ports", surveyedPortSchema);

export interface Facts {
  nodes: Map<string, SurveyedNode>;
  /** By node: has any of its ports `pxe_enabled`? */
  ports: Map<string, boolean>;
  /** What its driver has enabled, as far as this account may know. */
  enabled(node: SurveyedNode): Promise<EnabledInterfaces | undefined>;
}

const LIMIT = 1_000;
type Ask = <T>(path: string, options: ReadOptions<T>) => Promise<T>;

async function readAll<T extends { uuid: string }>(
  ask: Ask,
  path: string,
  page: Shape<Page<T>>,
  fields: readonly string[],
  query: Record<string, string> = {},
): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const marker = found.at(-1)?.uuid;
    const { items, more } = await ask(path, {
      tried: "look at what the program is about to use",
      query: { fields: fields.join(","), limit: LIMIT, marker, ...query },
      shape: page,
    });
    found.push(...items);
    if (!more) return found;
  }
}

async function readFacts(client: Client, services: Services, call: Call): Promise<Facts> {
  const ask: Ask = (path, options) =>
    look(client, services, call, (signal) => client.get(path, { ...options, signal }));
  const hasAutomatedClean = await client.supports("automatedClean");
  const hasRetired = await client.supports("retired");
  const nodeFields = fieldsOf(surveyedNodeSchema).filter(
    (name) => (name !== "automated_clean" || hasAutomatedClean) && (name !== "retired" || hasRetired),
  );
  // Nodes with a parent are left out of lists, but read by name like any other.
  const children = (await client.supports("childNodes")) ? { include_children: "true" } : {};
  const [nodes, ports] = await Promise.all([
    readAll(ask, "/nodes", nodePage, nodeFields, children),
    readAll(ask, "/ports", portPage, fieldsOf(surveyedPortSchema)),
  ]);
  const byNode = new Map<string, boolean>();
  for (const { node_uuid, pxe_enabled } of ports) byNode.set(node_uuid, pxe_enabled || byNode.get(node_uuid) === true);
  const byKey = new Map<string, SurveyedNode>();
  for (const node of nodes) {
    if (node.name) byKey.set(node.name, node);
    byKey.set(node.uuid, node);
  }
  const drivers = new Map<string, Promise<EnabledInterfaces | undefined>>();
  return {
    nodes: byKey,
    ports: byNode,
    enabled: async ({ driver }) => {
      if (driver === undefined) return undefined;
      const known =
        drivers.get(driver) ??
        ask(`/drivers/${driver}`, { tried: `read the driver ${driver}`, shape: driverSchema }).catch(() => undefined);
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
  { node, stackId, resourceId }: { node: string; stackId: string; resourceId: string },
  { nodes }: Facts,
  isSpelledAsBefore: boolean,
  markerOf: (node: SurveyedNode) => { stackId: string; resourceId: string } | undefined,
): SurveyedNode | undefined {
  const isOwn = (candidate: SurveyedNode) => {
    const marker = markerOf(candidate);
    return marker?.stackId === stackId && marker.resourceId === resourceId;
  };
  const named = nodes.get(node);
  if (!isSpelledAsBefore || (named && isOwn(named))) return named;
  return [...nodes.values()].find(isOwn) ?? named;
}

export function whyNotEnabled(
  { driver }: SurveyedNode,
  enabled: EnabledInterfaces | undefined,
  kind: "boot" | "deploy",
  name: string | undefined,
): string | undefined {
  const list = enabled?.[`enabled_${kind}_interfaces`];
  return name !== undefined && list && !list.includes(name)
    ? `the ${kind} interface ${name} is not enabled for its driver ${driver}; there are ${list.join(", ")}`
    : undefined;
}
