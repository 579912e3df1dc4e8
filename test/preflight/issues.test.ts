import { expect } from "chai";
import { CancelledError, IronicError } from "../../provider/core/errors.ts";
import { UnusableVersion } from "../../provider/http/versions.ts";
import {
  missing,
  type PreflightIssue,
  reachable,
  rejected,
  report,
  warnUnchecked,
} from "../../provider/preflight/issues.ts";
import { fakeCall } from "../fakes/call.ts";
import { scene } from "./scene.ts";

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );

const TOO_OLD = new UnusableVersion({
  code: "api-version-unusable",
  problem: "Ironic is too old",
  advice: "Upgrade it.",
});
const BROKEN = new Error("no route to the host.");

const REFUSED = rejected("node-held", "node", "is held");
const DROPPED: PreflightIssue = {
  path: "vendorData",
  reason: "is dropped.",
  code: "api-version-too-old",
  rejected: false,
};
const HINT: PreflightIssue = {
  path: "",
  reason: "will be slow",
  code: "node-in-maintenance",
  rejected: true,
  hint: true,
};

describe("what the preflight finds", () => {
  const modes: [mode: string | undefined, failures: PreflightIssue[], warnings: PreflightIssue[]][] = [
    [undefined, [REFUSED], [DROPPED, HINT]],
    ["enforce", [REFUSED, DROPPED], [HINT]],
    ["warn", [], [REFUSED, DROPPED, HINT]],
  ];
  for (const [mode, failures, warnings] of modes)
    it(`with ironic:preflight ${mode ?? "unset"} fails ${failures.length} and warns of ${warnings.length}`, async () => {
      const { services, call } = scene(mode === undefined ? {} : { settings: { preflight: mode } });
      const found = await report("Node worker-1", services, call, async () => [REFUSED, DROPPED, HINT]);
      expect(found).to.deep.equal(failures.map(({ path, reason, code }) => ({ path, reason, code })));
      expect(call.shown.map((text) => / \[(.*)\]$/.exec(text)?.[1])).to.deep.equal(warnings.map(({ code }) => code));
    });

  it("is told as one sentence: with the property, but for the node, which is the subject", async () => {
    const { services, call } = scene({ settings: { preflight: "warn" } });
    await report("Node worker-1", services, call, async () => [REFUSED, DROPPED, HINT]);
    expect(call.warnings).to.deep.equal([
      "Node worker-1: is held.",
      "Node worker-1: vendorData is dropped.",
      "Node worker-1: will be slow.",
    ]);
  });

  for (const [mode, failures] of [
    ["off", []],
    ["Warn", [{ path: "ironic:preflight", reason: "must be one of off, warn, enforce", code: "setting-invalid" }]],
  ] as const)
    it(`is not looked for with ironic:preflight ${mode}`, async () => {
      const { services, call } = scene({ settings: { preflight: mode } });
      expect(await report("", services, call, () => expect.fail("it looks"))).to.deep.equal(failures);
    });

  it("is one failure where the versions do not fit, and an error where anything else fails", async () => {
    const { services, call } = scene();
    expect(await report("", services, call, () => Promise.reject(TOO_OLD))).to.deep.equal([
      { path: "", reason: TOO_OLD.message, code: "api-version-unusable" },
    ]);
    expect(await thrown(report("", services, call, () => Promise.reject(BROKEN)))).to.equal(BROKEN);
  });

  it("is not waited for by a run that is interrupted", async () => {
    const { services, call } = scene();
    const reported = report("", services, call, () => new Promise(() => undefined));
    call.abort();
    const error = await thrown(reported);
    expect(error).to.be.instanceOf(CancelledError).and.to.have.property("code", "run-interrupted");
  });
});

describe("a program that cannot be checked", () => {
  it("is told of once for each operation of the engine, and not when that is interrupted", () => {
    const { services, call } = scene();
    warnUnchecked(BROKEN, services, call);
    warnUnchecked(new Error("another"), services, {
      ...fakeCall(),
      signal: call.signal,
      warn: () => expect.fail("again"),
    });
    expect(call.shown).to.deep.equal([
      "The program could not be checked against Ironic: no route to the host. [preview-incomplete]",
    ]);
    const [next, interrupted] = [fakeCall(), fakeCall()];
    interrupted.abort();
    for (const each of [next, interrupted]) warnUnchecked(BROKEN, services, each);
    expect([next.warnings.length, interrupted.warnings.length]).to.deep.equal([1, 0]);
  });

  it("goes on without a connection where the configuration or Ironic fails, and is told why", async () => {
    const { services, call } = scene({ instead: { minor: () => Promise.reject(BROKEN) } });
    expect(await reachable(services, call)).to.equal(undefined);
    const unusable = { ...services, connection: () => Promise.reject(new Error("ironic:endpoint is not set")) };
    const second = fakeCall();
    expect(await reachable(unusable, second)).to.equal(undefined);
    expect([call, second].map(({ warnings }) => warnings)).to.deep.equal([
      ["The program could not be checked against Ironic: no route to the host."],
      ["The program could not be checked against Ironic: ironic:endpoint is not set."],
    ]);
  });

  it("does not go on where the versions do not fit", async () => {
    const { services, call } = scene({ instead: { minor: () => Promise.reject(TOO_OLD) } });
    expect(await thrown(reachable(services, call))).to.equal(TOO_OLD);
    expect(call.warnings).to.deep.equal([]);
  });
});

describe("what this Ironic's version lacks", () => {
  const NEEDS = [
    { path: "protected", feature: "protected" },
    { path: "description", feature: "description" },
    { path: "", feature: "service" },
  ] as const;

  it("is refused, each at the property that needs it", async () => {
    const { services, call } = scene({ client: { minor: 50 } });
    const found = await missing(NEEDS, services, call);
    expect(found.map(({ path, code, rejected }) => ({ path, code, rejected }))).to.deep.equal([
      { path: "description", code: "api-version-too-old", rejected: true },
      { path: "", code: "api-version-too-old", rejected: true },
    ]);
    expect(found[0]?.reason).to.match(/^needs description\. \S.*\.$/);
  });

  it("is nothing where all is there, or where Ironic does not answer", async () => {
    const { services, call } = scene();
    expect(await missing(NEEDS, services, call)).to.deep.equal([]);
    const silent = scene({ client: { minor: 50 }, instead: { minor: () => Promise.reject(BROKEN) } });
    expect(await missing(NEEDS, silent.services, silent.call)).to.deep.equal([]);
    expect(silent.call.warnings).to.have.length(1);
  });

  it("is not asked for where nothing is needed", async () => {
    const { services, call } = scene();
    const none = { ...services, connection: () => expect.fail("it asks") };
    expect(await missing([], none, call)).to.deep.equal([]);
  });

  it("is not taken from an error about something else", async () => {
    const forbidden = new IronicError({ fault: "forbidden", operation: "look", request: "GET /v1", detail: "no" });
    const { services, call } = scene({ instead: { require: () => Promise.reject(forbidden) } });
    expect(await thrown(missing(NEEDS, services, call))).to.equal(forbidden);
  });
});
