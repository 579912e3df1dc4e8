/** When the next tick of the poller is due. */

// A change is likely soon after the last one: wait a tenth of the time that has passed since, within these bounds.
const MIN_INTERVAL_MS = 200;
const MAX_INTERVAL_MS = 5_000;
const SHARE_OF_AGE = 0.1;
/** A server that needs long for a poll gets at least this many times as long a rest, within the bounds above. */
const REST_PER_LATENCY = 4;
/** A server in trouble is not asked more often than this. */
const TROUBLED_INTERVAL_MS = 1_000;
/** Each interval is varied by this share up or down, so that several processes do not stay in step. */
const JITTER = 0.1;

/** What the last tick showed. */
export interface TickResult {
  /** When one of the nodes that are waited for was seen to change: where one machine of a fleet arrives, the next is near. */
  arrivedAt: number;
  /** How long the last tick took. */
  latencyMs: number;
  /** What went wrong with it. */
  trouble: string | undefined;
  /** The pause that the server asks for. */
  askedMs?: number;
}

/** The interval that suits one who waits and saw its node change at `changedAt`. */
export const wantedIntervalMs = (now: number, changedAt: number, arrivedAt: number): number =>
  Math.max(MIN_INTERVAL_MS, Math.min(MAX_INTERVAL_MS, (now - Math.max(changedAt, arrivedAt)) * SHARE_OF_AGE));

/** The interval until the next tick for all who wait. `random` is from 0 to 1. */
export function intervalMs(now: number, changedAts: readonly number[], last: TickResult, random: number): number {
  const wanted = Math.min(...changedAts.map((changedAt) => wantedIntervalMs(now, changedAt, last.arrivedAt)));
  const jittered = wanted * (1 - JITTER + 2 * JITTER * random);
  const rested = Math.max(jittered, Math.min(MAX_INTERVAL_MS, last.latencyMs * REST_PER_LATENCY));
  return last.trouble !== undefined ? Math.max(TROUBLED_INTERVAL_MS, last.askedMs ?? 0, rested) : rested;
}
