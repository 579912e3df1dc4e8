import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { openJournal } from "../../provider/deployment/attempt.ts";
import { createMachine } from "../../provider/deployment/machine.ts";
import { loadDriveContent } from "../../provider/drive/source.ts";
import { DEPLOYMENT_MARKER, deploymentMarker } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import type { Stored } from "../fakes/call.ts";
import { A, DRIVE, foreign, INPUTS, isClean, NODE, OURS, scene, untouched } from "../fakes/deployments.ts";
import { deploymentBy, deploymentMarkBy, settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";

describe("RamdiskDeployment: create", () => {
  it("claims in one PATCH, validates, deploys and waits: four requests and the polls", async () => {
    const w = scene();
    const { id, outs } = await w.made(undefined, INPUTS);
    const [find, claim, validate, put, ...polls] = w.asked();
    expect([find, claim, validate, put]).to.deep.equal([
      "GET /nodes/worker-1",
      "PATCH /nodes/N",
      "GET /nodes/N/validate",
      "PUT /nodes/N/states/provision",
    ]);
    expect(new Set(polls)).to.deep.equal(new Set(["GET /nodes/N"]));
    expect(id).to.equal(OURS);
    expect(outs).to.deep.include({ ...INPUTS, nodeUuid: NODE, instanceUuid: OURS, provisionState: "active" });
    expect(outs).to.deep.include({ powerState: "power on", deployedAt: w.node().provision_updated_at });
    expect(w.fake.runs).to.deep.include({ verb: "active", instanceUuid: OURS, info: A, drive: undefined });
    expect(w.fake.boots).to.have.length(1);
    expect(deploymentMarker(w.node())).to.deep.include({
      ...deploymentMarkBy("stack-1", "worker"),
      instanceUuid: OURS,
    });
  });

  it("removes what an earlier deployment left", async () => {
    const w = scene({ instance_info: { image_source: "http://old", boot_iso: "http://old.iso", configdrive: "x" } });
    await w.made(undefined, INPUTS);
    expect(w.fake.runs).to.deep.include({ info: A, drive: undefined });
  });

  it("sends the drive in the PUT, and keeps its hash and a fingerprint", async () => {
    const w = scene();
    const { outs } = await w.made(undefined, { ...INPUTS, configDrive: JSON.stringify(DRIVE) });
    expect(w.fake.runs?.drive).to.deep.equal(DRIVE);
    expect(outs.driveHash).to.match(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(w.node().extra)).not.to.contain(outs.driveHash);
    expect(await w.refresh({ id: OURS, inputs: INPUTS, outs })).not.to.have.nested.property("outs.drift");
  });

  it("takes its own claim up again after a crash, wherever that was", async () => {
    for (const [crashed, boots] of [
      ["PATCH", 1],
      ["GET validate", 1],
      ["PUT", 1],
    ] as const) {
      const w = scene();
      const [method = "", part = ""] = crashed.split(" ");
      w.fault(method, part, "loseAfter", "loseAfter", "loseAfter", "loseAfter");
      w.before(({ index }) => index === 12 && w.call.abort());
      await w.up(undefined, INPUTS);
      const again = await w.made(undefined, INPUTS);
      expect(again.id).to.equal(OURS);
      expect(w.fake.boots, crashed).to.have.length(boots);
    }
  });

  for (const fault of ["loseAfter", "hangAfter", "unavailableAfter"] as const)
    it(`does not begin twice when the answer to the PUT is lost (${fault})`, async () => {
      const w = scene();
      w.fault("PUT", "provision", fault);
      await w.made(undefined, INPUTS);
      expect(w.fake.boots).to.have.length(1);
    });

  it("does not try again what failed while the answer was lost, though an earlier run had claimed the node", async () => {
    const w = scene();
    Object.assign(w.fake.fate, { deployMs: 300, deployFails: 1 });
    w.fault("PUT", "provision", "loseBefore");
    let puts = 0;
    w.before(({ method }) => method === "PUT" && ++puts === 1 && w.call.abort());
    const { stored } = await w.up(undefined, INPUTS);
    w.fault("PUT", "provision", "loseAfter");
    expect((await w.up(stored, INPUTS)).error?.message).to.contain("failed: image not found");
    expect(w.fake.boots).to.have.length(1);
  });

  it("refuses a node of others before a byte is written", async () => {
    const fields: Partial<Node>[] = [
      { instance_uuid: OTHER_INSTANCE },
      { extra: { [DEPLOYMENT_MARKER]: foreign } },
      { extra: { pulumi_ironic: { ...settingsMarkBy("stack-2", "theirs") } } },
      { extra: { [DEPLOYMENT_MARKER]: foreign }, instance_uuid: OURS },
    ];
    for (const each of fields) {
      const w = scene(each);
      const { stored, error } = await w.up(undefined, INPUTS);
      expect(stored).to.equal(undefined);
      expect(error?.message).to.match(/is held by .*nothing was written/);
      untouched(w);
    }
  });

  it("loses the race for a node without leaving anything in the state", async () => {
    const w = scene();
    w.before(({ method }) => {
      if (method === "PATCH") w.fake.node.instance_uuid = OTHER_INSTANCE;
    });
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(stored).to.equal(undefined);
    expect(error?.message).to.contain(`is held by instance ${OTHER_INSTANCE}`);
    expect(w.node().extra).to.deep.equal({});
  });

  it("says which node's drive cannot be read, before the machine is touched", async () => {
    const w = scene();
    const claim = { ...deploymentBy("stack-1", "worker"), instanceUuid: OURS };
    const machine = createMachine({
      connection: await w.services.connection(),
      clock: w.clock,
      slowHash: w.services.run.slowHash,
      initial: w.node(),
      claim,
      journal: openJournal(),
      deploy: {
        want: {
          claim,
          info: A,
          bootHash: "b",
          driveHash: undefined,
          last: undefined,
          keep: false,
          protected: false,
          updateStrategy: "rebuild",
          hasState: false,
        },
        was: undefined,
        loadDrive: () => loadDriveContent(`pulumi-ironic-drive:image:${"0".repeat(64)}:/nowhere/drive`),
      },
    });
    for (const action of ["deploy", "undeploy"] as const) {
      const act = machine.act(action, w.node(), new AbortController().signal);
      const error = await act.catch((failure: Error) => failure);
      expect(error).to.be.instanceOf(ProblemError);
      expect((error as Error).message).to.match(
        /^The config drive of node worker-1 .* cannot be sent\. .*:\nimage: .*cannot be read/,
      );
      untouched(w);
    }
  });

  it("refuses maintenance, retirement and states that it does not deploy from", async () => {
    for (const [fields, text] of [
      [{ maintenance: true, maintenance_reason: "fan" }, /in maintenance \("fan"\)/],
      [{ retired: true }, /is retired/],
      [{ provision_state: "manageable" }, /from the state "manageable".*baremetal node provide worker-1/],
      [{ provision_state: "active" }, /has no instance_uuid, so it is not known whose/],
      [{ provision_state: "levitating" }, /"levitating", which this version does not know/],
    ] as const) {
      const w = scene(fields);
      const { stored, error } = await w.up(undefined, INPUTS);
      expect(stored).to.equal(undefined);
      expect(error?.message).to.match(text);
      untouched(w);
    }
  });

  it("keeps a deployment that failed, with Ironic's cause, or the history's", async () => {
    for (const silent of [false, true]) {
      const w = scene();
      Object.assign(w.fake.fate, { deployFails: 1, silent });
      const { stored, error } = await w.up(undefined, INPUTS);
      expect(error?.message).to.match(
        /The deployment of node worker-1 .* failed: image not found\. .*`pulumi up` again/,
      );
      expect(stored?.outs).to.deep.include({ provisionState: "deploy failed", instanceUuid: OURS, nodeUuid: NODE });
      expect(stored?.failed).to.equal(error?.message);
      expect(w.fake.boots).to.have.length(1);
      const mended = await w.made(stored, INPUTS);
      expect(mended.outs.provisionState).to.equal("active");
      expect(w.fake.boots).to.have.length(2);
    }
  });

  it("keeps what validation or Ironic refused, as the claim is on the node, and destroy takes it off", async () => {
    const w = scene({ deploy_interface: "direct" });
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error?.message).to.match(/Failed to validate deploy or power info/);
    expect(w.node()).to.include({ provision_state: "available", instance_uuid: OURS });
    expect(await w.destroy(stored as Stored)).to.equal(undefined);
    isClean(w.node());
    expect(w.fake.boots).to.have.length(0);
  });

  it("sets protection once active, and asks for an API that has it", async () => {
    const w = scene();
    await w.made(undefined, { ...INPUTS, protected: true });
    expect(w.node().protected).to.equal(true);
    expect(w.node().protected_reason).to.equal(`pulumi-ironic: worker (${OURS})`);
    const old = scene({}, { client: { minor: 47 } });
    expect((await old.up(undefined, { ...INPUTS, protected: true })).error?.message).to.contain("protect");
    untouched(old);
  });

  it("writes image_source only for an Ironic that needs it", async () => {
    const w = scene({}, { client: { minor: 74 } });
    await w.made(undefined, INPUTS);
    expect(w.fake.runs?.info).to.deep.include({ ...A, image_source: A.ramdisk });
  });

  it("refuses JSON drives, and vendor data, that this Ironic cannot read, before anything is written", async () => {
    for (const [minor, drive] of [
      [55, DRIVE],
      [58, { ...DRIVE, vendor_data: {} }],
    ] as const) {
      const w = scene({}, { client: { minor } });
      expect((await w.up(undefined, { ...INPUTS, configDrive: drive })).error).to.have.property("fault", "unsupported");
      untouched(w);
    }
  });
});
