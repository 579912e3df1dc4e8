import type { Clock } from "../core/index.ts";
import { type Answer, isAnswer } from "../core/index.ts";

export interface RetryRule {
  /** Attempts in all. */
  attempts: number;
  /** First pause; doubles each time, with jitter of a half to one and a half. */
  pauseMs: number;
}

export type RetryRules = Partial<Record<Answer, RetryRule>>;

/** Reading twice harms nobody. */
export const retriesOfGet: RetryRules = {
  ambiguous: { attempts: 8, pauseMs: 100 },
  unreachable: { attempts: 4, pauseMs: 500 },
  overloaded: { attempts: 8, pauseMs: 1000 },
  unavailable: { attempts: 8, pauseMs: 1000 },
  serverError: { attempts: 6, pauseMs: 500 },
  noConductor: { attempts: 4, pauseMs: 1000 },
};

/** Only what the server certainly did not act on; the rest is the caller's to judge by reading the node. */
export const retriesOfSend: RetryRules = {
  unreachable: { attempts: 4, pauseMs: 500 },
  overloaded: { attempts: 8, pauseMs: 1000 },
};

const pauseMsMax = 15_000;
const retryAfterMsMax = 60_000;
/** No further attempt starts later than this after the first. */
export const retryDeadlineMs = 120_000;

export interface Retrying {
  clock: Clock;
  random: () => number;
  signal?: AbortSignal | undefined;
  /** Called before each repetition. */
  onRetry: () => void;
}

/** Repeats `work` as `rules` allow for the answer it fails with. */
export const retry = async <T>(rules: RetryRules, how: Retrying, work: () => Promise<T>): Promise<T> => {
  const startedMs = how.clock.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isAnswer(error)) throw error;
      const rule = rules[error.answer];
      if (rule === undefined || attempt >= rule.attempts) throw error;
      const ownPauseMs = Math.min(pauseMsMax, rule.pauseMs * 2 ** (attempt - 1)) * (0.5 + how.random());
      const pauseMs = Math.max(ownPauseMs, Math.min(error.retryAfterMs ?? 0, retryAfterMsMax));
      if (how.clock.now() - startedMs + pauseMs > retryDeadlineMs) throw error;
      how.onRetry();
      await how.clock.sleep(pauseMs, how.signal);
    }
  }
};
