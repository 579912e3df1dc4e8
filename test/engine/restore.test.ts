import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

describe("what was there before (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(async () => {
    await judge.lab.agentMode("normal");
    stack.remove();
  });

  it("is on the node, so that a create which the state forgot loses nothing", async () => {
    const node = await judge.take();
    await judge.patch(node, { op: "replace", path: "/description", value: "theirs" });
    const before = await judge.settings(node);
    stack.resources = [
      config("w", node, { description: "ours", driverInfo: { force_persistent_boot_device: "Always" } }),
    ];
    await stack.up();
    await stack.ok("state", "delete", "--yes", stack.urn("BaremetalNodeConfig", "w"));
    await judge.untouched(node, () => stack.up());
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
    await judge.patch(node, { op: "remove", path: "/description" });
  });

  it("counts for cleaning unless `reenableAutomatedCleaning` says otherwise", async () => {
    const [on, off] = [await judge.take(), await judge.take()];
    await judge.patch(on, { op: "replace", path: "/automated_clean", value: false });
    stack.resources = [
      config("on", on, { reenableAutomatedCleaning: true }),
      config("off", off, { reenableAutomatedCleaning: false }),
    ];
    await stack.up();
    await stack.destroy();
    expect((await judge.node(on)).automated_clean).to.equal(true);
    expect((await judge.node(off)).automated_clean).to.equal(false);
    for (const name of [on, off]) await judge.patch(name, { op: "replace", path: "/automated_clean", value: null });
  });

  it("is waited for while the node passes through a state, and left alone where interfaces cannot change", async () => {
    const node = await judge.take();
    await judge.patch(
      node,
      { op: "replace", path: "/boot_interface", value: "ipxe" },
      { op: "replace", path: "/deploy_interface", value: "ramdisk" },
      { op: "add", path: "/instance_info/kernel", value: judge.lab.images.kernel },
      { op: "add", path: "/instance_info/ramdisk", value: judge.lab.images.ramdisk },
    );
    await judge.provision(node, "active");
    await judge.until(node, "active");
    stack.resources = [config("w", node, { bootInterface: "pxe" })];
    await judge.untouched(node, async () =>
      expect(await stack.fails("up")).to.match(
        /boot_interface of node [^\n]* cannot be changed while the node is "active"/,
      ),
    );
    await judge.lab.agentMode("silent");
    await judge.provision(node, "deleted");
    await judge.until(node, "clean wait");
    const going = stack.start("up");
    await going.said(/creating \(\d+s\) clean wait/);
    await judge.lab.agentMode("normal");
    expect((await going.done).code).to.equal(0);
    expect(await judge.node(node)).to.include({ provision_state: "available", boot_interface: "pxe" });
    await stack.destroy();
    const undo = { boot_interface: "fake", deploy_interface: "direct" };
    await judge.patch(
      node,
      ...Object.entries(undo).map(([key, value]) => ({ op: "replace" as const, path: `/${key}`, value })),
    );
  });

  it("comes back from a destroy that ran out of time while the node cleaned: the next one goes on", async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    stack.resources = [
      config("w", node, { automatedCleaning: undefined }),
      deployment("w", judge.lab, { undeployTimeoutSeconds: 2 }),
    ];
    await stack.up();
    await judge.lab.agentMode("silent");
    expect(await stack.fails("destroy")).to.match(/Node [^\n]* is still "clean wait" after 2 s/);
    expect(await judge.node(node)).to.include({ provision_state: "clean wait", instance_uuid: null });
    await judge.lab.agentMode("normal");
    await judge.until(node, "available");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
  });
});
