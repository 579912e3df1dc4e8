import { expect } from "chai";
import type { DeploymentProps } from "../../provider/deployment/arguments.ts";
import type { State } from "../../provider/deployment/state.ts";
import { deadlinesOf, instanceInfo, keeps, planFor } from "../../provider/deployment/want.ts";
import { bootHashOf, saltedDriveHash } from "../../provider/node/slow-hash.ts";
import { fakeCall, slowHash } from "../fakes/call.ts";
import { virtualClock } from "../fakes/clock.ts";
import { A, B, DRIVE, INPUTS, NODE, OURS, scene } from "../fakes/deployments.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";

const OLDS: State = {
  ...INPUTS,
  configDrive: DRIVE,
  nodeUuid: NODE,
  instanceUuid: OTHER_INSTANCE,
  provisionState: "active",
  powerState: "power on",
};

async function planned(props: Partial<DeploymentProps> = {}, olds?: State, minor?: number) {
  const w = scene({}, minor === undefined ? {} : { client: { minor } });
  const call = fakeCall();
  const all = { ...INPUTS, ...props };
  return planFor(NODE, all, olds, deadlinesOf(all, call, w.clock), w.services, call);
}

describe("what a deployment wants", () => {
  it("is worked out from the arguments, with the defaults of what is left out", async () => {
    const { want, powersOn, readiness, olds, contentHash } = await planned();
    const { stackId, resourceId, resourceName } = INPUTS;
    expect(want).to.deep.equal({
      claim: { stackId, resourceId, resourceName, isNew: true, instanceUuid: OURS },
      info: A,
      bootHash: await bootHashOf(slowHash, A, OURS),
      driveHash: undefined,
      last: undefined,
      protected: false,
      keep: false,
      updateStrategy: "rebuild",
      hasState: false,
    });
    expect({ powersOn, readiness, olds, contentHash }).to.deep.equal({
      powersOn: false,
      readiness: undefined,
      olds: undefined,
      contentHash: undefined,
    });
  });

  it("is told by the program, and whether the machine stays by an adoption as well", async () => {
    const readiness = { tcp: "192.0.2.10:22" };
    const said = await planned({ protected: true, updateStrategy: "redeploy", powerPolicy: "on", readiness });
    expect(said.want).to.include({ protected: true, updateStrategy: "redeploy", keep: false });
    expect(said).to.deep.include({ powersOn: true, readiness });
    const adopted = await planned({}, { ...OLDS, adopted: true });
    expect(adopted.want).to.include({ keep: true, hasState: true });
  });

  it("takes its instance UUID from the state, else from allocation or adopt, else from stack, resource and node", async () => {
    for (const [props, olds, instanceUuid, isNew] of [
      [{}, undefined, OURS, true],
      [{ adopt: "unclaimed" }, undefined, OURS, true],
      [{ adopt: OTHER_INSTANCE }, undefined, OTHER_INSTANCE, true],
      [{ allocation: OTHER_INSTANCE }, undefined, OTHER_INSTANCE, true],
      [{ resourceId: "renamed" }, OLDS, OTHER_INSTANCE, undefined],
    ] as const) {
      const { claim } = (await planned(props, olds)).want;
      expect({ instanceUuid: claim.instanceUuid, isNew: claim.isNew }).to.deep.equal({ instanceUuid, isNew });
      // Who it is was fixed at creation.
      expect(claim.resourceId).to.equal(INPUTS.resourceId);
    }
  });

  it("has two hashes of its drive: the state's, and a salted one for the node", async () => {
    const { want, contentHash = "", loadDrive } = await planned({ configDrive: DRIVE });
    expect(contentHash).to.match(/^[0-9a-f]{64}$/);
    expect(want.driveHash).to.equal(await saltedDriveHash(slowHash, contentHash, OURS));
    expect(await loadDrive()).to.deep.equal(DRIVE);
  });

  it("knows the last start only where that was of the same images and the same drive", async () => {
    const bootHash = await bootHashOf(slowHash, A, OTHER_INSTANCE);
    const { contentHash = "" } = await planned({ configDrive: DRIVE });
    const started = { bootHash, preparedAt: null, at: null };
    const olds = { ...OLDS, started, driveHash: contentHash };
    for (const [props, state, last] of [
      [{ configDrive: DRIVE }, olds, started],
      [{ ...B, configDrive: DRIVE }, olds, undefined],
      [{}, olds, undefined],
      [{ configDrive: DRIVE }, { ...olds, driveHash: undefined }, undefined],
      [{ configDrive: DRIVE }, { ...olds, started: undefined }, undefined],
    ] as const)
      expect((await planned(props, state)).want.last).to.deep.equal(last);
  });

  it("is refused where this Ironic is too old for an argument, with the argument's name", async () => {
    const error = await planned({ protected: true }, undefined, 47).catch((failure: Error) => failure);
    expect(error).to.include({ fault: "unsupported", operation: "deploy with protected" });
    expect((await planned({ protected: false }, undefined, 47)).want.protected).to.equal(false);
  });
});

describe("what a deployment writes into instance_info", () => {
  it("is what is set and not empty, and image_source for an old Ironic that boots a ramdisk", () => {
    const props = { ...INPUTS, kernelArguments: "" };
    expect(instanceInfo(props, false)).to.deep.equal(A);
    expect(instanceInfo({ ...props, kernelArguments: "quiet" }, true)).to.deep.equal({
      ...A,
      ramdisk_kernel_arguments: "quiet",
      image_source: A.ramdisk,
    });
    const iso = { ...INPUTS, kernel: undefined, ramdisk: undefined, bootIso: "http://images/a.iso" };
    expect(instanceInfo(iso, true)).to.deep.equal({ boot_iso: "http://images/a.iso" });
  });
});

describe("a deployment that leaves the state", () => {
  for (const [onDestroy, adopted, stays] of [
    [undefined, undefined, false],
    [undefined, true, true],
    ["undeploy", true, false],
    ["keep", undefined, true],
  ] as const)
    it(`${stays ? "stays on" : "is taken off"} the machine (onDestroy ${onDestroy}, adopted ${adopted})`, () =>
      expect(keeps({ ...(onDestroy && { onDestroy }) }, adopted)).to.equal(stays));
});

describe("the deadlines of a deployment", () => {
  for (const [timeoutSeconds, callMs, workMs, leftMs] of [
    [undefined, undefined, 1_800_000, Number.POSITIVE_INFINITY],
    [60, undefined, 60_000, Number.POSITIVE_INFINITY],
    [60, 90_000, 60_000, 90_000],
    [undefined, 90_000, 90_000, 90_000],
  ] as const)
    it(`are ${workMs} ms for its work and ${leftMs} ms for the call (${timeoutSeconds} s, ${callMs} ms)`, async () => {
      const clock = virtualClock();
      await clock.pass(1_000);
      const props = { ...INPUTS, ...(timeoutSeconds !== undefined && { timeoutSeconds }) };
      const { deadline, callLeftMs } = deadlinesOf(props, fakeCall(callMs), clock);
      expect(deadline).to.include({ startedAt: 1_000, timeoutMs: workMs });
      await clock.pass(50_000);
      expect([deadline.leftMs(), callLeftMs()]).to.deep.equal([workMs - 50_000, leftMs - 50_000]);
    });
});
