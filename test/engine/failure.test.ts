import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

describe("a deployment that fails (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  let nodes: string[];
  let original: Record<string, unknown>[];
  const missing = () => `${judge.lab.images.url}/status/404/kernel`;
  const describeAll = (kernels: string[]) => {
    stack.resources = kernels.flatMap((kernel, index) => [
      config(`w${index}`, nodes[index] ?? ""),
      deployment(`w${index}`, judge.lab, { kernel }),
    ]);
  };

  before(async () => {
    judge = await sharedObserver("plain");
    nodes = [await judge.take(), await judge.take()];
    original = await Promise.all(nodes.map((node) => judge.settings(node)));
    stack = await Stack.init({ env: judge.lab.env });
  });
  after(() => stack.remove());

  it("stays in the state as failed, with Ironic's cause; preview only warns of an image that does not answer", async () => {
    describeAll([missing(), missing()]);
    expect(await stack.preview()).to.match(/warning: .*kernel answers 404 from here/);
    const output = await stack.fails("up", "--continue-on-error");
    for (const [index, name] of nodes.entries()) {
      const node = await judge.node(name);
      expect(node.provision_state).to.equal("deploy failed");
      expect(output).to.contain(`${name} (${node.uuid}) failed`);
      const { outputs, initErrors } = await stack.stateOf("RamdiskDeployment", `w${index}`);
      expect(outputs.provisionState).to.equal("deploy failed");
      expect(outputs.instanceUuid).to.equal(node.instance_uuid);
      expect(initErrors?.[0]).to.contain("Got HTTP code 404");
    }
  });

  it("is repaired by the next up; another is destroyed", async () => {
    describeAll([judge.lab.images.kernel]);
    await stack.up();
    const [repaired, destroyed] = await Promise.all(nodes.map((name) => judge.node(name)));
    expect(repaired.provision_state).to.equal("active");
    expect(repaired.instance_info.kernel).to.equal(judge.lab.images.kernel);
    expect(await judge.deploys(nodes[0] ?? "")).to.equal(2);
    expect(destroyed.instance_uuid).to.equal(null);
    expect(await judge.settings(nodes[1] ?? "")).to.deep.equal(original[1]);
    await stack.settled();
  });

  it("is kept as failed when an update fails, and repaired by the next up", async () => {
    describeAll([missing()]);
    await stack.fails("up");
    expect((await judge.node(nodes[0] ?? "")).provision_state).to.equal("deploy failed");
    expect((await stack.stateOf("RamdiskDeployment", "w0")).initErrors).to.have.length(1);
    describeAll([judge.lab.images.kernel]);
    await stack.up();
    const node = await judge.node(nodes[0] ?? "");
    expect(node.provision_state).to.equal("active");
    expect(node.instance_info.kernel).to.equal(judge.lab.images.kernel);
    expect((await stack.stateOf("RamdiskDeployment", "w0")).initErrors).to.equal(undefined);
  });

  it("gives everything back on destroy, from `deploy failed` too", async () => {
    describeAll([missing()]);
    await stack.fails("up");
    await stack.destroy();
    expect(await judge.settings(nodes[0] ?? "")).to.deep.equal(original[0]);
  });
});

describe("a deployment that Ironic refuses to begin (engine)", () => {
  it("is kept as failed, with the claim on an available node; destroy releases it by PATCH", async () => {
    const judge = await sharedObserver("plain");
    const node = await judge.take();
    const original = await judge.settings(node);
    const stack = await Stack.init({ env: judge.lab.env });
    // `fake` cannot boot a ramdisk; `off` lets the program through to Ironic's own validation.
    stack.config({ "ironic:preflight": "off" });
    stack.resources = [config("w", node, { bootInterface: "fake" }), deployment("w", judge.lab)];
    const output = await stack.fails("up");
    expect(output).to.match(/Ironic says that node .* cannot be deployed: /);
    expect((await judge.node(node)).provision_state).to.equal("available");
    expect((await judge.node(node)).instance_uuid).to.be.a("string");
    expect((await stack.stateOf("RamdiskDeployment", "w")).outputs.provisionState).to.equal("available");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(original);
    expect(judge.moves(node)).to.deep.equal([]);
    stack.remove();
  });
});
