import { expect } from "chai";
import { deploymentMarker } from "../../provider/node/marker.ts";
import type { Stored } from "../fakes/call.ts";
import { A, B, DRIVE, INPUTS, NODE, OURS } from "../fakes/deployments.ts";
import { made } from "./scene.ts";

describe("RamdiskDeployment: update", () => {
  it("reboots once with what is new, without an undeployment", async () => {
    const { w, first } = await made({ automated_clean: true });
    const { outs } = await w.made(first, { ...INPUTS, ...B, kernelArguments: "quiet", configDrive: DRIVE });
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active", "rebuild"]);
    expect(w.fake.runs).to.deep.include({ drive: DRIVE });
    expect(w.fake.runs?.info).to.deep.include({ ...B, ramdisk_kernel_arguments: "quiet" });
    expect(outs).to.deep.include({ ...B, provisionState: "active", instanceUuid: OURS });
  });

  it("drops a drive that is no longer wanted, and kernel arguments", async () => {
    const { w, first } = await made({}, { ...INPUTS, configDrive: DRIVE, kernelArguments: "quiet" });
    const { outs } = await w.made(first, INPUTS);
    expect(w.fake.runs).to.deep.include({ drive: undefined, info: A });
    expect(outs).not.to.have.any.keys("driveHash", "configDrive");
    expect(w.fake.boots).to.have.length(2);
  });

  it("touches nothing for what does not concern the machine", async () => {
    const { w, first } = await made();
    const policies = {
      timeoutSeconds: 5,
      undeployTimeoutSeconds: 6,
      updateStrategy: "redeploy",
      powerPolicy: "ignore",
    };
    expect((await w.diff(first, { ...INPUTS, ...policies })).changes).to.equal(true);
    await w.made(first, { ...INPUTS, ...policies });
    expect(w.fake.boots).to.have.length(1);
    expect(w.client.writes).to.have.length(2);
  });

  it("notes on the node that it is to be kept, and no longer", async () => {
    const { w, first } = await made();
    const kept = await w.made(first, { ...INPUTS, onDestroy: "keep" });
    expect(deploymentMarker(w.node())?.keep).to.equal(true);
    await w.made(kept, INPUTS);
    expect(deploymentMarker(w.node())?.keep ?? false).to.equal(false);
    expect(w.fake.boots).to.have.length(1);
  });

  for (const fault of [
    "loseAfter",
    "loseBefore",
    "locked",
    "overloaded",
    "unavailableAfter",
    "unavailableBefore",
  ] as const)
    it(`notes it also when the note meets a fault (${fault})`, async () => {
      const { w, first } = await made();
      w.fault("PATCH", "", fault);
      const { error } = await w.up(first, { ...INPUTS, onDestroy: "keep" });
      expect(error).to.equal(undefined);
      expect(deploymentMarker(w.node())?.keep).to.equal(true);
    });

  it("deploys again what somebody undeployed, on the same node", async () => {
    const { w, first } = await made();
    w.ironic.provision(NODE, "operator", "deleted");
    await w.clock.pass(60_000);
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs).to.include({ provisionState: "available", drift: "undeployed [drift-undeployed]" });
    expect((await w.diff(seen, INPUTS)).changes).to.equal(true);
    expect((await w.made(seen, INPUTS)).outs.provisionState).to.equal("active");
    expect(w.fake.boots).to.have.length(2);
  });

  it("writes a wiped marker back without a reboot", async () => {
    const { w, first } = await made({}, { ...INPUTS, configDrive: DRIVE });
    w.fake.node.extra = {};
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.drift).to.equal("the marker in extra was removed [drift-claim-removed]");
    const mended = await w.made(seen, { ...INPUTS, configDrive: DRIVE });
    expect(w.fake.boots).to.have.length(1);
    expect(mended.outs).not.to.have.property("drift");
    expect(deploymentMarker(w.node())?.instanceUuid).to.equal(OURS);
  });

  it("does not take a drive for running that a failed update never sent", async () => {
    const { w, first } = await made({}, { ...INPUTS, configDrive: DRIVE });
    const other = { ...INPUTS, configDrive: { meta_data: { name: "other" } } };
    w.fault("PUT", "provision", ...Array(10).fill("loseBefore"));
    const { stored } = await w.up(first, { ...other, timeoutSeconds: 5 });
    w.fake.node.extra = {};
    await w.made(stored, other);
    expect(w.fake.runs?.drive).to.deep.equal(other.configDrive);
  });

  it("refuses under maintenance and the protection of others, and touches nothing", async () => {
    for (const fields of [{ maintenance: true }, { protected: true }]) {
      const { w, first } = await made();
      Object.assign(w.fake.node, fields);
      const writes = w.client.writes.length;
      const { stored, error } = await w.up(first, { ...INPUTS, ...B });
      expect(error?.message).to.match(/maintenance|protected by somebody else/);
      expect(w.client.writes).to.have.length(writes);
      expect(stored).to.equal(first);
    }
  });

  it("lifts its own protection for the reboot, and sets it again", async () => {
    const { w, first } = await made({}, { ...INPUTS, protected: true });
    await w.made(first, { ...INPUTS, ...B, protected: true });
    expect(w.fake.runs?.info).to.deep.equal(B);
    expect(w.node().protected).to.equal(true);
  });

  it("works on the node of the state after it was renamed and its name given to another", async () => {
    const { w, first } = await made();
    w.fake.node.name = "old-worker";
    const other = w.ironic.add({ name: "worker-1" });
    const { outs } = await w.made(first, { ...INPUTS, ...B });
    expect(outs.nodeUuid).to.equal(NODE);
    expect(w.fake.boots).to.have.length(2);
    expect(other.boots).to.have.length(0);
    expect(other.node.extra).to.deep.equal({});
  });
});
