/** What a program is about to use, as Ironic shows it: one bulk read of nodes and ports per run, and each driver once. */

import type * as z from "zod";
import { type Clock, inTime } from "../core/index.ts";
import { type Client, field, type Page, pageOf, type ReadOptions, readPages, type Shape } from "../http/index.ts";
import { fieldsOf, portSchema, type SurveyedNode, surveyedNodeSchema } from "./node-schema.ts";

const interfaces = field.list(field.text).nullable().optional();
/** https://docs.openstack.org/api-ref/baremetal/#show-driver-details */
const driverSchema = field.object({ enabled_boot_interfaces: interfaces, enabled_deploy_interfaces: interfaces });
export type EnabledInterfaces = z.infer<typeof driverSchema>;

const nodePage = pageOf("nodes", surveyedNodeSchema);
const surveyedPortSchema = portSchema.pick({ uuid: true, node_uuid: true, pxe_enabled: true }).required();
const portPage = pageOf("ports", surveyedPortSchema);

export interface NodeInventory {
  nodes: Map<string, SurveyedNode>;
  /** By node: has any of its ports `pxe_enabled`? */
  ports: Map<string, boolean>;
  /** What its driver has enabled, as far as this account may know. */
  enabled(node: SurveyedNode): Promise<EnabledInterfaces | undefined>;
}

/** Nobody waits longer to be told sooner what would go wrong. */
const LOOK_MS = 20_000;

/** Asks Ironic, not for as long as what has to be done is tried. */
const look = <T>(
  client: Client,
  clock: Clock,
  interrupted: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> =>
  inTime(
    LOOK_MS,
    () => new Error(`${client.endpoint} gave no usable answer within ${LOOK_MS / 1000} s.`),
    clock,
    interrupted,
    ask,
  );

const LIMIT = 1_000;
type Ask = <T>(path: string, options: ReadOptions<T>) => Promise<T>;

const readAll = <T extends { uuid: string }>(
  ask: Ask,
  path: string,
  page: Shape<Page<T>>,
  fields: readonly string[],
  query: Record<string, string> = {},
): Promise<T[]> =>
  readPages({ get: ask }, path, page, {
    operation: "look at what the program is about to use",
    query: { fields: fields.join(","), limit: LIMIT, ...query },
  });

async function readFacts(client: Client, clock: Clock, interrupted: AbortSignal): Promise<NodeInventory> {
  const ask: Ask = (path, options) =>
    look(client, clock, interrupted, (signal) => client.get(path, { ...options, signal }));
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
        ask(`/drivers/${driver}`, { operation: `read the driver ${driver}`, shape: driverSchema }).catch(
          () => undefined,
        );
      drivers.set(driver, known);
      return known;
    },
  };
}

export interface Reading {
  atMs: number;
  facts: Promise<NodeInventory | Error>;
}

export interface Inventory {
  /** Why Ironic does not answer; asked once. */
  trouble(interrupted: AbortSignal): Promise<Error | undefined>;
  /** The last reading, or a new one if that began before `sinceMs`. */
  read(sinceMs: number, interrupted: AbortSignal): Reading;
}

export function createInventory(client: Client, clock: Clock): Inventory {
  let trouble: Promise<Error | undefined> | undefined;
  let last: Reading | undefined;
  return {
    trouble: (interrupted) => {
      trouble ??= look(client, clock, interrupted, (signal) => client.minor(signal)).then(
        () => undefined,
        (error: Error) => error,
      );
      return trouble;
    },
    read: (sinceMs, interrupted) => {
      if (last && last.atMs >= sinceMs) return last;
      const facts = readFacts(client, clock, interrupted).catch((error: unknown) => error as Error);
      last = { atMs: clock.now(), facts };
      return last;
    },
  };
}
