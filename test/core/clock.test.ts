import { expect } from "chai";
import { inTime, systemClock } from "../../provider/core/clock.ts";
import { virtualClock } from "../fakes/clock.ts";
import { rejection } from "../fakes/http-server.ts";

const LATE = new Error("too late");
const late = () => LATE;
const never = new AbortController().signal;

describe("work in time", () => {
  it("is its result, and nothing waits on after it", async () => {
    const clock = virtualClock();
    expect(await clock.run(inTime(1_000, late, clock, never, async () => "done"))).to.equal("done");
    expect(clock.now()).to.equal(0);
  });

  it("is ended at its deadline, by its signal", async () => {
    const clock = virtualClock();
    const work = (signal: AbortSignal) => clock.sleep(5_000, signal);
    expect(await rejection(clock.run(inTime(1_000, late, clock, never, work)))).to.equal(LATE);
    expect(clock.now()).to.equal(1_000);
  });

  it("fails with its own error before the deadline", async () => {
    const clock = virtualClock();
    const own = new Error("own");
    expect(await rejection(clock.run(inTime(1_000, late, clock, never, () => Promise.reject(own))))).to.equal(own);
  });

  it("is interrupted with the reason of the interruption, also where the deadline passes meanwhile", async () => {
    const clock = virtualClock();
    const interruption = new AbortController();
    const reason = new Error("interrupted");
    const work = async (signal: AbortSignal): Promise<never> => {
      await clock.sleep(2_000, signal).catch(() => undefined);
      interruption.abort(reason);
      throw reason;
    };
    expect(await rejection(clock.run(inTime(1_000, late, clock, interruption.signal, work)))).to.equal(reason);
  });
});

describe("the system's clock", () => {
  it("does not sleep for one who is interrupted, before or meanwhile", async () => {
    const reason = new Error("interrupted");
    expect(await rejection(systemClock.sleep(60_000, AbortSignal.abort(reason)))).to.equal(reason);
    const controller = new AbortController();
    const asleep = rejection(systemClock.sleep(60_000, controller.signal));
    controller.abort(reason);
    expect(await asleep).to.equal(reason);
  });

  it("does not wake at once from a sleep that is longer than a timer can wait", async () => {
    const controller = new AbortController();
    let woke = false;
    const asleep = systemClock.sleep(2 ** 40, controller.signal).then(
      () => {
        woke = true;
      },
      () => undefined,
    );
    await systemClock.sleep(20);
    controller.abort();
    await asleep;
    expect(woke).to.equal(false);
  });

  it("never goes back", () => {
    const before = systemClock.now();
    expect(systemClock.now()).to.be.at.least(before);
  });
});
