import { expect } from "chai";
import { createRecency, type Moment, PATIENCE_MS } from "../../provider/node/recency.ts";
import { stepClock } from "../fakes/http-server.ts";

const { signal } = new AbortController();
const at = (state: string, provision: string | null, updated: string | null = provision): Moment => ({
  provision_state: state,
  provision_updated_at: provision && `2026-01-01T00:00:${provision}+00:00`,
  updated_at: updated && `2026-01-01T00:00:${updated}+00:00`,
});
const scene = (initial: Moment) => {
  const clock = stepClock();
  return { recency: createRecency(clock, initial), pass: (ms: number) => clock.sleep(ms, signal) };
};

describe("which of two readings is the older", () => {
  const seen = at("active", "10.500000", "20");
  const READINGS: readonly (readonly [what: string, reading: Moment, stale: boolean])[] = [
    ["the same", seen, false],
    ["an earlier state", at("deploying", "10.400000", "30"), true],
    ["an earlier state by a microsecond", at("deploying", "10.499999", "30"), true],
    ["an earlier state in the same millisecond", at("deploying", "10.500000", "19"), true],
    ["a later state, written earlier by another server's clock", at("deleting", "10.500001", "19"), false],
    ["the same state, written earlier", at("active", "10.500000", "19.999999"), true],
    ["the same state, written later", at("active", "10.500000", "20.000001"), false],
  ];
  for (const [what, reading, stale] of READINGS)
    it(`is told of ${what}: ${stale ? "older" : "not older"}`, () =>
      expect(scene(seen).recency.isStale(reading)).to.equal(stale));

  it("is told alike of times with microseconds and without", () => {
    expect(scene(at("active", "10")).recency.isStale(at("active", "10.000001"))).to.equal(false);
    expect(scene(at("active", "10.000001")).recency.isStale(at("active", "10"))).to.equal(true);
  });

  it("is not told of two that have no times", () =>
    expect(scene(at("active", null)).recency.isStale(at("deploying", null))).to.equal(false));
});

describe("what is known of a node", () => {
  it("is what was seen last, and for half a minute", async () => {
    const { recency, pass } = scene(at("active", "10"));
    await pass(PATIENCE_MS - 1);
    recency.seen(at("deleting", "12"));
    await pass(PATIENCE_MS - 1);
    expect(recency.isStale(at("active", "10"))).to.equal(true);
    await pass(1);
    expect(recency.isStale(at("active", "10"))).to.equal(false);
  });

  it("has the states that were left within a second, until a later one is seen", () => {
    const { recency } = scene(at("available", "10"));
    recency.seen(at("deploying", "10"));
    recency.seen(at("deploy failed", "10"));
    expect(["available", "deploying", "deploy failed"].map((state) => recency.isStale(at(state, "10")))).to.deep.equal([
      true,
      true,
      false,
    ]);
    recency.seen(at("active", "11"));
    expect(recency.isStale(at("active", "11"))).to.equal(false);
  });

  it("has no state as left that the node is in again", () => {
    const { recency } = scene(at("available", "10"));
    recency.seen(at("deploying", "10"));
    recency.seen(at("available", "10"));
    expect(recency.isStale(at("available", "10"))).to.equal(false);
    expect(recency.isStale(at("deploying", "10"))).to.equal(true);
  });

  it("has a state as left that Ironic has accepted to change, from then on for half a minute", async () => {
    const { recency, pass } = scene(at("active", "10"));
    await pass(PATIENCE_MS);
    recency.leaves(at("active", "10"));
    expect(recency.isStale(at("active", "10", "59"))).to.equal(true);
    expect(recency.isStale(at("deleting", "10"))).to.equal(false);
    await pass(PATIENCE_MS);
    expect(recency.isStale(at("active", "10"))).to.equal(false);
  });
});
