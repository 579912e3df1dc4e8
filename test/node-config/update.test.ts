import { expect } from "chai";
import type { Stored } from "../fakes/call.ts";
import { BASE, BEFORE, deploy, INPUTS, made, WRITTEN } from "./scene.ts";

describe("BaremetalNodeConfig: update", () => {
  it("writes per field, and remembers a field only when it is first managed", async () => {
    const { w, first } = await made({}, BASE);
    w.fake.node.boot_interface = "pxe";
    const second = await w.made(first, { ...BASE, bootInterface: "redfish-virtual-media" });
    expect(second.outs.previous).to.deep.equal({ deploy_interface: "direct", boot_interface: "pxe" });
    const third = await w.made(second, { ...BASE, bootInterface: "http" });
    expect(third.outs.previous).to.deep.equal({ deploy_interface: "direct", boot_interface: "pxe" });
  });

  it("restores a field that is dropped at once, unless somebody has changed it", async () => {
    const { w, first } = await made();
    const second = await w.made(first, { ...BASE, automatedCleaning: false });
    expect(w.node().boot_interface).to.equal("ipxe");
    expect(second.outs.written).to.deep.equal({ deploy_interface: "ramdisk", automated_clean: false });
    w.fake.node.automated_clean = true;
    await w.made(second, BASE);
    expect(w.node().automated_clean).to.equal(true);
  });

  it("drops a field that was like that before also where it could not change", async () => {
    const { w, first } = await made({ boot_interface: "http" }, { ...BASE, bootInterface: "http" });
    deploy(w);
    const { outs } = await w.made(first, BASE);
    expect(outs.written).to.deep.equal({ deploy_interface: "ramdisk" });
  });

  it("stays on the node of the state when its name has moved to another", async () => {
    const { w, first } = await made();
    w.fake.node.name = "renamed";
    const other = w.ironic.add({ name: "worker-1" });
    await w.made(first, { ...INPUTS, bootInterface: "http" });
    expect(w.node().boot_interface).to.equal("http");
    expect(other.node.boot_interface).to.equal("ipxe");
  });

  it("takes the state's copy where somebody wiped extra", async () => {
    const { w, first } = await made();
    w.fake.node.extra = {};
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.drift).to.equal("the marker in extra was removed [drift-claim-removed]");
    expect((await w.diff(seen, INPUTS)).changes).to.equal(true);
    const second = await w.made(seen, INPUTS);
    expect(second.outs).to.deep.include({ previous: BEFORE, written: WRITTEN });
    expect(second.outs).not.to.have.property("drift");
  });

  it("changes what an active node allows, and refuses the rest", async () => {
    const { w, first } = await made();
    deploy(w);
    await w.made(first, { ...INPUTS, automatedCleaning: true });
    expect(w.node().automated_clean).to.equal(true);
    const { error } = await w.up(first, { ...INPUTS, bootInterface: "http" });
    expect(error?.message).to.match(/boot_interface .* cannot be changed while the node is "active"/);
  });
});
