import { expect } from "chai";
import { CancelledError, IronicError, ProblemError } from "../provider/core/errors.ts";
import { IsoError } from "../provider/drive/iso/tree.ts";
import type { About } from "../provider/plugin/bridge.ts";
import { type Call, type Handler, PartialFailure, type Props } from "../provider/plugin/handler.ts";
import { InvalidInput } from "../provider/schema/index.ts";
import { attached, thrown } from "./fakes/attached.ts";

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

describe("runtime", () => {
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
