/** The first layer of repetition: one and the same request is sent again. docs/development/repetition.md */
import { type Clock, faultRow, type IronicError, isFault, type Remedy } from "../core/index.ts";

const pauseMsMax = 15_000;
/** No further attempt starts later than this after the first: where the server asks for a longer pause, the caller decides. */
export const repeatDeadlineMs = 120_000;

export interface Repeating {
  clock: Clock;
  random: () => number;
  signal?: AbortSignal | undefined;
  /** Called before each repetition after a pause. */
  onRepeat: () => void;
  /** Each is applied once between two pauses; false if it cannot help. What it rejects with ends the repetition. */
  remedies: Partial<Record<Remedy, () => Promise<boolean>>>;
}

/** The pause before the next attempt; undefined if the table of faults knows of none. */
const pauseAfter = (error: IronicError, kind: "read" | "write", attempt: number, random: () => number) => {
  const rule = faultRow(error.fault)[kind];
  if (rule === "once" || attempt >= rule.attempts) return undefined;
  const ownPauseMs = Math.min(pauseMsMax, rule.pauseMs * 2 ** (attempt - 1)) * (0.5 + random());
  return Math.max(ownPauseMs, error.retryAfterMs ?? 0);
};

/** Repeats the request that `work` sends as the table of faults allows for what it fails with. */
export const repeat = async <T>(kind: "read" | "write", how: Repeating, work: () => Promise<T>): Promise<T> => {
  const startedMs = how.clock.now();
  const applied = new Set<Remedy>();
  for (let attempt = 1; ; ) {
    try {
      return await work();
    } catch (error) {
      if (!isFault(error)) throw error;
      const { remedy } = faultRow(error.fault);
      if (remedy !== undefined && !applied.has(remedy) && (await how.remedies[remedy]?.())) {
        applied.add(remedy);
        continue;
      }
      const pauseMs = pauseAfter(error, kind, attempt, how.random);
      if (pauseMs === undefined || how.clock.now() - startedMs + pauseMs > repeatDeadlineMs) throw error;
      how.onRepeat();
      await how.clock.sleep(pauseMs, how.signal);
      attempt += 1;
      applied.clear();
    }
  }
};
