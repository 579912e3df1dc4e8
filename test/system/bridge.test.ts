import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type ProviderProcess, type RpcFailure, startProvider, urn } from "./provider-process.ts";

const fixture = fileURLToPath(new URL("../fixtures/provider.cjs", import.meta.url));
const text = `exports.handler = () => require(${JSON.stringify(fixture)});`;
const secretKey = "4dabf18193072939515e22adb298388d";
const secret = (value: unknown) => ({ [secretKey]: "1b47061264138c4ac30d75fd1eb44270", value });

const failure = async (promise: Promise<unknown>): Promise<RpcFailure> => {
  try {
    await promise;
  } catch (error) {
    return error as RpcFailure;
  }
  throw new Error("it did not fail");
};

const started = async (): Promise<ProviderProcess> => {
  const provider = await startProvider(text);
  // The engine checks before it creates; this is the first call, whose URN nobody can see.
  await provider.check({}, { mode: "echo" });
  return provider;
};

/** A create that has begun to wait. */
const waiting = async (provider: ProviderProcess): Promise<{ ended: Promise<RpcFailure> }> => {
  const ended = failure(provider.create({ mode: "waits", secret: "hunter22" }));
  while (!provider.logs.some(({ message }) => message === "waiting")) await new Promise(setImmediate);
  return { ended };
};

const since = (startMs: number) => performance.now() - startMs;

describe("bridge, in Pulumi's own provider process", function () {
  this.timeout(30_000);
  let provider: ProviderProcess;
  before(async () => {
    provider = await started();
  });
  after(() => provider.stop());

  it("wraps secrets in what check, create, update and read return", async () => {
    const props = { mode: "echo", secret: "hunter22" };
    const { inputs } = await provider.check({}, props);
    expect(inputs.secret).to.deep.equal(secret("hunter22"));
    expect(inputs.__provider).to.equal(text);
    const made = await provider.create(props);
    expect(made.properties.secret).to.deep.equal(secret("hunter22"));
    expect((await provider.update(made.id, props, props)).secret).to.deep.equal(secret("hunter22"));
    const read = await provider.read(made.id, props);
    expect(read.properties?.secret).to.deep.equal(secret("hunter22"));
    expect(read.inputs?.secret).to.deep.equal(secret("hunter22"));
    expect(read.inputs?.__provider).to.equal(text);
  });

  it("reports check failures without a property name", async () => {
    const { failures } = await provider.check({}, { mode: "bad", secret: "hunter22" });
    expect(failures).to.deep.equal([{ property: "", reason: "mode: no such mode beside [secret] [argument-invalid]" }]);
  });

  it("makes odd outputs storable", async () => {
    const { properties } = await provider.create({ mode: "odd" });
    expect(properties).to.deep.equal({
      mode: "odd",
      nodeUuid: "node-uuid",
      at: "1970-01-01T00:00:00.000Z",
      big: "1152921504606846976",
      deep: [{}],
      version: 1,
      __provider: text,
    });
  });

  it("keeps a resource whose outputs cannot be stored", async () => {
    const { partial } = await failure(provider.create({ mode: "unstorable", secret: "hunter22" }));
    expect(partial?.id).to.equal("node-uuid");
    expect(partial?.properties).to.deep.include({ mode: "unstorable", __provider: text, secret: secret("hunter22") });
    expect(partial?.reasons[0]).to.contain("rate: is not a finite number");
  });

  it("keeps a half-done resource, without secrets in its reasons", async () => {
    const { partial, message } = await failure(provider.create({ mode: "half", secret: "hunter22" }));
    expect(partial?.id).to.equal("node-uuid");
    expect(partial?.properties).to.deep.equal({
      mode: "half",
      nodeUuid: "node-uuid",
      secret: secret("hunter22"),
      version: 1,
      __provider: text,
    });
    expect(partial?.reasons).to.have.length(1);
    expect(partial?.reasons[0]).to.contain("boot failed [secret]");
    expect(message).to.not.contain("hunter22");
  });

  it("keeps old values in the state when an update fails half-way", async () => {
    const olds = { mode: "echo", kernel: "old" };
    const { partial } = await failure(provider.update("node-uuid", olds, { mode: "half", kernel: "new" }));
    expect(partial?.properties).to.deep.include({ mode: "echo", kernel: "old", nodeUuid: "node-uuid" });
  });

  it("prints the message at the resource, and only the request below the stack", async () => {
    const { message } = await failure(provider.delete("node-uuid", { mode: "fails", secret: "hunter22" }));
    expect(message).to.contain("Could not claim the node: Ironic answered 409 (req-1): already associated, [secret].");
    expect(provider.output()).to.contain("PATCH /v1/nodes/worker-1 → 409 (req-1): \n");
    expect(provider.output()).to.not.contain("    at ").and.not.contain("hunter22");
  });

  it("names an unexpected error, and logs its stack for `pulumi up --debug`", async () => {
    const { message, partial } = await failure(provider.create({ mode: "crashes" }));
    expect(message).to.equal("Unexpected TypeError: x is not a function [internal-error]");
    expect(partial).to.equal(undefined);
    const debug = provider.logs.find(({ severity }) => severity === 0);
    expect(debug?.message).to.contain("    at ");
  });

  it("says that a vanished resource is gone", async () => {
    expect((await provider.read("node-uuid", { mode: "gone" })).id).to.equal("");
  });

  it("shows progress at the resource, at most once a second, and a warning once", async () => {
    const { properties } = await provider.create({ mode: "talks", secret: "hunter22" }, 1020);
    expect(properties).to.deep.include({ urnSeen: urn, timeoutSeen: 1_020_000 });
    const progress = provider.logs.filter(({ ephemeral }) => ephemeral);
    expect(progress.map(({ message }) => message)[0]).to.equal("step 1/25 [secret]");
    expect(progress).to.have.length.within(2, 3);
    for (const line of progress) expect(line).to.include({ urn, severity: 1 });
    const [first, second] = progress;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).to.be.at.least(900);
    const warnings = provider.logs.filter(({ severity }) => severity === 2);
    expect(warnings.map(({ message, ephemeral }) => ({ message, ephemeral }))).to.deep.equal([
      { message: "cleaning is still on [secret] [cleaning-enabled]", ephemeral: false },
    ]);
    expect(warnings[0]?.urn).to.equal(urn);
  });
});

describe("bridge, at the very first call", function () {
  this.timeout(30_000);

  it("shows progress at the stack, as the URN is not to be had", async () => {
    const provider = await startProvider(text);
    try {
      await provider.create({ mode: "talks", secret: "hunter22", resourceName: "worker-1" });
      const [first] = provider.logs.filter(({ ephemeral }) => ephemeral);
      expect(first).to.include({ urn: "", severity: 1, message: "worker-1: step 1/25 [secret]" });
    } finally {
      await provider.stop();
    }
  });
});

describe("bridge, at the end of a run", function () {
  this.timeout(30_000);
  let provider: ProviderProcess;
  beforeEach(async () => {
    provider = await started();
  });
  afterEach(() => provider.stop());

  it("ends a waiting create within a second of Cancel, as a half-done resource", async () => {
    const { ended } = await waiting(provider);
    const cancelledAtMs = performance.now();
    await provider.cancel();
    const { partial } = await ended;
    expect(since(cancelledAtMs)).to.be.below(1_000);
    expect(partial?.id).to.equal("node-uuid");
    expect(partial?.reasons).to.deep.equal(["The run was interrupted [run-interrupted]"]);
  });

  it("answers and leaves when the engine dies", async () => {
    const { ended } = await waiting(provider);
    const diedAtMs = performance.now();
    const exit = once(provider.child, "exit");
    provider.child.stdin?.end();
    expect((await ended).partial?.reasons).to.deep.equal(["Pulumi's engine ended [run-interrupted]"]);
    await exit;
    expect(since(diedAtMs)).to.be.below(1_500);
  });

  it("leaves a call that does not listen behind when the engine dies", async () => {
    const ended = failure(provider.create({ mode: "stubborn" }));
    await provider.check({}, { mode: "echo" });
    const diedAtMs = performance.now();
    const exit = once(provider.child, "exit");
    provider.child.stdin?.end();
    await exit;
    expect(since(diedAtMs)).to.be.within(1_500, 3_500);
    await ended;
  });
});

describe("bridge, with nobody at the other side", function () {
  this.timeout(30_000);
  let provider: ProviderProcess;
  beforeEach(async () => {
    provider = await startProvider(text, { blind: true });
  });
  afterEach(() => provider.stop());

  it("works, and shows warnings on standard error", async () => {
    const { properties } = await provider.create({ mode: "talks", secret: "hunter22" });
    expect(properties).to.deep.include({ mode: "talks", secret: secret("hunter22") });
    expect(provider.logs).to.deep.equal([]);
    expect(provider.output().match(/warning: cleaning is still on \[secret\] \[cleaning-enabled\]/g)).to.have.length(1);
  });

  it("still hears Cancel", async () => {
    const ended = failure(provider.create({ mode: "waits" }));
    await provider.check({}, { mode: "echo" });
    await provider.cancel();
    expect((await ended).partial?.id).to.equal("node-uuid");
  });
});
