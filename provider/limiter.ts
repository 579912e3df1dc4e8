/** What an exchange told about the server's load. */
export type Load = "fine" | "unknown" | "busy" | "overloaded";

export interface Limiter {
  /** Present limit of requests in flight. */
  readonly limit: number;
  readonly active: number;
  /** Runs `work` when a place is free, first come first served. Rejects with the signal's reason while it waits. */
  run<T>(
    work: () => Promise<T>,
    judge: (result: T | undefined, error: unknown) => Load,
    signal?: AbortSignal,
  ): Promise<T>;
}

/** How a load changes the limit: additive increase, multiplicative decrease. */
const factors: Record<"busy" | "overloaded", number> = { busy: 0.8, overloaded: 0.5 };

/** One burst of failures is one event: no second decrease within this time. */
const shrinkPauseMs = 250;

export const createLimiter = (options: { max: number; start?: number; now: () => number }): Limiter => {
  const max = Math.max(1, options.max);
  let limit = Math.min(max, Math.max(1, options.start ?? Math.ceil(max / 2)));
  let shrunkAt = Number.NEGATIVE_INFINITY;
  let everShrunk = false;
  let active = 0;
  const waiting: Array<() => void> = [];

  const admit = (): void => {
    while (active < Math.floor(limit) && waiting.length > 0) {
      active += 1;
      waiting.shift()?.();
    }
  };

  const enter = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const go = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        const at = waiting.indexOf(go);
        if (at >= 0) waiting.splice(at, 1);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      waiting.push(go);
      admit();
    });

  const learn = (load: Load): void => {
    if (load === "unknown") return;
    if (load === "fine") {
      // Before the first sign of load every success opens one more place; later a full round of them does.
      limit = Math.min(max, limit + (everShrunk ? 1 / limit : 1));
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
      return active;
    },
    run: async (work, judge, signal) => {
      await enter(signal);
      try {
        const result = await work();
        learn(judge(result, undefined));
        return result;
      } catch (error) {
        learn(judge(undefined, error));
        throw error;
      } finally {
        active -= 1;
        admit();
      }
    },
  };
};
