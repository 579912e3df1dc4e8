import { expect } from "chai";
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
