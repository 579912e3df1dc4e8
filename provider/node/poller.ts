/**
 * One poller per connection: however many resources wait, each tick asks Ironic once for all of them. When the next tick is
 * due says poll-interval.ts, what it asks poll-listing.ts.
 */

import type { Clock } from "../core/index.ts";
import { isFault, isFinal } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import type { LightNode } from "./node-schema.ts";
import { intervalMs, type TickResult, wantedIntervalMs } from "./poll-interval.ts";
import { createListing } from "./poll-listing.ts";

export interface Poller {
  /**
   * The node as the next tick shows it. `changedAt` (on the clock) is when the caller last saw it change.
   * Rejects when `signal` aborts, when the node is gone, or when Ironic refuses us for good.
   */
  next(uuid: string, changedAt: number, signal: AbortSignal): Promise<LightNode>;
  /** What went wrong with the last tick, for messages of callers that run out of time. */
  trouble(): string | undefined;
}

/** One who waits; either function ends that. */
interface Waiter {
  uuid: string;
  changedAt: number;
  resolve: (node: LightNode) => void;
  reject: (error: unknown) => void;
}

/** Joins `waiters` until the answer comes or `signal` aborts; `onLeft` is told of the latter. */
const join = (
  waiters: Set<Waiter>,
  { uuid, changedAt, signal }: { uuid: string; changedAt: number; signal: AbortSignal },
  onLeft: () => void,
): Promise<LightNode> =>
  new Promise((resolve, reject) => {
    const leave = () => {
      waiters.delete(waiter);
      signal.removeEventListener("abort", onAbort);
    };
    const onAbort = () => {
      leave();
      reject(signal.reason);
      onLeft();
    };
    const waiter: Waiter = {
      uuid,
      changedAt,
      resolve: (node) => {
        leave();
        resolve(node);
      },
      reject: (error) => {
        leave();
        reject(error);
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    waiters.add(waiter);
  });

/** A sleep until a moment that may be moved forward. */
function createAlarm(clock: Clock) {
  let dueAt = 0;
  let nap: AbortController | undefined;
  return {
    /** Sleeps for `intervalMs`, which is asked again when the sleep is disturbed; not on where nobody waits any more. */
    async rest(intervalMs: () => number, isNeeded: () => boolean): Promise<void> {
      dueAt = clock.now() + intervalMs();
      for (let restMs = dueAt - clock.now(); restMs > 0; restMs = dueAt - clock.now()) {
        nap = new AbortController();
        const woken = await clock.sleep(restMs, nap.signal).then(
          () => false,
          () => true,
        );
        if (woken && !isNeeded()) break;
        if (woken) dueAt = Math.min(dueAt, clock.now() + intervalMs());
      }
      nap = undefined;
    },
    /** One joined who wants the next tick in `ms`. */
    hasten(ms: number): void {
      if (clock.now() + ms < dueAt) nap?.abort();
    },
    disturb: (): void => nap?.abort(),
  };
}

/** Asks once for all who wait, and answers those of whom it is known how they stand. */
function createTicker(client: Client, clock: Clock, waiters: Set<Waiter>) {
  const listing = createListing(client);
  /** The nodes that are waited for, as they were last seen. */
  const last = new Map<string, LightNode>();
  const result: TickResult = { arrivedAt: Number.NEGATIVE_INFINITY, latencyMs: 0, trouble: undefined };

  /** Only what cannot pass by itself ends the waiting. */
  const fail = (error: unknown, whose: readonly Waiter[]): void => {
    result.trouble = (error as Error).message;
    result.askedMs = (isFault(error) && error.retryAfterMs) || 0;
    if (isFinal(error)) for (const waiter of whose) waiter.reject(error);
  };

  async function answer(waiter: Waiter, listed: LightNode | undefined): Promise<void> {
    try {
      const node = listed ?? (await listing.readOne(waiter.uuid, waiters.size === 1));
      const before = last.get(node.uuid);
      if (before && before.provision_state !== node.provision_state) result.arrivedAt = clock.now();
      last.set(node.uuid, node);
      waiter.resolve(node);
    } catch (error) {
      fail(error, [waiter]);
    }
  }

  return {
    result,
    forget: () => last.clear(),
    async tick(): Promise<void> {
      const due = [...waiters];
      const startedAt = clock.now();
      try {
        const uuids = due.map(({ uuid }) => uuid);
        const listed = await listing.list(uuids, last, (found) => [...waiters].every(({ uuid }) => found.has(uuid)));
        result.trouble = undefined;
        result.askedMs = 0;
        await Promise.all(due.map((waiter) => answer(waiter, listed.get(waiter.uuid))));
      } catch (error) {
        fail(error, due);
      }
      result.latencyMs = clock.now() - startedAt;
    },
  };
}

export function createPoller(client: Client, clock: Clock, random: () => number): Poller {
  const waiters = new Set<Waiter>();
  const alarm = createAlarm(clock);
  const { result, tick, forget } = createTicker(client, clock, waiters);
  let running = false;

  const nextIntervalMs = (): number =>
    intervalMs(
      clock.now(),
      [...waiters].map(({ changedAt }) => changedAt),
      result,
      random(),
    );

  async function run(): Promise<void> {
    running = true;
    try {
      while (waiters.size > 0) {
        await alarm.rest(nextIntervalMs, () => waiters.size > 0);
        if (waiters.size > 0) await tick();
        // Let the waiters that were just answered decide and come back before the next interval is chosen.
        await clock.sleep(0);
      }
    } finally {
      running = false;
      forget();
    }
  }

  return {
    trouble: () => result.trouble,
    next: (uuid, changedAt, signal) => {
      if (signal.aborted) return Promise.reject(signal.reason);
      const answered = join(waiters, { uuid, changedAt, signal }, () => {
        if (waiters.size === 0) alarm.disturb();
      });
      if (!running) void run();
      else alarm.hasten(Math.max(result.askedMs ?? 0, wantedIntervalMs(clock.now(), changedAt, result.arrivedAt)));
      return answered;
    },
  };
}
