import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import type { Fault } from "../../provider/core/faults.ts";
import { type Decision, heldByOther, wait } from "../../provider/node/decision.ts";
import type { Node } from "../../provider/node/node.ts";
import { TimeoutError } from "../../provider/node/reconcile.ts";
import { nodeIn } from "../fakes/nodes.ts";
import { type Action, answered, scene, untilActive } from "./loop.ts";

describe("the loop", () => {
  it("looks, decides, acts, and looks again until it is done", async () => {
    const { run, log, see, behaviour } = scene(untilActive);
    behaviour.act = async () => {
      see("deploying");
      return undefined;
    };
    let looks = 0;
    behaviour.look = async () => {
      if (++looks === 4) see("active");
    };
    const { node } = await run();
    expect(node.provision_state).to.equal("active");
    expect(log).to.deep.equal(["now", "deploy", "next", "next", "next"]);
  });

  it("does nothing where there is nothing to do, and passes a warning on", async () => {
    const { run, log } = scene(() => ({ do: "done", warning: { code: "claim-gone", text: "is another's" } }));
    expect((await run()).warning).to.deep.equal({ code: "claim-gone", text: "is another's" });
    expect(log).to.deep.equal(["now"]);
  });

  it("goes on with the node that an answer shows, without reading it again", async () => {
    const { run, log, behaviour } = scene((node, mind) => {
      if (mind.done.length === 0) return { do: "act", action: "claim" };
      return untilActive(node);
    });
    behaviour.act = async (action, _node, mind) => {
      mind.done.push(action);
      return nodeIn(action === "claim" ? "available" : "active", "ours");
    };
    await run();
    expect(log).to.deep.equal(["now", "claim", "deploy"]);
  });

  it("never acts, nor refuses, on what a light look showed", async () => {
    const { fails, log, see, behaviour } = scene(({ provision_state }) => {
      if (provision_state === "deploying") return wait("moving");
      return provision_state === "error"
        ? { do: "fail", code: "node-state-unsuitable", problem: "P", advice: "A", needsCause: false }
        : untilActive(nodeIn(provision_state, "free"));
    });
    see("deploying");
    behaviour.look = async (how) => {
      if (how === "next" && log.length === 3) see("available");
    };
    behaviour.act = async () => {
      see("error");
      return undefined;
    };
    expect((await fails()).message).to.equal("P. A.");
    expect(log).to.deep.equal(["now", "next", "next", "now", "deploy", "next", "now"]);
  });

  it("asks for the cause of a failure of Ironic's", async () => {
    const failure = await scene(() => ({
      do: "fail",
      code: "deployment-failed",
      problem: "It failed",
      advice: "Mend it",
      needsCause: true,
    })).fails();
    expect(failure).to.be.instanceOf(ProblemError);
    expect(failure).to.have.property("code", "deployment-failed");
    expect(failure.message).to.equal("It failed: the cause. Mend it.");
  });

  it("writes nothing to a node of others", async () => {
    const { fails, log } = scene((node) => heldByOther(node, { who: "instance i", isSameStack: false }));
    expect((await fails()).message).to.contain("is held by instance i");
    expect(log).to.deep.equal(["now"]);
  });

  it("says what it waits for: state, step, maintenance, seconds", async () => {
    const { run, progress, see, behaviour } = scene(({ provision_state }) =>
      provision_state === "active" ? { do: "done" } : wait("x"),
    );
    see("deploying", { deploy_step: { step: "write" } });
    let looks = 0;
    behaviour.look = async () => {
      looks++;
      if (looks === 2) see("cleaning", { clean_step: { step: "erase" }, maintenance: true, fault: "clean failure" });
      if (looks === 4) see("active");
    };
    await run();
    expect(progress).to.deep.equal([
      "deploying, step write, 0 s",
      "cleaning, step erase, in maintenance (clean failure), 1 s",
      "cleaning, step erase, in maintenance (clean failure), 2 s",
    ]);
  });
});

describe("after an action that failed, the loop", () => {
  const AGAIN: readonly Fault[] = [
    "locked",
    "inTransition",
    "wrongState",
    "conflict",
    "noConductor",
    "overloaded",
    "unavailable",
    "serverError",
    "ambiguous",
    "unreachable",
  ];
  const STOP: readonly Fault[] = [
    "invalid",
    "forbidden",
    "unauthorized",
    "nodeGone",
    "notFound",
    "unacceptable",
    "unsupported",
  ];
  const ACTIONS: readonly Action[] = ["claim", "deploy", "undeploy"];

  for (const action of ACTIONS) {
    it(`${action}: looks before it tries again`, async () => {
      for (const answer of AGAIN) {
        const { run, log, clock, behaviour } = scene((_node, mind) =>
          mind.done.length > 0 ? { do: "done" } : { do: "act", action },
        );
        let tries = 0;
        behaviour.act = async (_action, on, mind) => {
          if (++tries === 1) throw answered(answer);
          mind.done.push(action);
          return on;
        };
        await run();
        expect(log, answer).to.deep.equal(["now", action, "now", action]);
        expect(clock.now(), answer).to.be.within(300, 1_000);
      }
    });

    it(`${action}: does not repeat what was done although the answer was lost`, async () => {
      for (const answer of AGAIN) {
        const { run, log, see, behaviour } = scene(untilActiveBy(action));
        behaviour.act = async () => {
          see("active");
          throw answered(answer);
        };
        await run();
        expect(log, answer).to.deep.equal(["now", action, "now"]);
      }
    });

    it(`${action}: passes on what no look would change`, async () => {
      for (const answer of STOP) {
        const { fails, log, behaviour } = scene(untilActiveBy(action));
        const error = answered(answer);
        behaviour.act = async () => {
          throw error;
        };
        expect(await fails(), answer).to.equal(error);
        expect(log, answer).to.deep.equal(["now", action]);
      }
    });
  }

  function untilActiveBy(action: Action): (node: Node) => Decision<Action> {
    return ({ provision_state }) => (provision_state === "active" ? { do: "done" } : { do: "act", action });
  }

  it("passes a fault of the program on at once", async () => {
    const { fails, behaviour } = scene(untilActive);
    behaviour.act = async () => {
      throw new TypeError("a bug");
    };
    expect(await fails()).to.be.instanceOf(TypeError);
  });

  for (const [answer, more] of [
    ["wrongState", 3],
    ["conflict", 3],
    ["serverError", 3],
    ["unavailable", 20],
  ] as const)
    it(`tries a "${answer}" ${more} more times and no more`, async () => {
      const { fails, log, behaviour } = scene(untilActive);
      behaviour.act = async () => {
        throw answered(answer);
      };
      expect((await fails()).message).to.contain(`it is ${answer}`);
      expect(log.filter((each) => each === "deploy")).to.have.length(more + 1);
    });

  it("counts them by what was answered: a long wait for something else is not on their account", async () => {
    const { fails, log, behaviour } = scene(untilActive);
    const answers: Fault[] = [...Array.from({ length: 30 }, () => "locked" as const), "wrongState", "locked"];
    behaviour.act = async () => {
      throw answered(answers.shift() ?? "wrongState");
    };
    expect((await fails()).message).to.contain("it is wrongState");
    expect(log.filter((each) => each === "deploy")).to.have.length(30 + 1 + 1 + 3);
  });

  for (const answer of ["locked", "overloaded"] as const)
    it(`backs off from "${answer}" until the deadline, and names it there`, async () => {
      const { fails, log, clock, behaviour } = scene(untilActive);
      const tries: number[] = [];
      behaviour.act = async () => {
        tries.push(clock.now());
        throw answered(answer);
      };
      const error = await fails();
      const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
      expect(gaps.slice(0, 5)).to.deep.equal([500, 1_000, 2_000, 4_000, 8_000]);
      expect(Math.max(...gaps)).to.equal(10_000);
      expect(log.filter((each) => each === "deploy").length).to.be.at.most(70);
      expect(error).to.be.instanceOf(TimeoutError);
      expect(error.message).to.contain(`The last error was: Could not do x: PUT /v1/x: it is ${answer}`);
    });

  it("waits as long as the server asks before it looks and decides anew", async () => {
    const { run, clock, log, behaviour } = scene(untilActive);
    behaviour.act = async () => {
      if (clock.now() === 0) throw answered("overloaded", 200_000);
      return nodeIn("active", "ours");
    };
    await run();
    expect(clock.now()).to.equal(200_000);
    expect(log).to.deep.equal(["now", "deploy", "now", "deploy"]);
  });

  it("does not wait for what the server asks where the deadline comes first, and says so", async () => {
    for (const part of ["act", "look"] as const) {
      const { fails, clock, log, behaviour } = scene(untilActive);
      behaviour[part] = async () => {
        if (log.length > 1) throw answered("overloaded", 700_000);
        return undefined;
      };
      const error = await fails();
      expect(error, part).to.be.instanceOf(TimeoutError);
      expect(error.message, part).to.match(
        /is "available", and Ironic asks to wait 700 s before the next request, but \d+ s of the 600 s are left/,
      );
      expect(clock.now(), part).to.be.at.most(1_000);
    }
  });

  it("begins a pause anew after a success", async () => {
    const { run, clock, behaviour } = scene((_node, mind) =>
      mind.done.length === 2 ? { do: "done" } : { do: "act", action: "claim" },
    );
    const failing = [1, 1, 1, 0, 1, 0];
    const at: number[] = [];
    behaviour.act = async (action, on, mind) => {
      at.push(clock.now());
      if (failing[at.length - 1]) throw answered("locked");
      mind.done.push(action);
      return on;
    };
    await run();
    expect(at.slice(1).map((ms, index) => ms - (at[index] ?? 0))).to.deep.equal([500, 1_000, 2_000, 0, 500]);
  });

  it("goes on when a rule has an answer to the failure", async () => {
    let method = "deploy";
    const { run, log, behaviour } = scene(
      ({ provision_state }) =>
        provision_state === "active" ? { do: "done" } : { do: "act", action: method as Action },
      {
        onRejected: (_action, _node, { fault }) => {
          method = "undeploy";
          return fault === "serverError";
        },
      },
    );
    behaviour.act = async (action) => {
      if (action === "deploy") throw answered("serverError");
      return nodeIn("active", "ours");
    };
    await run();
    expect(log).to.deep.equal(["now", "deploy", "now", "undeploy"]);
  });
});
