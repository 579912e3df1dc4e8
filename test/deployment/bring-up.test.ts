import { expect } from "chai";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { INPUTS, isClean, NODE, OURS, scene, untouched } from "../fakes/deployments.ts";
import { deploymentMarkBy } from "../fakes/identities.ts";

describe("RamdiskDeployment: create", () => {
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

  it("has one deadline for settings, machine and power together", async () => {
    const w = scene({ deploy_interface: "direct" });
    Object.assign(w.fake.fate, { deployMs: 30_000, powerMs: 400_000 });
    w.services.run.settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    void w.clock.sleep(20_000).then(() => {
      w.fake.node.deploy_interface = "ramdisk";
      w.services.run.settings.settle("worker-1");
    });
    w.before(({ method }) => {
      if (method === "GET" && w.node().provision_state === "active") w.fake.node.power_state = "power off";
    });
    const inputs = { ...INPUTS, powerPolicy: "on" };
    const { error } = await w.up(undefined, { ...inputs, timeoutSeconds: 60 });
    expect(error?.message).to.match(/did not power on within 60 s/);
    expect(w.clock.now()).to.equal(60_000);
    const slow = scene({ deploy_interface: "direct" });
    slow.fake.fate.deployMs = 400_000;
    slow.services.run.settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    void slow.clock.sleep(20_000).then(() => {
      slow.fake.node.deploy_interface = "ramdisk";
      slow.services.run.settings.settle("worker-1");
    });
    expect((await slow.up(undefined, { ...INPUTS, timeoutSeconds: 60 })).error?.message).to.match(/after 60 s/);
    expect(slow.clock.now()).to.equal(60_000);
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

  it("takes up what a redeploy that was killed had undeployed, but keeps it in the state only from its new claim on", async () => {
    const w = scene({ provision_state: "cleaning", ...marked });
    void w.clock.sleep(2_000).then(() => w.call.abort());
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error?.name).to.equal("CancelledError");
    // Until then only a marker tells of it, which many may write.
    expect(stored).to.equal(undefined);
    untouched(w);
    Object.assign(w.fake.node, { provision_state: "available" });
    const made = await w.made(undefined, INPUTS);
    expect(made.outs).to.deep.include({ nodeUuid: NODE, instanceUuid: OURS });
    expect(await w.destroy(made)).to.equal(undefined);
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
