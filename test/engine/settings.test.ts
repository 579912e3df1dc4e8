import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

describe("a node's settings (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  const all = {
    driverInfo: { force_persistent_boot_device: "Never", deploy_kernel: "http://127.0.0.1/other" },
    capabilities: { boot_mode: "uefi" },
    description: "held by a test",
    extra: { rack: { row: 7 } },
  };

  it("change in one write, and are restored with what others added left alone", async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    stack.resources = [config("w", node, all)];
    await stack.up();
    const now = await judge.node(node);
    expect(judge.writes(node)).to.deep.equal(["PATCH 200"]);
    expect(now.driver_info).to.include(all.driverInfo);
    expect(now.properties.capabilities).to.include("boot_mode:uefi");
    expect(now).to.include({
      description: "held by a test",
      boot_interface: "ipxe",
      deploy_interface: "ramdisk",
      automated_clean: false,
    });
    expect(now.extra.rack).to.deep.equal({ row: 7 });
    await stack.settled();
    await judge.patch(
      node,
      { op: "add", path: "/extra/theirs", value: 1 },
      { op: "replace", path: "/description", value: "changed since" },
    );
    const said = await stack.destroy();
    expect(said).to.match(/warning: Node [^\n]*not restored, because somebody else changed the value: description/);
    const after = await judge.settings(node);
    expect(after).to.deep.equal({ ...before, description: "changed since", extra: { theirs: 1 } });
    await judge.patch(node, { op: "remove", path: "/extra/theirs" }, { op: "remove", path: "/description" });
  });

  it("that a later update manages first are remembered then; dropped ones are restored at once", async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    stack.resources = [config("w", node, { description: "one" })];
    await stack.up();
    await judge.patch(node, { op: "add", path: "/extra/rack", value: "theirs" });
    stack.resources = [config("w", node, { description: "two", extra: { rack: "ours" } })];
    await stack.up();
    stack.resources = [config("w", node, { extra: { rack: "ours again" }, bootInterface: undefined })];
    await stack.up();
    const now = await judge.node(node);
    expect(now.description).to.equal(null);
    expect(now.boot_interface).to.equal("fake");
    expect(now.extra.pulumi_ironic.previous["extra/rack"]).to.equal("theirs");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal({ ...before, extra: { rack: "theirs" } });
    await judge.patch(node, { op: "remove", path: "/extra/rack" });
  });

  it("that somebody changed show in refresh, those alone, and are put right by up", async () => {
    const node = await judge.take();
    stack.resources = [config("w", node)];
    await stack.up();
    await judge.baremetal("node", "set", node, "--boot-interface", "pxe", "--extra", "mine=1");
    const shown = await stack.preview("--refresh", "--diff");
    expect(shown).to.match(/bootInterface\s*: "pxe" => "ipxe"/);
    expect(shown).to.not.include("mine");
    await stack.up("--refresh");
    expect((await judge.node(node)).boot_interface).to.equal("ipxe");
    await stack.destroy();
    await judge.patch(node, { op: "remove", path: "/extra/mine" });
  });

  it("stay with onDestroy keep; a kept deployment keeps its interfaces, with a warning", async () => {
    const node = await judge.take();
    stack.resources = [
      config("w", node, { description: "kept or not" }),
      deployment("w", judge.lab, { onDestroy: "keep" }),
    ];
    await stack.up();
    const said = await stack.destroy();
    expect(said).to.match(/warning: Node [^\n]*could not be restored while the node is "active"/);
    const now = await judge.node(node);
    expect(now).to.include({
      provision_state: "active",
      description: null,
      boot_interface: "ipxe",
      automated_clean: null,
    });
    expect(now.extra).to.deep.equal({});
    await judge.patch(node, { op: "replace", path: "/automated_clean", value: false });
    await judge.provision(node, "deleted");
    await judge.until(node, "available");
    stack.resources = [config("w", node, { onDestroy: "keep" })];
    await stack.up();
    await stack.destroy();
    const kept = await judge.node(node);
    expect(kept).to.include({ boot_interface: "ipxe", deploy_interface: "ramdisk", automated_clean: false });
    expect(kept.extra).to.deep.equal({});
    const undo = { boot_interface: "fake", deploy_interface: "direct", automated_clean: null };
    await judge.patch(
      node,
      ...Object.entries(undo).map(([key, value]) => ({ op: "replace" as const, path: `/${key}`, value })),
    );
  });
});
