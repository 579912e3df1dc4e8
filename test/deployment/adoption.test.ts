import { expect } from "chai";
import { DEPLOYMENT_MARKER, deploymentMarker } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { A, B, DRIVE, foreign, INPUTS, isClean, OURS, scene } from "../fakes/deployments.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";

describe("RamdiskDeployment: adopt", () => {
  const running: Partial<Node> = { provision_state: "active", instance_info: A, power_state: "power on" };
  const adopt = { ...INPUTS, adopt: OTHER_INSTANCE };

  it("writes nothing but the claim, and destroy keeps the machine", async () => {
    const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
    const first = await w.made(undefined, { ...adopt, configDrive: DRIVE });
    expect(first.id).to.equal(OTHER_INSTANCE);
    expect(w.client.writes.map(({ body }) => body)).to.deep.equal([
      [{ op: "add", path: `/extra/${DEPLOYMENT_MARKER}`, value: deploymentMarker(w.node()) }],
    ]);
    expect((await w.refresh(first))?.outs).not.to.have.property("drift");
    expect((await w.diff(first, { ...adopt, configDrive: DRIVE })).changes).to.equal(false);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.deep.include({ provision_state: "active", instance_uuid: OTHER_INSTANCE, extra: {} });
  });

  it("takes a machine that nobody has claimed", async () => {
    const w = scene(running);
    const first = await w.made(undefined, { ...INPUTS, adopt: "unclaimed" });
    expect(w.node().instance_uuid).to.equal(OURS);
    expect(first.outs).to.include({ adopted: true, instanceUuid: OURS });
  });

  it("refuses what is not as expected, before a byte is written", async () => {
    const cases: [Partial<Node>, Props, RegExp][] = [
      [{}, { adopt: OTHER_INSTANCE }, /instance_uuid is not set, but bbbb/],
      [{ instance_uuid: OTHER_INSTANCE }, { adopt: "unclaimed" }, /is held by instance/],
      [{ instance_uuid: OTHER_INSTANCE }, { ...B }, /instance_info differs in kernel, ramdisk/],
      [{ instance_uuid: OTHER_INSTANCE, provision_state: "rescue" }, {}, /is "rescue", not active/],
      [{ instance_uuid: OTHER_INSTANCE, maintenance: true }, {}, /in maintenance/],
      [
        { instance_uuid: OTHER_INSTANCE, extra: { [DEPLOYMENT_MARKER]: foreign } },
        {},
        /is held by deployment "theirs"/,
      ],
    ];
    for (const [fields, inputs, text] of cases) {
      const w = scene({ ...running, ...fields });
      const { stored, error } = await w.up(undefined, { ...adopt, ...inputs });
      expect(stored).to.equal(undefined);
      expect(error?.message).to.match(text);
      expect(w.client.writes).to.deep.equal([]);
    }
  });

  for (const fault of ["loseAfter", "loseBefore", "locked", "overloaded", "serverError", "unavailableAfter"] as const)
    it(`is done once where the answer is not one (${fault})`, async () => {
      const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
      w.fault("PATCH", "", fault);
      expect((await w.made(undefined, adopt)).outs.adopted).to.equal(true);
    });

  it("ends at the engine's own time-out, where that is shorter", async () => {
    const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
    w.fault("PATCH", "", "hangBefore");
    Object.assign(w.call, { timeoutMs: 10_000 });
    expect((await w.up(undefined, adopt)).error?.message).to.match(/^Node worker-1 .* after 10 s/);
  });

  it("stays to be kept after an update, and does what the program then says", async () => {
    const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
    const first = await w.made(undefined, adopt);
    const second = await w.made(first, { ...adopt, timeoutSeconds: 60 });
    expect(deploymentMarker(w.node())?.keep).to.equal(true);
    const third = await w.made(second, { ...adopt, timeoutSeconds: 60, onDestroy: "undeploy" });
    expect(deploymentMarker(w.node())?.keep).to.equal(false);
    expect(await w.destroy(third)).to.equal(undefined);
    isClean(w.node());
  });

  it("reboots with what the program changes later", async () => {
    const w = scene({ ...running, instance_uuid: OTHER_INSTANCE });
    const first = await w.made(undefined, adopt);
    await w.made(first, { ...adopt, ...B });
    expect(w.fake.runs?.info).to.deep.include(B);
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["rebuild"]);
  });
});
