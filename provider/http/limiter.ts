import type { Load } from "../core/index.ts";

export interface Request {
  /** Requests of one kind take about as long, unless they wait in the server. */
  kind: string;
  /** From a caller that sends only one at a time: does not wait for a place. */
  ahead?: boolean | undefined;
  /** Goes after all that wait without this: begins something, where what was begun is to be ended first. */
  later?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface Limiter {
  /** Present limit of requests in flight. */
  readonly limit: number;
  readonly active: number;
  /** Runs `work` when a place is free, first come first served within each sort. Rejects with the signal's reason while it waits. */
  run<T>(work: () => Promise<T>, loadOf: (result: T | undefined, error: unknown) => Load, request: Request): Promise<T>;
}

/** How a load changes the limit: additive increase, multiplicative decrease. */
const factors: Record<Exclude<Load, "fine" | "unknown">, number> = { busy: 0.8, overloaded: 0.5 };

/** One burst of failures is one event: no second decrease within this time. */
const shrinkPauseMs = 250;

/**
 * A server that is slower than at its best keeps requests waiting, as many as the time beyond the best accounts for
 * (TCP Vegas, https://doi.org/10.1145/190809.190317). Few: more can be sent. Many: they delay the requests
 * after them, such as the poll that shows a machine active.
 */
const queueFew = 3;
const queueMany = 6;

/** Places among the requests in flight, given first come first served within each sort. */
const createPlaces = (limit: () => number) => {
  let active = 0;
  const waiting: Record<"first" | "later", Array<() => void>> = { first: [], later: [] };

  const admit = (): void => {
    while (active < Math.floor(limit())) {
      const go = waiting.first.shift() ?? waiting.later.shift();
      if (go === undefined) return;
      active += 1;
      go();
    }
  };

  const wait = ({ later, signal }: Request): Promise<void> =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const queue = waiting[later ? "later" : "first"];
      const go = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        const at = queue.indexOf(go);
        if (at >= 0) queue.splice(at, 1);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      queue.push(go);
      admit();
    });

  return {
    active: () => active,
    enter: async (request: Request): Promise<void> => {
      if (request.ahead) active += 1;
      else await wait(request);
    },
    leave: (): void => {
      active -= 1;
      admit();
    },
  };
};

export const createLimiter = (options: { max: number; start?: number; now: () => number }): Limiter => {
  const max = Math.max(1, options.max);
  let limit = Math.min(max, Math.max(1, options.start ?? Math.ceil(max / 2)));
  let shrunkAt = Number.NEGATIVE_INFINITY;
  let everShrunk = false;
  const places = createPlaces(() => limit);
  const bestMs = new Map<string, number>();

  /** Requests in flight that the server keeps waiting, by how long this one took. */
  const queued = (kind: string, tookMs: number): number => {
    const best = Math.min(bestMs.get(kind) ?? tookMs, tookMs);
    bestMs.set(kind, best);
    return tookMs > 0 ? places.active() * (1 - best / tookMs) : 0;
  };

  const adjust = (queue: number): void => {
    if (queue > queueMany) {
      everShrunk = true;
      limit = Math.max(1, limit - Math.min(1, (queue - queueMany) / limit));
    }
    // Before the first sign of load every success opens one more place; later a full round of them does.
    if (queue < queueFew) limit = Math.min(max, limit + (everShrunk ? 1 / limit : 1));
  };

  const learn = (load: Load, { kind, ahead }: Request, tookMs: number): void => {
    if (load === "unknown") return;
    if (load === "fine") {
      // Polls are lists of any length, so their duration does not count.
      if (!ahead) adjust(queued(kind, tookMs));
      return;
    }
    const now = options.now();
    if (now - shrunkAt < shrinkPauseMs) return;
    shrunkAt = now;
    everShrunk = true;
    limit = Math.max(1, limit * factors[load]);
  };

  return {
    get limit() {
      return limit;
    },
    get active() {
      return places.active();
    },
    run: async (work, loadOf, request) => {
      await places.enter(request);
      const startedMs = options.now();
      const tookMs = (): number => options.now() - startedMs;
      try {
        const result = await work();
        learn(loadOf(result, undefined), request, tookMs());
        return result;
      } catch (error) {
        learn(loadOf(undefined, error), request, tookMs());
        throw error;
      } finally {
        places.leave();
      }
    },
  };
};
