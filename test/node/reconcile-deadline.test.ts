import { expect } from "chai";
import { systemClock } from "../../provider/core/clock.ts";
import { CancelledError } from "../../provider/core/errors.ts";
import { wait } from "../../provider/node/decision.ts";
import { TimeoutError } from "../../provider/node/reconcile.ts";
import { answered, POLL_MS, scene, TIMEOUT_MS, untilActive } from "./loop.ts";

describe("the deadline", () => {
  it("ends the waiting with the state, the maintenance and the advice", async () => {
    const { fails, see, clock } = scene(() => wait("x"));
    see("deploying", { maintenance: true });
    const error = await fails();
    expect(error).to.be.instanceOf(TimeoutError);
    expect(error.message).to.match(
      /^Node worker-1 \(.*\) is still "deploying" after 600 s and in maintenance, in which Ironic's own timeouts do not run\. The timeout stopped Pulumi waiting.*timeoutSeconds/,
    );
    expect(clock.now()).to.be.within(TIMEOUT_MS, TIMEOUT_MS + POLL_MS);
  });

  for (const state of ["deploy hold", "clean hold", "service hold"])
    it(`says who can end the state "${state}"`, async () => {
      const { fails, see } = scene(() => wait("x"));
      see(state);
      expect((await fails()).message).to.match(
        /hold" after \d+ s\. A step of an operator.*`baremetal node unhold worker-1`\. The timeout stopped/,
      );
    });

  it("ends a look that hangs", async () => {
    const { fails, clock, behaviour } = scene(() => wait("x"));
    behaviour.look = async (how, signal) => {
      if (how === "next") await clock.sleep(10 * TIMEOUT_MS, signal);
    };
    expect(await fails()).to.be.instanceOf(TimeoutError);
    expect(clock.now()).to.equal(TIMEOUT_MS);
  });

  it("ends an action that hangs, or that waits for its turn", async () => {
    const { fails, clock, behaviour, log } = scene(untilActive);
    behaviour.act = async (_action, _node, _mind, signal) => {
      await clock.sleep(10 * TIMEOUT_MS, signal);
      return undefined;
    };
    expect(await fails()).to.be.instanceOf(TimeoutError);
    expect(clock.now()).to.equal(TIMEOUT_MS);
    expect(log).to.deep.equal(["now", "deploy"]);
  });

  it("ends an Ironic that stays away, and says what the trouble was", async () => {
    const { fails, clock, behaviour } = scene(() => wait("x"), { trouble: () => "connection refused" });
    behaviour.look = async (how) => {
      if (how === "next") throw answered("unreachable");
    };
    expect((await fails()).message).to.contain("The last error was: connection refused");
    expect(clock.now()).to.be.within(TIMEOUT_MS, TIMEOUT_MS + 1);
  });

  it("ends the question for the cause of a failure, which is reported without it", async () => {
    const failed = {
      do: "fail",
      code: "deployment-failed",
      problem: "It failed",
      advice: "Mend it",
      needsCause: true,
    } as const;
    const world = scene(() => failed, {
      cause: async (_node, signal) => {
        await world.clock.sleep(10 * TIMEOUT_MS, signal);
        return "too late";
      },
    });
    expect((await world.fails()).message).to.equal(
      "It failed: Ironic did not say why in the time that was left. Mend it.",
    );
    expect(world.clock.now()).to.equal(TIMEOUT_MS);
  });

  it("counts from when the call began", async () => {
    const world = scene(() => wait("x"), { startedAt: 0 });
    await world.clock.pass(400_000);
    expect((await world.fails()).message).to.contain('is still "available" after 600 s');
    expect(world.clock.now()).to.be.within(TIMEOUT_MS, TIMEOUT_MS + POLL_MS);
  });

  it("is not in the way of a look that fails now and then", async () => {
    const { run, see, behaviour } = scene(({ provision_state }) =>
      provision_state === "active" ? { do: "done" } : wait("x"),
    );
    let looks = 0;
    behaviour.look = async (how) => {
      if (how === "next" && ++looks < 5) throw answered(looks % 2 ? "overloaded" : "ambiguous");
      if (looks >= 6) see("active");
    };
    await run();
    expect(looks).to.equal(6);
  });

  it("does not hide that the node is gone, or that we are refused", async () => {
    for (const answer of ["nodeGone", "forbidden", "unauthorized"] as const) {
      const { fails, behaviour } = scene(() => wait("x"));
      behaviour.look = async (how) => {
        if (how === "next") throw answered(answer);
      };
      expect(await fails()).to.have.property("fault", answer);
    }
  });

  it("that has passed already ends at once, but not what is done", async () => {
    const late = { timeoutMs: 0 };
    expect(await scene(() => wait("x"), late).fails()).to.be.instanceOf(TimeoutError);
    expect((await scene(() => ({ do: "done" }), late).run()).node).to.have.property("uuid");
  });
});

describe("an interruption", () => {
  const CASES: Record<string, (world: ReturnType<typeof scene>) => void> = {
    "before anything": ({ abort }) => abort(),
    "while it waits for a change": ({ see, clock, abort }) => {
      see("deploying");
      void clock.sleep(5_500).then(abort);
    },
    "while it pauses after a failure": ({ behaviour, clock, abort }) => {
      behaviour.act = async () => {
        throw answered("locked");
      };
      void clock.sleep(5_500).then(abort);
    },
    "while a request is under way": ({ behaviour, clock, abort }) => {
      behaviour.act = async (_action, _node, _mind, signal) => {
        await clock.sleep(60_000, signal);
        return undefined;
      };
      void clock.sleep(5_500).then(abort);
    },
    "while Ironic is away": ({ see, behaviour, clock, abort }) => {
      see("deploying");
      behaviour.look = async (how) => {
        if (how === "next") throw answered("unreachable");
      };
      void clock.sleep(5_500).then(abort);
    },
  };
  for (const [when, arrange] of Object.entries(CASES))
    it(`${when} ends it within one step`, async () => {
      const world = scene(untilActive);
      arrange(world);
      const error = await world.fails();
      expect(error).to.be.instanceOf(CancelledError);
      expect(error.message).to.match(/^The run was interrupted while node worker-1 .* the next run resumes\.$/);
      expect(world.clock.now()).to.be.at.most(5_500);
    });
});

describe("a node that others keep changing", () => {
  it("is given up after sixty actions", async () => {
    const { fails, log, behaviour } = scene(() => ({ do: "act", action: "claim" }));
    behaviour.act = async (_action, on) => on;
    const error = await fails();
    expect(error.message).to.match(
      /^Node worker-1 .* did not reach the wanted state after 60 actions; the last was "claim"/,
    );
    expect(log.filter((each) => each === "claim")).to.have.length(60);
  });
});

describe("the system's clock", () => {
  it("sleeps also where that is longer than a timer can wait", async () => {
    const over = new AbortController();
    const slept = systemClock.sleep(600 * 3_600_000, over.signal).then(
      () => "woke",
      () => "sleeping",
    );
    await systemClock.sleep(20);
    over.abort(new Error("the test is over"));
    expect(await slept).to.equal("sleeping");
  });
});
