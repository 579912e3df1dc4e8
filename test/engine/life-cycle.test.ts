import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

describe("life cycle (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  it("updates kernel arguments in place: one rebuild, no cleaning, same instance", async () => {
    const node = await judge.take();
    const before = await judge.settings(node);
    stack.resources = [config("w", node), deployment("w", judge.lab, { kernelArguments: "one" })];
    await stack.up();
    const { instance_uuid } = await judge.node(node);
    stack.resources = [config("w", node), deployment("w", judge.lab, { kernelArguments: "two" })];
    await stack.up();
    const now = await judge.node(node);
    expect(now.instance_info.ramdisk_kernel_arguments).to.equal("two");
    expect(now.instance_uuid).to.equal(instance_uuid);
    expect(await judge.deploys(node)).to.equal(2);
    expect(judge.moves(node)).to.deep.equal(["deploying", "active", "deploying", "active"]);
    await stack.settled();
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(before);
  });
});
