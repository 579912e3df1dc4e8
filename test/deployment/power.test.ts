import { expect } from "chai";
import type { Node } from "../../provider/node/node.ts";
import type { Stored } from "../fakes/call.ts";
import { INPUTS, NODE, scene } from "../fakes/deployments.ts";

describe("RamdiskDeployment: create", () => {
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

  const OFF = { ...INPUTS, powerPolicy: "on" };
  /** A machine of ours that was switched off, as a refresh shows it. */
  const switchedOff = async (fields: Partial<Node> = {}) => {
    const w = scene();
    const made = await w.made(undefined, OFF);
    Object.assign(w.fake.node, { power_state: "power off", ...fields });
    const off = (await w.refresh(made)) as Stored;
    w.client.writes.length = 0;
    return { w, off };
  };

  it("never powers on in maintenance, be it set by others, by Ironic, or only just before", async () => {
    const cases: readonly Partial<Node>[] = [
      { maintenance: true, maintenance_reason: "fan" },
      { maintenance: true, maintenance_reason: "no answer", fault: "power failure" },
    ];
    for (const fields of cases) {
      const { w, off } = await switchedOff(fields);
      const { error } = await w.up(off, OFF);
      expect(error).to.have.property("code", "node-in-maintenance");
      expect(error?.message).to.match(
        /is in maintenance \(".*"\), so it was not powered on.*maintenance unset worker-1/,
      );
      expect(w.client.writes).to.deep.equal([]);
    }
    const { w, off } = await switchedOff();
    w.fault("PUT", "/power", "locked");
    w.before(({ method }) => {
      // Somebody takes the machine while the first try waits for a lock.
      if (method === "PUT") Object.assign(w.fake.node, { maintenance: true, maintenance_reason: "fan" });
    });
    expect((await w.up(off, OFF)).error).to.have.property("code", "node-in-maintenance");
    expect(w.client.requests.filter(({ method }) => method === "PUT")).to.have.length(2);
    expect(w.node().power_state).to.equal("power off");
  });

  it("keeps a deployment that it did not power on, and does so when the maintenance has ended", async () => {
    const w = scene();
    let isTaken = false;
    w.before(() => {
      const node = w.node();
      if (isTaken || node.provision_state !== "active") return;
      isTaken = true;
      Object.assign(node, { maintenance: true, power_state: "power off" });
    });
    const { stored, error } = await w.up(undefined, OFF);
    expect(error).to.have.property("code", "node-in-maintenance");
    expect(stored?.outs).to.include({ provisionState: "active", powerState: "power off" });
    w.fake.node.maintenance = false;
    expect((await w.made(stored as Stored, OFF)).outs.powerState).to.equal("power on");
    expect(w.fake.boots).to.have.length(1);
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
});
