import { expect } from "chai";
import { UNKNOWN } from "../../provider/schema/index.ts";
import type { Stored } from "../fakes/call.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { BEFORE, INPUTS, made, NODE, settings, WRITTEN } from "./scene.ts";

describe("BaremetalNodeConfig: diff and refresh", () => {
  it("find nothing where nothing changed, whatever the spelling of the node", async () => {
    const { w, first } = await made();
    expect(await w.refresh(first)).to.deep.equal(first);
    for (const node of ["worker-1", NODE])
      expect(await w.diff(first, { ...INPUTS, node })).to.deep.equal({
        changes: false,
        replaces: [],
        deleteBeforeReplace: true,
      });
  });

  it("replace for another node and an unknown one only", async () => {
    const { w, first } = await made();
    w.ironic.add();
    for (const node of ["worker-2", "none", UNKNOWN])
      expect((await w.diff(first, { ...INPUTS, node })).replaces).to.deep.equal(["node"]);
    for (const change of [{ bootInterface: "http" }, { onDestroy: "keep" }, { bootInterface: UNKNOWN }])
      expect(await w.diff(first, { ...INPUTS, ...change })).to.deep.include({ changes: true, replaces: [] });
  });

  it("show drift of managed fields only, and up repairs it", async () => {
    const { w, first } = await made({}, { ...INPUTS, capabilities: { boot_mode: "uefi" }, extra: { a: 1 } });
    Object.assign(w.fake.node, { automated_clean: true, description: "theirs", deploy_interface: "direct" });
    w.fake.node.properties.capabilities = "cpu_vt:true";
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.inputs).to.deep.include({ automatedCleaning: true, deployInterface: "direct", capabilities: {} });
    expect(seen.inputs).not.to.have.property("description");
    const inputs = { ...INPUTS, capabilities: { boot_mode: "uefi" }, extra: { a: 1 } };
    expect((await w.diff(seen, inputs)).changes).to.equal(true);
    const mended = await w.made(seen, inputs);
    expect(settings(w.node())).to.deep.equal(WRITTEN);
    expect(w.node().properties.capabilities).to.equal("cpu_vt:true,boot_mode:uefi");
    expect(mended.outs.previous).to.deep.include(BEFORE);
    expect(await w.destroy(mended)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
  });

  it("say who holds the node, and are gone with it", async () => {
    const { w, first } = await made();
    w.fake.node.instance_uuid = OTHER_INSTANCE;
    expect((await w.refresh(first))?.outs.drift).to.equal(`held by instance ${OTHER_INSTANCE} [node-held]`);
    w.ironic.add();
    w.ironic.remove(NODE);
    expect(await w.refresh(first)).to.equal(undefined);
  });
});
