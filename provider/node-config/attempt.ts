/** What this run has done towards a node's settings: one value, changed by `recordSettings` alone. */
export interface SettingsAttempt {
  /** The settings stand on the node, or nothing was to be written. */
  readonly done: boolean;
  /** PATCHes that were sent, and not surely refused. */
  readonly writesSent: number;
  /** When the deployment on the node was first seen standing still; on the clock. */
  readonly stillSince: number | undefined;
  /** What was written was taken back, as another stack had come at the same time. */
  readonly backedOut: boolean;
}

export type SettingsEvent =
  | { kind: "writeSent" }
  | { kind: "writeRefused" }
  | { kind: "done" }
  /** All that could be of it. */
  | { kind: "backedOut" }
  /** A deployment stands on the node; `passing`: the node leaves its state by itself. */
  | { kind: "deploymentSeen"; passing: boolean; at: number };

export const newSettingsAttempt = (): SettingsAttempt => ({
  done: false,
  writesSent: 0,
  stillSince: undefined,
  backedOut: false,
});

/** The attempt after `event`. Pure. */
export function recordSettings(attempt: SettingsAttempt, event: SettingsEvent): SettingsAttempt {
  switch (event.kind) {
    case "writeSent":
      return { ...attempt, writesSent: attempt.writesSent + 1 };
    case "writeRefused":
      return { ...attempt, writesSent: attempt.writesSent - 1 };
    case "done":
      return { ...attempt, done: true };
    case "backedOut":
      return { ...attempt, done: false, writesSent: 0, backedOut: true };
    case "deploymentSeen":
      return { ...attempt, stillSince: event.passing ? undefined : (attempt.stillSince ?? event.at) };
  }
}
