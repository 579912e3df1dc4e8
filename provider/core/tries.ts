/** The second layer of repetition: a decision is made anew from what is seen. docs/development/repetition.md */
import type { IronicError } from "./errors.ts";
import { type Fault, faultRow } from "./faults.ts";

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

/** 0.5 s, 1 s, 2 s, … 10 s. */
export function* pausesMs(): Generator<number, never> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) yield pauseMs;
}

/** Failures of one decision in a row, counted for each fault. */
export interface Tries {
  /** Counts the failure; false where the table of faults allows no further try after it. */
  allowAfter(error: IronicError): boolean;
}

export const countTries = (): Tries => {
  const failures = new Map<Fault, number>();
  return {
    allowAfter({ fault }) {
      const times = (failures.get(fault) ?? 0) + 1;
      failures.set(fault, times);
      const { again } = faultRow(fault);
      return again !== "stop" && times <= again;
    },
  };
};
