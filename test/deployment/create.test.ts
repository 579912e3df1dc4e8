import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { parseDeployment } from "../../provider/deployment/args.ts";
import { openJournal } from "../../provider/deployment/attempt.ts";
import { createMachine } from "../../provider/deployment/machine.ts";
import { loadDriveContent } from "../../provider/drive/source.ts";
import { shows } from "../../provider/node/instance-info.ts";
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

  it("stops waiting when interrupted, keeps what is known, and the next run goes on with the same deploy", async () => {
    const w = scene();
    void w.clock.sleep(2_000).then(() => w.call.abort());
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error?.name).to.equal("CancelledError");
    expect(w.clock.now()).to.equal(2_000);
    expect(stored?.outs).to.include({ provisionState: "deploying", instanceUuid: OURS });
    expect((await w.made(stored, INPUTS)).outs.provisionState).to.equal("active");
    expect(w.fake.boots).to.have.length(1);
  });

  it("ends the waiting at its deadline, not the machine's work, and the next run goes on waiting", async () => {
    const w = scene();
    w.fake.fate.deployMs = 400_000;
    const { stored, error } = await w.up(undefined, { ...INPUTS, timeoutSeconds: 300 });
    expect(error?.message).to.match(
      /^Node worker-1 .* is still "deploying" after 300 s.*The timeout stopped Pulumi waiting/,
    );
    await w.made(stored, { ...INPUTS, timeoutSeconds: 300 });
    expect(w.fake.boots).to.have.length(1);
  });

  it("waits for the engine's own time-out, where that is shorter", async () => {
    const w = scene();
    w.fake.fate.deployMs = 400_000;
    Object.assign(w.call, { timeoutMs: 60_000 });
    expect((await w.up(undefined, INPUTS)).error?.message).to.match(/^Node worker-1 .* after 60 s/);
  });

  it("waits for settings no longer than the engine does", async () => {
    for (const more of [{ timeoutSeconds: 30 }, {}]) {
      const w = scene({ deploy_interface: "direct" });
      Object.assign(w.call, more.timeoutSeconds === undefined && { timeoutMs: 30_000 });
      w.services.run.settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
      expect((await w.up(undefined, { ...INPUTS, ...more })).error?.message).to.match(/were not in place within 30 s/);
      expect(w.clock.now()).to.equal(30_000);
    }
  });

  it("waits for the settings that the same program makes on the node, and uses what they made", async () => {
    const w = scene({ deploy_interface: "direct" });
    w.services.run.settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    void w.clock.sleep(5_000).then(() => {
      w.fake.node.deploy_interface = "ramdisk";
      w.services.run.settings.settle("worker-1");
    });
    expect((await w.made(undefined, INPUTS)).outs.provisionState).to.equal("active");
  });

  it("sets protection once active, and asks for an API that has it", async () => {
    const w = scene();
    await w.made(undefined, { ...INPUTS, protected: true });
    expect(w.node().protected).to.equal(true);
    expect(deploymentMarker(w.node())?.protected).to.equal(true);
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

  it("powers a machine on only where asked", async () => {
    for (const powerPolicy of ["ignore", "on"] as const) {
      const w = scene();
      const made = await w.made(undefined, { ...INPUTS, powerPolicy });
      w.fake.node.power_state = "power off";
      const off = (await w.refresh(made)) as Stored;
      expect(off.outs.powerState).to.equal("power off");
      const { changes } = await w.diff(off, { ...INPUTS, powerPolicy });
      expect(changes).to.equal(powerPolicy === "on");
      if (!changes) continue;
      const { outs } = await w.made(off, { ...INPUTS, powerPolicy });
      expect(outs.powerState).to.equal("power on");
      expect(w.warnings().join()).to.contain("It is switched on");
      expect(w.fake.boots).to.have.length(1);
    }
  });

  it("gives up waiting for power when its time is over, though Ironic is away", async () => {
    const w = scene();
    const made = await w.made(undefined, { ...INPUTS, powerPolicy: "on", timeoutSeconds: 60 });
    w.fake.node.power_state = "power off";
    const off = (await w.refresh(made)) as Stored;
    let asked = false;
    w.before(({ method, path }) => {
      if (asked && method === "GET") w.fault("GET", "/nodes", "unreachable");
      asked ||= path.endsWith("/power");
    });
    const { stored, error } = await w.up(off, { ...INPUTS, powerPolicy: "on", timeoutSeconds: 60 });
    expect(error?.message).to.match(/^Node worker-1 .* did not power on within 60 s\./);
    expect(stored?.outs.nodeUuid).to.equal(NODE);
  });

  it("tries again to power on while the node is locked", async () => {
    const w = scene();
    const made = await w.made(undefined, { ...INPUTS, powerPolicy: "on" });
    w.fake.node.power_state = "power off";
    w.fault("PUT", "/power", "locked");
    const { outs } = await w.made((await w.refresh(made)) as Stored, { ...INPUTS, powerPolicy: "on" });
    expect(outs.powerState).to.equal("power on");
  });

  it("keeps in the state what a run that was killed had begun, also when only the waiting is interrupted", async () => {
    for (const [killed, then] of [
      ["PUT", (w: ReturnType<typeof scene>) => void w.clock.sleep(2_000).then(() => w.call.abort())],
      ["GET validate", (w: ReturnType<typeof scene>) => Object.assign(w.fake.node, { maintenance: true })],
    ] as const) {
      const w = scene();
      Object.assign(w.fake.fate, { deployMs: 60_000 });
      const [method = "", part = ""] = killed.split(" ");
      let runs = 0;
      w.before((request) => {
        if (request.method === method && request.path.includes(part) && runs++ === 0) w.call.abort();
      });
      // The engine that was killed has written nothing down.
      await w.up(undefined, INPUTS);
      then(w);
      const { stored, error } = await w.up(undefined, INPUTS);
      expect(error, killed).to.be.instanceOf(Error);
      expect(stored?.outs, killed).to.deep.include({ nodeUuid: NODE, instanceUuid: OURS });
      w.fake.node.maintenance = false;
      await w.made(stored, INPUTS);
      expect(w.fake.boots, killed).to.have.length(1);
    }
  });

  const marked = {
    extra: { [DEPLOYMENT_MARKER]: { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OURS, preparedAt: "x" } },
  };

  it("keeps in the state what a redeploy that was killed had undeployed", async () => {
    const w = scene({ provision_state: "cleaning", ...marked });
    void w.clock.sleep(2_000).then(() => w.call.abort());
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error?.name).to.equal("CancelledError");
    expect(stored?.outs).to.deep.include({ nodeUuid: NODE, instanceUuid: OURS });
    Object.assign(w.fake.node, { provision_state: "available" });
    expect(await w.destroy(stored as Stored)).to.equal(undefined);
    isClean(w.node());
  });

  it("keeps in the state what a run that was killed had begun, also while it waits for settings", async () => {
    for (const ends of ["interrupted", "in time"]) {
      const w = scene({ deploy_interface: "direct", instance_uuid: OURS, ...marked });
      w.services.run.settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
      if (ends === "interrupted") void w.clock.sleep(2_000).then(() => w.call.abort());
      const { stored, error } = await w.up(undefined, INPUTS);
      expect(error, ends).to.be.instanceOf(Error);
      expect(stored?.outs, ends).to.deep.include({ nodeUuid: NODE, instanceUuid: OURS });
      untouched(w);
    }
  });

  it("keeps nothing in the state of a machine that may not be adopted, or that runs without its instance_uuid", async () => {
    const running = { provision_state: "active", instance_uuid: OURS, ...marked };
    const refused = scene(running);
    expect((await refused.up(undefined, { ...INPUTS, adopt: OURS })).stored).to.equal(undefined);
    untouched(refused);
    const waiting = scene({ ...running, deploy_interface: "direct" });
    waiting.services.run.settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    expect((await waiting.up(undefined, { ...INPUTS, adopt: OURS })).stored).to.equal(undefined);
    const stripped = scene({ ...running, instance_uuid: null });
    const { stored, error } = await stripped.up(undefined, INPUTS);
    expect(error?.message).to.match(/has no instance_uuid, so it is not known whose deployment this is/);
    expect(stored).to.equal(undefined);
  });

  it("keeps nothing in the state while it waits for settings of a node that is not its own", async () => {
    const w = scene({ deploy_interface: "direct" });
    void w.clock.sleep(2_000).then(() => w.call.abort());
    expect((await w.up(undefined, INPUTS)).stored).to.equal(undefined);
  });
});

describe("RamdiskDeployment: what Ironic takes for a secret and hides", () => {
  const secret = (token: string) => ({ ...INPUTS, kernelArguments: `console=ttyS0 k3s.token=${token} quiet` });

  it("is deployed once, is no drift, and is updated where it changes", async () => {
    const w = scene();
    const first = await w.made(undefined, secret("one"));
    expect(w.client.writes.map(({ method }) => method)).to.deep.equal(["PATCH", "PUT"]);
    expect(w.fake.runs?.info).to.have.property("ramdisk_kernel_arguments", "console=ttyS0 k3s.token=one quiet");
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.drift).to.equal(undefined);
    expect(seen.outs.kernelArguments).to.equal(secret("one").kernelArguments);
    expect((await w.diff(seen, secret("one"))).changes).to.equal(false);
    await w.made(seen, secret("one"));
    expect(w.fake.boots).to.have.length(1);
    const second = await w.made(seen, secret("two"));
    expect(w.fake.runs?.info).to.have.property("ramdisk_kernel_arguments", "console=ttyS0 k3s.token=two quiet");
    expect(w.fake.boots).to.have.length(2);
    expect((await w.refresh(second))?.outs.drift).to.equal(undefined);
  });

  it("is put back as the state knows it, never as Ironic shows it", async () => {
    const w = scene({ automated_clean: true });
    const first = await w.made(undefined, secret("one"));
    w.fake.fate.rebuild = "never";
    const { stored, error } = await w.up(first, secret("two"));
    expect(error?.message).to.contain("cannot rebuild");
    expect(w.fake.node.instance_info).to.have.property("ramdisk_kernel_arguments", secret("one").kernelArguments);
    expect((await w.refresh(stored as Stored))?.outs.drift).to.equal(undefined);
    expect(w.fake.boots).to.have.length(1);
  });

  it("is put back where only what is new has a secret", async () => {
    const w = scene({ automated_clean: true });
    const first = await w.made(undefined, { ...INPUTS, kernelArguments: "quiet" });
    w.fake.fate.rebuild = "never";
    await w.up(first, secret("two"));
    expect(w.fake.node.instance_info).to.have.property("ramdisk_kernel_arguments", "quiet");
  });

  it("is changed also on a machine that was adopted", async () => {
    const info = { ...A, ramdisk_kernel_arguments: secret("one").kernelArguments };
    const running = { provision_state: "active", instance_uuid: OTHER_INSTANCE, instance_info: info };
    const w = scene({ ...running, power_state: "power on" });
    const first = await w.made(undefined, { ...secret("one"), adopt: OTHER_INSTANCE });
    const boots = w.fake.boots.length;
    await w.made(first, { ...secret("two"), adopt: OTHER_INSTANCE });
    expect(w.fake.node.instance_info).to.have.property("ramdisk_kernel_arguments", secret("two").kernelArguments);
    expect(w.fake.boots).to.have.length(boots + 1);
  });

  it("is refused as Ironic shows it", () => {
    const parsed = parseDeployment(secret("******"));
    const failures = parsed.kind === "failed" ? parsed.failures : [];
    expect(failures).to.have.nested.property("[0].path", "kernelArguments");
  });

  it("is told from what Ironic shows, be it cut between quotes", () => {
    expect(shows('conf={"token":"******","x":"} quiet', 'conf={"token":"abc","x":"y"} quiet')).to.equal(true);
    expect(shows("a token=****** b", "a token=1 b")).to.equal(true);
    expect(shows("a token=****** b", "a token=1 c")).to.equal(false);
    expect(shows("a.b", "axb")).to.equal(false);
  });

  it("is drift where the rest of it was changed", async () => {
    const w = scene();
    const first = await w.made(undefined, secret("one"));
    w.fake.node.instance_info = { ...w.fake.node.instance_info, ramdisk_kernel_arguments: "k3s.token=one verbose" };
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.kernelArguments).to.equal("k3s.token=****** verbose");
    expect((await w.diff(seen, secret("one"))).changes).to.equal(true);
  });
});
