import { expect } from "chai";
import { CancelledError, IronicError, ProblemError } from "../provider/core/errors.ts";
import { IsoError } from "../provider/drive/iso/tree.ts";
import type { About, Bridge } from "../provider/plugin/bridge.ts";
import { type Call, type Handler, PartialFailure, type Props } from "../provider/plugin/handler.ts";
import { createServices } from "../provider/plugin/services.ts";
import { attach } from "../provider/runtime.ts";
import { InvalidInput } from "../provider/schema/index.ts";
import { fakeRun } from "./fakes/call.ts";

const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

interface Attached {
  check(olds: Props, news: Props): Promise<{ inputs: Props; failures: unknown[] }>;
  diff(id: string, olds: Props, news: Props): Promise<unknown>;
  create(inputs: Props): Promise<{ id: string; outs: Props }>;
  read(id: string, props: Props): Promise<{ id?: string; props?: Props; inputs?: Props }>;
  update(id: string, olds: Props, news: Props): Promise<{ outs: Props }>;
  delete(id: string, props: Props): Promise<void>;
}

const unused = (): never => {
  throw new Error("this method is not expected to be called");
};

const quiet: Handler = {
  secretOutputs: ["password"],
  check: async (_olds, inputs) => ({ inputs, failures: [] }),
  diff: unused,
  create: unused,
  read: unused,
  update: unused,
  delete: unused,
};

/** A clock that stands until it is set forward. */
const manualClock = () => {
  let nowMs = 0;
  const sleepers: { untilMs: number; wake(): void }[] = [];
  return {
    now: () => nowMs,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        sleepers.push({ untilMs: nowMs + ms, wake: resolve });
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
    forward: async (ms: number) => {
      nowMs += ms;
      for (const { untilMs, wake } of sleepers) if (untilMs <= nowMs) wake();
      await new Promise(setImmediate);
    },
  };
};

const attached = (own: Partial<Handler>, about: About = { urn: "urn:x", timeoutMs: 5 }) => {
  const logs: { severity: string; text: string; ephemeral: boolean }[] = [];
  const clock = manualClock();
  const bridge: Bridge = {
    signal: new AbortController().signal,
    about: () => about,
    log: (severity, text, { ephemeral = false }) => logs.push({ severity, text, ephemeral }),
    begin: () => async () => {},
  };
  const services = createServices(fakeRun(clock), () => undefined, unused);
  const self = {} as Attached;
  attach(
    self,
    "deployment",
    { config: { get: () => undefined } },
    {
      handler: async () => ({ ...quiet, ...own }),
      services,
      bridge,
    },
  );
  return { self, logs, clock, bridge };
};

/** A delete that lasts until `end`. */
const underWay = async (props: Props, about?: About) => {
  const said: Call[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const handler: Partial<Handler> = {
    delete: (_id, _props, _services, call) => {
      said.push(call);
      return promise;
    },
  };
  const { self, logs, clock } = attached(handler, about);
  const deleting = self.delete("a", props);
  await new Promise(setImmediate);
  const end = () => {
    resolve();
    return deleting;
  };
  return { call: said[0], logs, clock, end };
};

const thrown = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    return error as Error & { id?: string; properties?: Props; reasons?: string[] };
  }
  throw new Error("it did not fail");
};

describe("runtime", () => {
  it("gives the object its methods synchronously", () => {
    const { self } = attached({});
    expect(Object.keys(self)).to.have.members(["check", "diff", "create", "read", "update", "delete"]);
  });

  it("does not show the handler its own code, and answers with the same code", async () => {
    const seen: Props[] = [];
    const { self } = attached({
      create: async (inputs) => {
        seen.push(inputs);
        return { id: "a", outs: { state: "active" } };
      },
    });
    const result = await self.create({ node: "worker-1", __provider: "text" });
    expect(seen).to.deep.equal([{ node: "worker-1" }]);
    expect(result).to.deep.equal({
      id: "a",
      outs: { node: "worker-1", state: "active", version: 1, __provider: "text" },
    });
  });

  it("lets a handler drop an input from the outputs", async () => {
    const { self } = attached({ create: async () => ({ id: "a", outs: { bulky: undefined } }) });
    expect((await self.create({ bulky: "x" })).outs).to.not.have.property("bulky");
  });

  it("treats a first check as one without old inputs", async () => {
    const seen: unknown[] = [];
    const check: Handler["check"] = async (olds, inputs) => {
      seen.push(olds);
      return { inputs, failures: [] };
    };
    const { self } = attached({ check });
    await self.check({}, { a: 1 });
    await self.check({ a: 1, __provider: "text" }, { a: 1 });
    expect(seen).to.deep.equal([undefined, { a: 1 }]);
  });

  it("refuses inputs that cannot be stored, at preview", async () => {
    const { self } = attached({});
    const { failures } = await self.check({}, { seconds: Number.NaN });
    expect(failures).to.deep.equal([
      { property: "", reason: "seconds: is not a finite number (NaN) [value-not-storable]" },
    ]);
  });

  it("passes a diff on as it is, and to it the signal that ends the run", async () => {
    const answer = { changes: true, replaces: ["node"], deleteBeforeReplace: true };
    const signals: unknown[] = [];
    const { self } = attached({
      diff: async (_id, _olds, _news, _services, call) => {
        signals.push(call?.signal);
        return answer;
      },
    });
    expect(await self.diff("a", {}, {})).to.equal(answer);
    expect(signals).to.have.length(1);
    expect(signals[0]).to.be.instanceOf(AbortSignal);
  });

  it("passes on what refresh found, inputs included", async () => {
    const { self } = attached({ read: async (id) => ({ id, props: { a: 1, password: "p" }, inputs: { a: 1 } }) });
    expect(await self.read("a", {})).to.deep.equal({
      id: "a",
      props: { a: 1, password: secret("p"), version: 1 },
      inputs: { a: 1 },
    });
  });

  it("hides the state's version from the handler, and touches no state of a newer one", async () => {
    const seen: unknown[] = [];
    const see = async (_id: string, props: Props) => {
      seen.push(props);
    };
    const { self } = attached({ delete: see });
    await self.delete("a", { a: 1, version: 1 });
    expect(seen).to.deep.equal([{ a: 1 }]);
    const newer = { a: 1, version: 2 };
    const calls = [
      () => self.diff("a", newer, {}),
      () => self.read("a", newer),
      () => self.update("a", newer, {}),
      () => self.delete("a", newer),
    ];
    for (const call of calls) expect((await thrown(call())).message).to.contain("has version 2");
    expect(seen).to.have.length(1);
  });

  it("answers a vanished resource with nothing", async () => {
    const { self } = attached({ read: async () => undefined });
    expect(await self.read("a", {})).to.deep.equal({});
  });

  it("keeps a resource whose update returned something that cannot be stored", async () => {
    const { self } = attached({ update: async () => ({ outs: { rate: Number.POSITIVE_INFINITY } }) });
    const error = await thrown(self.update("a", { __provider: "old" }, { __provider: "new" }));
    expect(error).to.include({ id: "a" });
    expect(error.properties).to.deep.equal({ version: 1, __provider: "new" });
    expect(error.reasons).to.have.length(1);
  });

  it("does not keep a resource without an id", async () => {
    const { self } = attached({ create: async () => ({ id: "", outs: {} }) });
    expect((await thrown(self.create({}))).message).to.contain("has no id");
  });

  const failures: [string, unknown, string, string][] = [
    [
      "an answer of Ironic",
      new IronicError({
        fault: "conflict",
        operation: "claim",
        request: "PATCH /v1/nodes/a",
        status: 409,
        requestId: "req-1",
        detail: "taken planted1",
        advice: "Wait.",
      }),
      "Could not claim: Ironic answered 409 (req-1): taken [secret]. Wait. [ironic-conflict]",
      "PATCH /v1/nodes/a → 409 (req-1)",
    ],
    [
      "no answer",
      new IronicError({
        fault: "unreachable",
        operation: "claim",
        request: "PATCH /v1/nodes/a",
        detail: "refused",
        advice: "Wait.",
      }),
      "Could not claim: PATCH /v1/nodes/a: refused. Wait. [connection-failed]",
      "PATCH /v1/nodes/a → unreachable",
    ],
    [
      "a refusal of ours",
      new ProblemError({ code: "node-held", problem: "No planted1", advice: "Do." }),
      "No [secret]. Do. [node-held]",
      "deployment delete",
    ],
    ["an interruption", new CancelledError(), "The run was interrupted [run-interrupted]", "deployment delete"],
    [
      "arguments refused late",
      new InvalidInput([
        { path: "image", reason: "planted1 cannot be read", code: "config-drive-unreadable" },
        { path: "", reason: "planted1 is empty", code: "config-drive-empty" },
      ]),
      "image: [secret] cannot be read [config-drive-unreadable]\n[secret] is empty [config-drive-empty]",
      "deployment delete",
    ],
    [
      "a drive that cannot be made",
      new IsoError("planted1 is too long"),
      "[secret] is too long [config-drive-directory-invalid]",
      "deployment delete",
    ],
    [
      "a drive that cannot be sent",
      new ProblemError({
        problem: "It cannot be sent (planted1). Correct it:",
        failures: [{ path: "image", reason: "planted1 is empty", code: "config-drive-empty" }],
      }),
      "It cannot be sent ([secret]). Correct it:\nimage: [secret] is empty [config-drive-empty]",
      "deployment delete",
    ],
    ["a bug", new RangeError("planted1"), "Unexpected RangeError: [secret] [internal-error]", "deployment delete"],
    ["a plain text", "planted1", "Unexpected failure: [secret] [internal-error]", "deployment delete"],
    [
      "a partial failure where there is none",
      new PartialFailure("a", {}, new Error("why")),
      "why [internal-error]",
      "deployment delete",
    ],
  ];
  for (const [title, error, message, summary] of failures) {
    it(`reports ${title} in one message, without stack and secrets`, async () => {
      const { self } = attached({
        delete: async () => {
          throw error;
        },
      });
      const failure = await thrown(self.delete("a", { password: "planted1" }));
      expect(failure.message).to.equal(message);
      expect(`${failure}: ${failure.stack}`).to.equal(`${summary}: `);
      expect(failure.id).to.equal(undefined);
    });
  }

  it("leaves a code as it is where a secret is part of it", async () => {
    const { self } = attached({
      delete: async () => {
        throw new ProblemError({ code: "node-held", problem: "It is held", advice: "Do." });
      },
    });
    const { message } = await thrown(self.delete("a", { password: "held" }));
    expect(message).to.equal("It is [secret]. Do. [node-held]");
  });

  it("shows the newest progress at most once a second, and none after the end", async () => {
    const { call, logs, clock, end } = await underWay({ password: "planted1" });
    call?.progress("one\n planted1");
    call?.progress("two");
    call?.progress("three");
    expect(logs.map(({ text }) => text)).to.deep.equal(["one [secret]"]);
    await clock.forward(999);
    expect(logs).to.have.length(1);
    await clock.forward(1);
    expect(logs.map(({ text }) => text)).to.deep.equal(["one [secret]", "three"]);
    call?.progress("three");
    await clock.forward(1_000);
    expect(logs).to.have.length(2);
    call?.progress("four");
    call?.progress("five");
    await end();
    await clock.forward(5_000);
    expect(logs.map(({ text, ephemeral }) => `${text} ${ephemeral}`)).to.deep.equal([
      "one [secret] true",
      "three true",
      "four true",
    ]);
    expect(call).to.include({ urn: "urn:x", timeoutMs: 5 });
  });

  it("shows the progress of a call whose URN is not known at the stack, with the resource's name", async () => {
    const { call, logs, end } = await underWay({ resourceName: "worker-1" }, {});
    call?.progress("clean wait, 5 s");
    await end();
    expect(logs.map(({ text, ephemeral }) => `${text} ${ephemeral}`)).to.deep.equal(["worker-1: clean wait, 5 s true"]);
  });

  it("repeats a progress of which only the seconds changed every ten seconds, and says news at once", async () => {
    const { call, logs, clock, end } = await underWay({});
    for (let second = 0; second < 25; second++) {
      call?.progress(`cleaning, step erase_devices, ${second} s`);
      await clock.forward(1_000);
    }
    call?.progress("cleaning, step burn-in, 25 s");
    await end();
    expect(logs.map(({ text }) => text)).to.deep.equal([
      "cleaning, step erase_devices, 0 s",
      "cleaning, step erase_devices, 10 s",
      "cleaning, step erase_devices, 20 s",
      "cleaning, step burn-in, 25 s",
    ]);
  });
});
