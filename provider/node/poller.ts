/**
 * One poller per client: however many resources wait, each tick is one light list, of the claimed nodes where all who
 * wait are claimed. Where few wait among many nodes, it is one light read of each.
 */

import type { Clock } from "../core/index.ts";
import { isFinal } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import { fieldsOf, type LightNode, lightNodePage, lightNodeSchema } from "./node-schema.ts";

// A change is likely soon after the last one: wait a tenth of the time that has passed since, within these bounds.
const MIN_INTERVAL_MS = 200;
const MAX_INTERVAL_MS = 5_000;
const SHARE_OF_AGE = 0.1;
/** A server that needs long for a poll gets at least this many times as long a rest, within the bounds above. */
const REST_PER_LATENCY = 4;
/** A server in trouble is not asked more often than this. */
const TROUBLED_INTERVAL_MS = 1_000;
const PAGE_SIZE = 1_000;
/** A list costs Ironic as much for so many rows as a read of one node (39.0: 0.37 ms a row, 10 ms a read). */
const ROWS_PER_READ = 25;
const MAX_PAGES = 100;
const LIGHT_FIELDS = fieldsOf(lightNodeSchema).join(",");

/** Nodes of a list. Each row costs Ironic, and where all who wait are claimed the others need not be listed. */
type Scope = "claimed" | "all";

interface Waiter {
  uuid: string;
  changedAt: number;
  resolve: (node: LightNode) => void;
  reject: (error: unknown) => void;
}

export interface Poller {
  /**
   * The node as the next tick shows it. `changedAt` (on the clock) is when the caller last saw it change.
   * Rejects when `signal` aborts, when the node is gone, or when Ironic refuses us for good.
   */
  next(uuid: string, changedAt: number, signal: AbortSignal): Promise<LightNode>;
  /** What went wrong with the last tick, for messages of callers that run out of time. */
  trouble(): string | undefined;
}

export function createPoller(client: Client, clock: Clock, random: () => number): Poller {
  const waiters = new Set<Waiter>();
  let running = false;
  let trouble: string | undefined;
  let latencyMs = 0;
  const rows: Record<Scope, number> = { claimed: 0, all: 0 };
  /** The nodes that are waited for as they were last seen, and when one of them was seen to change: where one machine of
   * a fleet arrives, the next is near, however long ago its own last change was. */
  const seen = new Map<string, LightNode>();
  let arrivedAt = Number.NEGATIVE_INFINITY;
  let dueAt = 0;
  let nap: AbortController | undefined;

  const readOne = (uuid: string) =>
    client.get(`/nodes/${uuid}`, {
      tried: "watch the node",
      node: uuid,
      query: { fields: LIGHT_FIELDS },
      ahead: waiters.size === 1,
      shape: lightNodeSchema,
    });

  async function list(scope: Scope): Promise<Map<string, LightNode>> {
    const found = new Map<string, LightNode>();
    const associated = scope === "claimed" ? "true" : undefined;
    let marker: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const { items, more } = await client.get("/nodes", {
        tried: "watch the nodes",
        query: { fields: LIGHT_FIELDS, associated, limit: PAGE_SIZE, marker },
        ahead: true,
        shape: lightNodePage,
      });
      for (const node of items) found.set(node.uuid, node);
      marker = items.at(-1)?.uuid;
      if (!more || !marker || [...waiters].every(({ uuid }) => found.has(uuid))) break;
    }
    rows[scope] = found.size;
    return found;
  }

  function notice(node: LightNode): void {
    const before = seen.get(node.uuid);
    if (before && before.provision_state !== node.provision_state) arrivedAt = clock.now();
    seen.set(node.uuid, node);
  }

  async function settleOne(waiter: Waiter, known: LightNode | undefined): Promise<void> {
    try {
      const node = known ?? (await readOne(waiter.uuid));
      notice(node);
      waiter.resolve(node);
      waiters.delete(waiter);
    } catch (error) {
      trouble = (error as Error).message;
      if (!isFinal(error)) return;
      waiters.delete(waiter);
      waiter.reject(error);
    }
  }

  const isMany = (those: Iterable<Waiter>, scope: Scope): boolean =>
    new Set([...those].map(({ uuid }) => uuid)).size > Math.max(1, rows[scope] / ROWS_PER_READ);

  /** What lists show of those who are due; the others are read one by one. */
  async function listed(due: readonly Waiter[]): Promise<Map<string, LightNode>> {
    const scope = due.some(({ uuid }) => seen.get(uuid)?.instance_uuid === null) ? "all" : "claimed";
    if (!isMany(due, scope)) return new Map();
    const found = await list(scope);
    const lost = due.filter(({ uuid }) => !found.has(uuid));
    return scope === "claimed" && isMany(lost, "all") ? list("all") : found;
  }

  async function tick(): Promise<void> {
    const due = [...waiters];
    const startedAt = clock.now();
    try {
      const found = await listed(due);
      trouble = undefined;
      await Promise.all(due.map((waiter) => settleOne(waiter, found.get(waiter.uuid))));
    } catch (error) {
      trouble = (error as Error).message;
      if (isFinal(error)) {
        for (const waiter of due) {
          waiters.delete(waiter);
          waiter.reject(error);
        }
      }
    }
    latencyMs = clock.now() - startedAt;
  }

  const wantedMs = (changedAt: number): number =>
    Math.max(MIN_INTERVAL_MS, Math.min(MAX_INTERVAL_MS, (clock.now() - Math.max(changedAt, arrivedAt)) * SHARE_OF_AGE));

  function intervalMs(): number {
    const wanted = Math.min(...[...waiters].map(({ changedAt }) => wantedMs(changedAt)));
    const jittered = Math.max(wanted * (0.9 + 0.2 * random()), Math.min(MAX_INTERVAL_MS, latencyMs * REST_PER_LATENCY));
    return trouble ? Math.max(TROUBLED_INTERVAL_MS, jittered) : jittered;
  }

  /** Sleeps until the next tick is due; who joins with a change that is nearer moves it forward. */
  async function rest(): Promise<void> {
    dueAt = clock.now() + intervalMs();
    for (let restMs = dueAt - clock.now(); restMs > 0; restMs = dueAt - clock.now()) {
      nap = new AbortController();
      const woken = await clock.sleep(restMs, nap.signal).then(
        () => false,
        () => true,
      );
      if (woken && waiters.size === 0) break;
      if (woken) dueAt = Math.min(dueAt, clock.now() + intervalMs());
    }
    nap = undefined;
  }

  async function run(): Promise<void> {
    running = true;
    try {
      while (waiters.size > 0) {
        await rest();
        if (waiters.size > 0) await tick();
        // Let the waiters that were just answered decide and come back before the next interval is chosen.
        await clock.sleep(0);
      }
    } finally {
      running = false;
      seen.clear();
    }
  }

  return {
    trouble: () => trouble,
    next: (uuid, changedAt, signal) =>
      new Promise<LightNode>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const onAbort = () => {
          waiters.delete(waiter);
          reject(signal.reason);
          if (waiters.size === 0) nap?.abort();
        };
        const waiter: Waiter = {
          uuid,
          changedAt,
          resolve: (node) => {
            signal.removeEventListener("abort", onAbort);
            resolve(node);
          },
          reject: (error) => {
            signal.removeEventListener("abort", onAbort);
            reject(error);
          },
        };
        signal.addEventListener("abort", onAbort, { once: true });
        waiters.add(waiter);
        if (!running) void run();
        else if (clock.now() + wantedMs(changedAt) < dueAt) nap?.abort();
      }),
  };
}

const pollers = new WeakMap<Client, Poller>();

/** The poller that all resources of this client share. */
export function pollerOf(client: Client, clock: Clock, random: () => number): Poller {
  const known = pollers.get(client);
  if (known) return known;
  const poller = createPoller(client, clock, random);
  pollers.set(client, poller);
  return poller;
}
