import { expect } from "chai";
import { intervalMs, type TickResult, wantedIntervalMs } from "../../provider/node/poll-interval.ts";

const CALM: TickResult = { arrivedAt: Number.NEGATIVE_INFINITY, latencyMs: 0, trouble: undefined };
const MIDDLE = 0.5;

describe("the poller's interval", () => {
  for (const [ageMs, wantedMs] of [
    [0, 200],
    [2_000, 200],
    [20_000, 2_000],
    [50_000, 5_000],
    [3_600_000, 5_000],
  ] as const)
    it(`is ${wantedMs} ms when the last change is ${ageMs} ms ago`, () => {
      expect(wantedIntervalMs(1e7, 1e7 - ageMs, CALM.arrivedAt)).to.equal(wantedMs);
    });

  it("counts from the change of any node that is waited for", () => {
    expect(wantedIntervalMs(100_000, 0, 95_000)).to.equal(500);
  });

  it("is that of whoever saw the latest change", () => {
    expect(intervalMs(100_000, [0, 90_000, 50_000], CALM, MIDDLE)).to.equal(1_000);
  });

  it("varies by a tenth", () => {
    const at = (random: number) => intervalMs(100_000, [90_000], CALM, random);
    expect([at(0), at(1)].map(Math.round)).to.deep.equal([900, 1_100]);
  });

  it("rests four times as long as a slow server worked, and no longer than the longest interval", () => {
    const after = (latencyMs: number) => intervalMs(0, [0], { ...CALM, latencyMs }, MIDDLE);
    expect([0, 500, 30_000].map(after)).to.deep.equal([200, 2_000, 5_000]);
  });

  it("is a second at least while the server is in trouble", () => {
    const after = (changedAt: number) =>
      intervalMs(100_000, [changedAt], { ...CALM, trouble: "it is overloaded" }, MIDDLE);
    expect([100_000, 70_000].map(after)).to.deep.equal([1_000, 3_000]);
  });
});
