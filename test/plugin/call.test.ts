import { expect } from "chai";
import type { About, Bridge } from "../../provider/plugin/bridge.ts";
import { callOf } from "../../provider/plugin/call.ts";
import { virtualClock } from "../fakes/clock.ts";
import { growth, growthMax } from "../fakes/growth.ts";

const scene = (about: About = { urn: "urn:x" }, props: Record<string, unknown> = {}) => {
  const clock = virtualClock();
  const calls = new Set<object>();
  const said: { severity: string; text: string; atMs: number; urn?: string | undefined }[] = [];
  let ended = 0;
  const bridge: Bridge = {
    signal: new AbortController().signal,
    about: () => about,
    log: (severity, text, { urn }) => said.push({ severity, text, atMs: clock.now(), urn }),
    begin: () => async () => {
      ended++;
    },
  };
  const { call, end } = callOf(bridge, props, { clock, calls }, (text) => text.replaceAll("s3cret", "***"));
  return { clock, calls, said, call, end, bridge, ended: () => ended };
};
const spoken = (said: { text: string; atMs: number }[]) => said.map(({ text, atMs }) => `${atMs} ${text}`);

describe("the call of one request of the engine", () => {
  it("carries what the engine sent beside the properties, as far as it is known", () => {
    expect(scene({ urn: "urn:x", timeoutMs: 5_000 }).call).to.include({ urn: "urn:x", timeoutMs: 5_000 });
    expect(scene({}).call).not.to.have.any.keys("urn", "timeoutMs");
  });

  it("shows news at once, then the newest once a second, the last included", async () => {
    const { clock, call, said } = scene();
    call.progress("one");
    for (const text of ["two", "three"]) call.progress(text);
    await clock.pass(400);
    call.progress("four");
    await clock.pass(5_000);
    expect(spoken(said)).to.deep.equal(["0 one", "1000 four"]);
  });

  it("repeats what only grew older every ten seconds", async () => {
    const { clock, call, said } = scene();
    for (let second = 0; second <= 21; second++) {
      call.progress(`deploying, ${second} s`);
      await clock.pass(1_000);
    }
    expect(spoken(said)).to.deep.equal(["0 deploying, 0 s", "10000 deploying, 10 s", "20000 deploying, 20 s"]);
  });

  it("compares a text full of digits, as Ironic may give it, in time that grows with its length", () => {
    let seconds = 0;
    const clock = { ...virtualClock(), now: () => 60_000 * seconds++ };
    const { call } = callOf(scene().bridge, {}, { clock, calls: new Set() }, (text) => text);
    const found = growth(2_048, (length) => () => call.progress(`${"1".repeat(length)}, ${seconds}`));
    expect(found).to.be.below(growthMax);
  });

  it("speaks less often where many speak", async () => {
    const { clock, calls, call, said } = scene();
    for (let count = 0; count < 79; count++) calls.add({});
    call.progress("one");
    call.progress("two");
    await clock.pass(3_999);
    expect(spoken(said)).to.deep.equal(["0 one"]);
    await clock.pass(1);
    expect(spoken(said)).to.deep.equal(["0 one", "4000 two"]);
  });

  it("says nothing more after its end, and is no longer counted", async () => {
    const { clock, calls, call, said, end, ended } = scene();
    call.progress("one");
    call.progress("two");
    expect(calls.size).to.equal(1);
    await end();
    await clock.pass(60_000);
    expect(spoken(said)).to.deep.equal(["0 one"]);
    expect({ calls: calls.size, ended: ended() }).to.deep.equal({ calls: 0, ended: 1 });
  });

  it("shows what steers a terminal, and does not carry it out", () => {
    const { call, said } = scene({}, { resourceName: "worker\u001b[2J" });
    call.progress("a\u202e");
    call.warn("node-held", "b\u009b");
    expect(said.map(({ text }) => text)).to.deep.equal(["worker\\u001b[2J: a\\u202e", "b\\u009b [node-held]"]);
  });

  it("says whose it is where the engine shows it at the stack, on one line and without a secret", () => {
    const { call, said } = scene({}, { resourceName: "worker" });
    call.progress("a\n  s3cret");
    call.warn("node-held", "b s3cret");
    expect(said.map(({ severity, text }) => `${severity}: ${text}`)).to.deep.equal([
      "info: worker: a ***",
      "warning: b *** [node-held]",
    ]);
  });
});
