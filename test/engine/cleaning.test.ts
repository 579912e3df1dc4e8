import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

describe("cleaning (engine)", () => {
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

  it("that is kept on really runs, and destroy waits for it", async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    stack.resources = [config("w", node, { automatedCleaning: undefined }), deployment("w", judge.lab)];
    await stack.up();
    await stack.destroy();
    expect(judge.moves(node)).to.include.members(["clean wait", "available"]);
    expect(judge.moves(node).at(-1)).to.equal("available");
    expect(await judge.settings(node)).to.deep.equal(before);
  });

  it("that failed is brought back and repeated by destroy, once; the maintenance it had set is ended", async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    stack.resources = [config("w", node, { automatedCleaning: true }), deployment("w", judge.lab)];
    await stack.up();
    await judge.lab.agentMode("failing");
    const said = await stack.fails("destroy");
    expect(said).to.match(/Cleaning of node [^\n]* failed again/);
    expect((await judge.node(node)).provision_state).to.equal("clean failed");
    await judge.lab.agentMode("normal");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
  });

  it("that failed in a redeploy is repeated by the next up, which then deploys", async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    const program = (kernelArguments: string) => [
      config("w", node, { automatedCleaning: true }),
      deployment("w", judge.lab, { updateStrategy: "redeploy", kernelArguments }),
    ];
    stack.resources = program("a=1");
    await stack.up();
    await judge.lab.agentMode("failing");
    stack.resources = program("a=2");
    expect(await stack.fails("up")).to.match(/Cleaning of node [^\n]* failed again/);
    expect(await judge.node(node)).to.include({ provision_state: "clean failed", maintenance: true });
    await judge.lab.agentMode("normal");
    await stack.up();
    const { instance_info, maintenance } = await judge.node(node);
    expect(maintenance).to.equal(false);
    expect(instance_info).to.include({ ramdisk_kernel_arguments: "a=2" });
    expect(judge.moves(node).at(-1)).to.equal("active");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
  });

  it("ends manageable on a retired node", async () => {
    const node = await judge.take();
    stack.resources = [config("w", node, { automatedCleaning: true }), deployment("w", judge.lab)];
    await stack.up();
    await judge.patch(node, { op: "add", path: "/retired", value: true });
    await stack.destroy();
    const now = await judge.node(node);
    expect(now).to.include({
      provision_state: "manageable",
      instance_uuid: null,
      boot_interface: "fake",
      automated_clean: null,
    });
    await judge.patch(
      node,
      { op: "replace", path: "/retired", value: false },
      { op: "replace", path: "/automated_clean", value: false },
    );
    await judge.provision(node, "provide");
    await judge.until(node, "available");
    await judge.patch(node, { op: "replace", path: "/automated_clean", value: null });
  });
});
