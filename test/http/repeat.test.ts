import { expect } from "chai";
import { IronicError } from "../../provider/core/errors.ts";
import { FAULTS, type Fault, faultRow, type Remedy } from "../../provider/core/faults.ts";
import { type Repeating, repeat, repeatDeadlineMs } from "../../provider/http/repeat.ts";
import { rejection, stepClock } from "../fakes/http-server.ts";

const errorOf = (fault: Fault, retryAfterMs?: number): IronicError =>
  new IronicError({ fault, operation: "try", request: "GET /v1", detail: "it failed", retryAfterMs });

/** Sends until the plan is used up; each entry is what one attempt fails with. */
const scene = (plan: IronicError[], remedies: Repeating["remedies"] = {}) => {
  const clock = stepClock();
  const seen = { attempts: 0, repeated: 0 };
  const run = (kind: "read" | "write") =>
    repeat(kind, { clock, random: () => 0.5, onRepeat: () => (seen.repeated += 1), remedies }, async () => {
      const error = plan[seen.attempts++];
      if (error) throw error;
      return "done";
    });
  return { clock, seen, run };
};

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe("repeat", () => {
  for (const kind of ["read", "write"] as const)
    it(`sends a ${kind} as often as the table of faults says`, async () => {
      for (const fault of Object.keys(FAULTS) as Fault[]) {
        const rule = faultRow(fault)[kind];
        const { seen, run } = scene(times(20, errorOf(fault)));
        expect(await rejection(run(kind)), fault).to.have.property("fault", fault);
        expect(seen.attempts, fault).to.equal(rule === "once" ? 1 : rule.attempts);
        expect(seen.repeated, fault).to.equal(seen.attempts - 1);
      }
    });

  it("waits longer each time, and as long as the server asks", async () => {
    const { clock, run } = scene([errorOf("overloaded"), errorOf("overloaded", 9_000), errorOf("overloaded", 1)]);
    expect(await run("read")).to.equal("done");
    expect(clock.slept).to.deep.equal([1000, 9_000, 4000]);
  });

  it("waits as long as the server asks, also where that is over a minute, or not at all", async () => {
    const { clock, run } = scene([errorOf("overloaded", 100_000)]);
    expect(await run("read")).to.equal("done");
    expect(clock.slept).to.deep.equal([100_000]);
    const longer = scene([errorOf("overloaded", 130_000)]);
    const error = await rejection(longer.run("read"));
    expect(error.message).to.contain("It asks to wait 130 s before the next request.");
    expect(longer.clock.slept).to.deep.equal([]);
  });

  it("begins no attempt after its deadline", async () => {
    const { clock, seen, run } = scene(times(8, errorOf("overloaded", 50_000)));
    await rejection(run("read"));
    expect(seen.attempts).to.equal(3);
    expect(clock.now()).to.be.at.most(repeatDeadlineMs);
  });

  it("applies a remedy once, and once more only after a pause", async () => {
    const renewed: Remedy[] = [];
    const newToken = async () => renewed.push("newToken") > 0;
    const again = scene([errorOf("unauthorized"), errorOf("unauthorized")], { newToken });
    expect(await rejection(again.run("write"))).to.have.property("fault", "unauthorized");
    expect(again.seen).to.deep.equal({ attempts: 2, repeated: 0 });
    const later = scene([errorOf("unauthorized"), errorOf("unreachable"), errorOf("unauthorized")], { newToken });
    expect(await later.run("write")).to.equal("done");
    expect(later.clock.slept).to.deep.equal([500]);
    expect(renewed).to.have.length(3);
  });

  it("does not go round in a circle of remedies", async () => {
    const remedies = { newToken: async () => true, newVersion: async () => true };
    const turns = times(5, [errorOf("unauthorized"), errorOf("unacceptable")]).flat();
    const { seen, run } = scene(turns, remedies);
    expect(await rejection(run("read"))).to.have.property("fault", "unauthorized");
    expect(seen.attempts).to.equal(3);
  });

  it("passes on what a remedy cannot help, what it fails with, and what is no fault", async () => {
    const useless = scene([errorOf("unauthorized")], { newToken: async () => false });
    expect(await rejection(useless.run("read"))).to.have.property("fault", "unauthorized");
    const failed = errorOf("unreachable");
    const failing = scene([errorOf("unacceptable")], {
      newVersion: async () => {
        throw failed;
      },
    });
    expect(await rejection(failing.run("read"))).to.equal(failed);
    expect(failing.seen.attempts).to.equal(1);
    const { clock } = useless;
    const bug = new TypeError("a bug");
    const how = { clock, random: Math.random, onRepeat: () => undefined, remedies: {} };
    expect(await rejection(repeat("read", how, () => Promise.reject(bug)))).to.equal(bug);
  });
});
