import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import type { Clock } from "../../provider/core/clock.ts";

/** A clock that moves only when nothing else can happen, so that a test sees hours pass in microseconds. */
export interface VirtualClock extends Clock {
  /** Milliseconds asked for by `sleep` so far, in order. */
  readonly slept: number[];
  /** Moves the time on by `ms`, waking whoever sleeps until then. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until `work` settles. Fails when nobody sleeps and nothing happens, or when `limitMs` have passed. */
  run<T>(work: Promise<T>, limitMs?: number): Promise<T>;
  /** A process of its own: after `kill` none of its sleeps ever ends. */
  fork(): { clock: Clock; kill(): void };
}

interface Sleeper {
  atMs: number;
  order: number;
  process: object;
  wake(): void;
}

/** Slow hashes that other threads are at work on: no time passes meanwhile. */
let hashing = 0;
const { scrypt } = crypto;
Object.assign(crypto, {
  scrypt(...args: unknown[]): void {
    const done = args.pop() as (...results: unknown[]) => void;
    hashing++;
    const counted = (...results: unknown[]): void => {
      hashing--;
      done(...results);
    };
    Reflect.apply(scrypt, crypto, [...args, counted]);
  },
});
syncBuiltinESMExports();

/** All promises that can settle without time passing have settled after this. */
async function drain(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (hashing > 0);
}

/** Other real work (files) goes on in other threads for at most this long. */
const STUCK_MS = 10_000;
const DEFAULT_LIMIT_MS = 30 * 24 * 3600 * 1000;

export function virtualClock(): VirtualClock {
  let nowMs = 0;
  let order = 0;
  const slept: number[] = [];
  const sleepers: Sleeper[] = [];
  const dead = new WeakSet<object>();
  const main = {};

  // Latest first, so that the next one is taken off the end.
  const insert = (sleeper: Sleeper): void => {
    let low = 0;
    let high = sleepers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = sleepers[middle] as Sleeper;
      if (other.atMs > sleeper.atMs || (other.atMs === sleeper.atMs && other.order > sleeper.order)) low = middle + 1;
      else high = middle;
    }
    sleepers.splice(low, 0, sleeper);
  };

  const sleepAs = (process: object, ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (dead.has(process)) return;
      if (signal?.aborted) return reject(signal.reason);
      slept.push(ms);
      const onAbort = (): void => {
        const index = sleepers.indexOf(sleeper);
        if (index >= 0) sleepers.splice(index, 1);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        atMs: nowMs + Math.max(0, ms),
        order: order++,
        process,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      insert(sleeper);
    });

  /** Wakes all who sleep until the same moment; false when nobody sleeps, or not until `untilMs`. */
  const step = (untilMs: number): boolean => {
    const next = sleepers.at(-1);
    if (!next || next.atMs > untilMs) return false;
    nowMs = Math.max(nowMs, next.atMs);
    while (sleepers.at(-1)?.atMs === next.atMs) sleepers.pop()?.wake();
    return true;
  };

  return {
    slept,
    now: () => nowMs,
    sleep: (ms, signal) => sleepAs(main, ms, signal),
    async pass(ms) {
      const untilMs = nowMs + ms;
      await drain();
      while (step(untilMs)) await drain();
      nowMs = untilMs;
    },
    async run(work, limitMs = DEFAULT_LIMIT_MS) {
      const untilMs = nowMs + limitMs;
      let settled = false;
      const end = (): void => {
        settled = true;
      };
      work.then(end, end);
      for (let idleSince = 0; ; ) {
        await drain();
        if (settled) return await work;
        if (step(untilMs)) idleSince = 0;
        else if (sleepers.length > 0) throw new Error(`still running after ${limitMs} ms of virtual time`);
        else if (idleSince === 0) idleSince = performance.now();
        else if (performance.now() - idleSince > STUCK_MS) throw new Error("nothing will ever happen: nobody sleeps");
      }
    },
    fork: () => {
      const process = {};
      return {
        clock: { now: () => nowMs, sleep: (ms, signal) => sleepAs(process, ms, signal) },
        kill: () => {
          dead.add(process);
          for (let index = sleepers.length - 1; index >= 0; index--)
            if (sleepers[index]?.process === process) sleepers.splice(index, 1);
        },
      };
    },
  };
}
