import { expect } from "chai";
import {
  newSettingsAttempt,
  recordSettings,
  type SettingsAttempt,
  type SettingsEvent,
} from "../../provider/node-config/attempt.ts";

const seen = (at: number, passing = false): SettingsEvent => ({ kind: "deploymentSeen", passing, at });

describe("an attempt at a node's settings", () => {
  const ROWS: readonly [what: string, events: readonly SettingsEvent[], left: Partial<SettingsAttempt>][] = [
    ["begins with nothing", [], {}],
    ["counts what was sent", [{ kind: "writeSent" }, { kind: "writeSent" }], { writesSent: 2 }],
    ["does not count what was refused", [{ kind: "writeSent" }, { kind: "writeRefused" }], {}],
    ["is done", [{ kind: "done" }], { done: true }],
    [
      "forgets what was taken back",
      [{ kind: "writeSent" }, { kind: "done" }, { kind: "backedOut" }],
      { backedOut: true },
    ],
    ["knows since when a deployment stands", [seen(5), seen(9)], { stillSince: 5 }],
    ["forgets that while it moves", [seen(5), seen(9, true)], {}],
    ["counts anew after it moved", [seen(5), seen(7, true), seen(9)], { stillSince: 9 }],
    ["takes a clock that begins at 0", [seen(0), seen(9)], { stillSince: 0 }],
  ];
  for (const [what, events, left] of ROWS)
    it(what, () => {
      const frozen = (attempt: SettingsAttempt, event: SettingsEvent) => Object.freeze(recordSettings(attempt, event));
      expect(events.reduce(frozen, Object.freeze(newSettingsAttempt()))).to.deep.equal({
        ...newSettingsAttempt(),
        ...left,
      });
    });
});
