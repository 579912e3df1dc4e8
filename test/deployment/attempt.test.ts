import { expect } from "chai";
import {
  type ActionName,
  type Attempt,
  type Booted,
  type Event,
  newAttempt,
  openJournal,
  record,
} from "../../provider/deployment/attempt.ts";

const A: Booted = { info: { kernel: "a" }, marker: undefined };
const B: Booted = { info: { kernel: "b" }, marker: undefined };
const prepared = (fields: Partial<Event & { kind: "prepared" }> = {}): Event => ({
  kind: "prepared",
  stood: A,
  marked: false,
  pending: false,
  ...fields,
});
const startSent: Event = { kind: "startSent" };
const startRefused: Event = { kind: "startRefused" };
const accepted = (verb: (Event & { kind: "accepted" })["verb"]): Event => ({ kind: "accepted", verb });
const seen = (provision_state: string): Event => ({ kind: "observed", node: { provision_state } });

/** From a fresh attempt: the events, and what they leave that a fresh one has not. */
const ROWS: readonly [title: string, events: readonly Event[], left: Partial<Attempt>][] = [
  ["a read touches nothing", [{ kind: "begun", action: "validate" }], {}],
  ["neither does the question to the history", [{ kind: "begun", action: "askHistory" }], {}],
  ["a write touches the node, whatever becomes of it", [{ kind: "begun", action: "claim" }], { touched: true }],
  ["a lifted protection is known", [{ kind: "begun", action: "unprotect" }], { touched: true, unprotected: true }],
  ["what stood there can be put back", [prepared()], { prepared: true, before: A }],
  ["what is not known cannot", [prepared({ stood: undefined })], { prepared: true }],
  [
    "a second preparation keeps what ran",
    [prepared(), prepared({ stood: B, pending: true, marked: true })],
    {
      prepared: true,
      before: A,
    },
  ],
  [
    "unless the first was begun since",
    [prepared(), prepared({ stood: B, marked: true })],
    { prepared: true, before: B },
  ],
  [
    "or unless the history knows of no start",
    [prepared(), { kind: "remembered", history: "none" }, prepared({ stood: B, marked: true })],
    { prepared: true, before: A },
  ],
  [
    "what was begun and is not known cannot be put back either",
    [prepared(), prepared({ stood: undefined, marked: true })],
    { prepared: true },
  ],
  [
    "a preparation asks the history anew",
    [{ kind: "remembered", history: "start" }, prepared()],
    {
      prepared: true,
      before: A,
    },
  ],
  ["what was put back is not put back again", [prepared(), { kind: "reverted" }], { prepared: true }],
  ["a PUT that left is in doubt", [startSent], { prepared: true, startsSent: 1 }],
  ["a refused one is not", [startSent, startRefused], { prepared: true }],
  [
    "but does not clear the doubt of one before",
    [startSent, startSent, startRefused],
    { prepared: true, startsSent: 1 },
  ],
  ["an accepted one has begun", [startSent, accepted("active")], { prepared: true, startsSent: 1, started: true }],
  ["a rebuild likewise", [startSent, accepted("rebuild")], { prepared: true, startsSent: 1, started: true }],
  [
    "a lost answer is found in the state",
    [startSent, seen("deploying")],
    {
      prepared: true,
      startsSent: 1,
      started: true,
    },
  ],
  [
    "also while the agent is waited for",
    [startSent, seen("wait call-back")],
    {
      prepared: true,
      startsSent: 1,
      started: true,
    },
  ],
  ["but not in what only may follow", [startSent, seen("active")], { prepared: true, startsSent: 1 }],
  ["and not where nothing was sent", [seen("deploying")], {}],
  ["a new preparation has not begun", [startSent, accepted("active"), prepared()], { prepared: true, before: A }],
  [
    "an undeployment ends what was begun",
    [prepared(), startSent, accepted("active"), accepted("deleted")],
    {
      before: A,
      startsSent: 1,
      undeploys: 1,
    },
  ],
  ["undeployments are counted", [accepted("deleted"), accepted("deleted")], { undeploys: 2 }],
  ["each manage is a repetition", [accepted("manage"), accepted("manage")], { cleanRetries: 2 }],
  [
    "what follows it is none",
    [accepted("manage"), accepted("endMaintenance"), accepted("provide")],
    {
      cleanRetries: 1,
    },
  ],
  ["but is one where a run goes on from there", [accepted("provide")], { cleanRetries: 1 }],
  ["as is the end of the maintenance", [accepted("endMaintenance")], { cleanRetries: 1 }],
  ["failed rebuilds are counted", [{ kind: "rebuildFailed" }, { kind: "rebuildFailed" }], { rebuildErrors: 2 }],
  ["another method is chosen", [{ kind: "methodChosen", method: "redeploy" }], { method: "redeploy" }],
  ["a validation counts", [{ kind: "validated" }], { validated: true }],
];

describe("what this run has done", () => {
  for (const [title, events, left] of ROWS)
    it(title, () => {
      expect(events.reduce(record, newAttempt())).to.deep.equal({ ...newAttempt(), ...left });
    });

  it("is changed by no event in place", () => {
    const frozen = Object.freeze(newAttempt());
    for (const [, events] of ROWS) for (const event of events) expect(record(frozen, event)).to.not.equal(undefined);
    expect(frozen).to.deep.equal(newAttempt());
  });

  it("is kept by a journal, from the method that the run begins with", () => {
    const journal = openJournal("redeploy");
    const actions: ActionName[] = ["validate", "deploy"];
    for (const action of actions) journal.record({ kind: "begun", action });
    expect(journal.attempt).to.deep.equal({ ...newAttempt("redeploy"), touched: true });
  });
});
