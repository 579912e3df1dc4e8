import type { Clock } from "./clock.ts";

/** One end for all that a call does one after the other. */
export interface Deadline {
  /** On the clock. */
  readonly startedAt: number;
  readonly timeoutMs: number;
  leftMs(): number;
}

export const deadlineFrom = (startedAt: number, timeoutMs: number, clock: Clock): Deadline => ({
  startedAt,
  timeoutMs,
  leftMs: () => Math.max(0, startedAt + timeoutMs - clock.now()),
});
