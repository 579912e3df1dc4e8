import type { Clock } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import {
  createInventory,
  createPatchQueue,
  createPoller,
  createReadings,
  type Inventory,
  type PatchQueue,
  type Poller,
  type Readings,
} from "../node/index.ts";

/** A fault of some versions of Ironic that was met on this server: a rebuild fails where `image_source` is not set. */
export type ServerFault = "rebuildWithoutSource";

/** What is shared by all resources of one connection, and lives as long as its client: until the provider process ends. */
export interface ConnectionContext {
  readonly client: Client;
  /** Polls once for all who wait. */
  readonly poller: Poller;
  /** Reads nodes, none of them older than was seen. */
  readonly readings: Readings;
  /** Writes to one node after the other. */
  readonly patches: PatchQueue;
  /** What the preflight has read. */
  readonly inventory: Inventory;
  /** What the next update need not meet again. */
  readonly serverFaults: Set<ServerFault>;
  /** Instances that this process saw leave their nodes: Ironic ends their allocations at once. */
  readonly leftInstances: Set<string>;
}

export const createConnectionContext = (client: Client, clock: Clock, random: () => number): ConnectionContext => {
  const readings = createReadings(client, clock);
  return {
    client,
    poller: createPoller(client, clock, random),
    readings,
    patches: createPatchQueue(client, (node) => readings.of(node).seen(node)),
    inventory: createInventory(client, clock),
    serverFaults: new Set(),
    leftInstances: new Set(),
  };
};
