import { setTimeout as delay } from "node:timers/promises";

/** Time, injected so that tests neither sleep nor depend on the machine's speed. */
export interface Clock {
  /** Milliseconds from an arbitrary start; never goes back. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node takes a longer one for 1 ms. Nobody waits that long for one thing. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    try {
      await delay(Math.min(ms, LONGEST_TIMER_MS), undefined, signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** The reason with which work ends that is past its time. Made once; never shown. */
const OVER = new Error("the time is over");

/** Does `work` until the deadline or an interruption ends it, also during a request; after the deadline it rejects with `late()`. */
export async function inTime<T>(
  timeoutMs: number,
  late: () => Error,
  clock: Clock,
  interrupted: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const signal = AbortSignal.any([interrupted, deadline.signal]);
  const timer = clock.sleep(timeoutMs, signal).then(
    () => deadline.abort(OVER),
    () => undefined,
  );
  try {
    return await work(signal);
  } catch (error) {
    throw deadline.signal.aborted && !interrupted.aborted ? late() : error;
  } finally {
    deadline.abort(OVER);
    await timer;
  }
}
