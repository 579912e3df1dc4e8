import { expect } from "chai";
import { type Attempt, newAttempt } from "../../provider/deployment/attempt.ts";
import { isPrepared, isWritten, stillRunsWanted, wasStarted } from "../../provider/deployment/running.ts";
import type { DeployWant } from "../../provider/deployment/want.ts";
import type { DeploymentMarker } from "../../provider/node/marker.ts";
import { BEFORE, CLAIM, INFO, MARK, NOW, nodeIn } from "../fakes/nodes.ts";

const WANT: DeployWant = {
  claim: CLAIM,
  info: INFO,
  bootHash: "hash",
  driveHash: undefined,
  last: undefined,
  protected: false,
  keep: false,
  updateStrategy: "rebuild",
  hasState: true,
};
const LAST = { bootHash: "hash", preparedAt: BEFORE, at: NOW };
const NODE = nodeIn("active", "ours");
const DRIVEN = nodeIn("active", "ours", { instance_info: { ...INFO, configdrive: "******" } });
const mark = (fields: Partial<DeploymentMarker> = {}): DeploymentMarker => ({
  ...MARK,
  preparedAt: BEFORE,
  bootHash: "hash",
  ...fields,
});
const attempt = (fields: Partial<Attempt> = {}): Attempt => ({ ...newAttempt(), ...fields });

describe("what a node of ours runs", () => {
  const WRITTEN: readonly [what: string, written: boolean, ...Parameters<typeof isWritten>][] = [
    ["a marker of what is wanted", true, NODE, WANT, attempt(), mark()],
    ["a marker that does not say what was booted", true, NODE, WANT, attempt(), mark({ bootHash: undefined })],
    ["a marker of something else", false, NODE, WANT, attempt(), mark({ bootHash: "other" })],
    ["a marker of another drive", false, DRIVEN, { ...WANT, driveHash: "d" }, attempt(), mark({ driveHash: "e" })],
    ["the drive that is wanted", true, DRIVEN, { ...WANT, driveHash: "d" }, attempt(), mark({ driveHash: "d" })],
    ["a drive that is not wanted", false, DRIVEN, WANT, attempt(), mark()],
    ["a drive of before an adoption", true, DRIVEN, WANT, attempt(), mark({ preparedAt: "adopted" })],
    ["instance_info of others", false, NODE, { ...WANT, info: { kernel: "k" } }, attempt(), mark()],
    ["no marker, but a state", true, NODE, { ...WANT, last: LAST }, attempt(), undefined],
    ["no marker, but a start in this run", true, NODE, WANT, attempt({ started: true }), undefined],
    ["neither marker nor state", false, NODE, WANT, attempt(), undefined],
  ];
  for (const [what, written, ...rest] of WRITTEN)
    it(`${written ? "is" : "is not"} written with ${what}`, () => expect(isWritten(...rest)).to.equal(written));

  const STARTED: readonly [
    what: string,
    started: boolean | undefined,
    want: Partial<DeployWant>,
    Partial<Attempt>,
    DeploymentMarker | undefined,
  ][] = [
    ["this run started it", true, {}, { started: true }, mark({ preparedAt: NOW })],
    ["the marker is as young as the state", false, {}, {}, mark({ preparedAt: NOW })],
    ["this run prepared it and sent nothing", false, {}, { prepared: true }, mark()],
    ["the state knows this very preparation", true, { last: LAST }, {}, mark()],
    ["the state knows another preparation", undefined, { last: { ...LAST, preparedAt: "x" } }, {}, mark()],
    ["the state knows this moment, without a marker", true, { last: LAST }, {}, undefined],
    ["the history knows a start since the marker", true, {}, { history: "start" }, mark()],
    ["the history knows none since the marker", false, {}, { history: "none" }, mark()],
    ["the history knows a start since the state, without a marker", false, {}, { history: "start" }, undefined],
    ["the history knows none since the state, without a marker", true, {}, { history: "none" }, undefined],
    ["there is no history", true, {}, { history: "silent" }, mark()],
  ];
  for (const [what, started, want, done, marker] of STARTED)
    it(`${started === undefined ? "may have been" : started ? "was" : "was not"} started where ${what}`, () =>
      expect(wasStarted(NODE, { ...WANT, ...want }, attempt(done), marker)).to.equal(started));

  it("still runs what is wanted where something else was prepared and never begun", () => {
    const other = mark({ bootHash: "other", runningBootHash: "hash", preparedAt: NOW });
    const want = { ...WANT, last: LAST };
    expect(stillRunsWanted(NODE, want, other)).to.equal(true);
    for (const change of [{ runningBootHash: "x" }, { preparedAt: BEFORE }, { bootHash: "hash" }])
      expect(stillRunsWanted(NODE, want, { ...other, ...change })).to.equal(false);
    expect(stillRunsWanted(NODE, WANT, other)).to.equal(false);
    expect(stillRunsWanted(NODE, { ...want, last: { ...LAST, at: BEFORE } }, other)).to.equal(false);
    expect(stillRunsWanted(DRIVEN, want, other)).to.equal(false);
  });

  it("is prepared where all is written and nothing was begun", () => {
    const fresh = mark({ preparedAt: NOW });
    expect(isPrepared(NODE, WANT, attempt(), fresh, INFO)).to.equal(true);
    expect(isPrepared(NODE, WANT, attempt({ prepared: true }), mark(), INFO)).to.equal(true);
    expect(isPrepared(NODE, WANT, attempt({ prepared: true, startsSent: 1 }), mark(), INFO)).to.equal(false);
    expect(isPrepared(NODE, WANT, attempt(), undefined, INFO)).to.equal(false);
    expect(isPrepared(NODE, WANT, attempt(), fresh, { ...INFO, image_source: "x" })).to.equal(false);
    expect(isPrepared(DRIVEN, WANT, attempt(), fresh, INFO)).to.equal(false);
  });
});
