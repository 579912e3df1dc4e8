import { expect } from "chai";
import { type IronicNode, type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment, drive } from "./recipes.ts";

describe("a deployment's options (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  it("`protected` is set once active, lifted for updates and destroy if we set it, and never if others did", async () => {
    const [ours, theirs] = [await judge.take(), await judge.take()];
    const before = [await judge.settings(ours), await judge.settings(theirs)];
    const describeAll = (kernelArguments: string) => {
      stack.resources = [
        config("ours", ours),
        config("theirs", theirs),
        deployment("ours", judge.lab, { kernelArguments, protected: true }),
        deployment("theirs", judge.lab, { kernelArguments }),
      ];
    };
    describeAll("one");
    await stack.up();
    expect((await judge.node(ours)).protected).to.equal(true);
    await judge.patch(theirs, { op: "replace", path: "/protected", value: true });
    describeAll("two");
    await judge.untouched(theirs, async () => {
      const output = await stack.fails("up", "--continue-on-error");
      expect(output).to.match(/RamdiskDeployment \(theirs\):\s+error: Node [^\n]* is protected by somebody else/);
      expect(await judge.node(ours)).to.include({ protected: true, provision_state: "active" });
      expect((await judge.node(ours)).instance_info.ramdisk_kernel_arguments).to.equal("two");
      const kept = await stack.fails("destroy", "--continue-on-error");
      expect(kept).to.match(/RamdiskDeployment \(theirs\):\s+error: Node [^\n]* is protected by somebody else/);
    });
    expect(await judge.settings(ours)).to.deep.equal(before[0]);
    expect(await judge.node(theirs)).to.include({ protected: true, provision_state: "active" });
    await judge.patch(theirs, { op: "replace", path: "/protected", value: false });
    await stack.destroy();
    expect(await judge.settings(theirs)).to.deep.equal(before[1]);
  });

  it("`readiness` decides whether it is ready, `powerPolicy` whether it is powered on again; neither deploys anew", async () => {
    const [probed, powered, finished] = [await judge.take(), await judge.take(), await judge.take()];
    const { hostname, port } = new URL(judge.lab.images.url);
    stack.resources = [
      config("probed", probed),
      config("powered", powered),
      config("finished", finished),
      deployment("probed", judge.lab, { readiness: { http: judge.lab.images.iso, timeoutSeconds: 3 } }),
      deployment("powered", judge.lab, { powerPolicy: "on", readiness: { tcp: `${hostname}:${port}` } }),
      deployment("finished", judge.lab),
    ];
    await judge.lab.imageBehaviour("/iso", "status/503");
    const output = await stack.fails("up", "--continue-on-error");
    expect(output).to.match(/is active, but \S+\/iso did not become ready within 3 s: HTTP 503/);
    expect((await stack.stateOf("RamdiskDeployment", "probed")).initErrors?.[0]).to.contain("HTTP 503");
    expect((await stack.stateOf("RamdiskDeployment", "powered")).initErrors).to.equal(undefined);
    for (const name of [powered, finished]) {
      await judge.send("PUT", `/v1/nodes/${name}/states/power`, { target: "power off" });
      while ((await judge.node(name)).power_state !== "power off");
    }
    expect(await stack.preview("--refresh", "--diff")).to.match(/powerState\s*: "power on" => "power off"/);
    await judge.lab.imageBehaviour("/iso", "");
    await judge.untouched(finished, () => judge.untouched(probed, () => stack.up("--refresh")));
    expect((await judge.node(powered)).power_state).to.equal("power on");
    expect((await judge.node(finished)).power_state).to.equal("power off");
    for (const name of [probed, powered, finished]) expect(await judge.deploys(name)).to.equal(1);
    await stack.settled();
    await stack.destroy();
  });

  it("stale keys of instance_info are removed at create; policies, time-outs and probes change nothing on the machine", async () => {
    const node = await judge.take();
    await judge.patch(
      node,
      { op: "add", path: "/instance_info/image_source", value: "http://127.0.0.1/disk.qcow2" },
      { op: "add", path: "/instance_info/kernel", value: "http://127.0.0.1/old" },
      { op: "add", path: "/instance_info/theirs", value: "kept" },
    );
    const iso = (args: Record<string, unknown>) => [
      config("w", node),
      deployment("w", judge.lab, { kernel: undefined, ramdisk: undefined, bootIso: judge.lab.images.iso, ...args }),
    ];
    stack.resources = iso({});
    await stack.up();
    const running = await judge.node(node);
    expect(running.provision_state).to.equal("active");
    expect(running.instance_info).to.include({ boot_iso: judge.lab.images.iso, theirs: "kept" });
    expect(running.instance_info).to.not.have.any.keys("image_source", "kernel", "ramdisk");
    stack.resources = iso({
      timeoutSeconds: 77,
      undeployTimeoutSeconds: 78,
      updateStrategy: "redeploy",
      powerPolicy: "on",
      readiness: { http: judge.lab.images.kernel },
    });
    await judge.untouched(node, async () => expect(await stack.up()).to.match(/1 updated/));
    await stack.destroy();
  });

  it("config drives go with the deployment in every form; a changed one is one rebuild, a rewritten one nothing", async () => {
    const nodes = [await judge.take(), await judge.take(), await judge.take()];
    const [text = "", object = "", iso = ""] = nodes;
    const jsonText = (order: string[]) =>
      `{${order.map((key) => `"${key}": ${key === "meta_data" ? '{"a": 1}' : '"#!/bin/sh"'}`).join(", ")}}`;
    const describeAll = (order: string[], hostname: string) => {
      stack.resources = [
        ...["text", "object", "iso"].map((name, index) => config(name, nodes[index] ?? "")),
        drive("iso", { ref: "config:iso.node" }, { format: "iso", metaData: { hostname } }),
        deployment("text", judge.lab, { configDrive: jsonText(order) }),
        deployment("object", judge.lab, { configDrive: { meta_data: { a: 1 } } }),
        deployment("iso", judge.lab, { configDrive: { ref: "drive:iso.content" } }),
      ];
    };
    describeAll(["meta_data", "user_data"], "one");
    await stack.up();
    for (const name of nodes) {
      const { instance_info, provision_state } = await judge.node(name);
      expect({ provision_state, drive: instance_info.configdrive }).to.deep.equal({
        provision_state: "active",
        drive: "******",
      });
    }
    describeAll(["user_data", "meta_data"], "two");
    await judge.untouched(text, () => judge.untouched(object, () => stack.up()));
    expect(await judge.deploys(iso)).to.equal(2);
    expect(judge.moves(iso)).to.deep.equal(["deploying", "active", "deploying", "active"]);
    await stack.settled();
    await stack.destroy();
  });
});

/** Makes the node the one of its class. */
async function onlyOne(judge: LabObserver, node: string): Promise<void> {
  await judge.patch(node, { op: "replace", path: "/resource_class", value: "only-one" });
  await judge.powered(node);
}

describe("NodeAllocation (engine)", () => {
  let judge: LabObserver;
  let node: string;
  let before: Record<string, unknown>;
  let stack: Stack;
  const allocations = async (): Promise<IronicNode[]> => (await judge.send("GET", "/v1/allocations")).allocations;
  beforeEach(async () => {
    judge = await sharedObserver("plain");
    node = await judge.take();
    before = await judge.settings(node);
    await onlyOne(judge, node);
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(async () => {
    await judge.patch(node, { op: "replace", path: "/resource_class", value: "baremetal" });
    stack.remove();
  });

  it("finds a node of a class for a deployment, and says why when there is none", async () => {
    const allocation = (resourceClass: string) => ({
      kind: "allocation" as const,
      name: "any",
      args: { resourceClass, timeoutSeconds: 20 },
    });
    stack.resources = [
      allocation("only-one"),
      {
        kind: "config",
        name: "w",
        args: { node: { ref: "allocation:any.node" }, bootInterface: "ipxe", automatedCleaning: false },
      },
      deployment("w", judge.lab, { allocation: { ref: "allocation:any.uuid" } }),
    ];
    await stack.up();
    const [made] = await allocations();
    expect(made).to.include({ state: "active", node_uuid: judge.uuid(node) });
    expect(await judge.node(node)).to.include({ provision_state: "active", instance_uuid: made.uuid });
    expect((await stack.stateOf("RamdiskDeployment", "w")).outputs.instanceUuid).to.equal(made.uuid);
    await stack.settled();
    await stack.destroy();
    expect(await allocations()).to.deep.equal([]);
    expect(await judge.settings(node)).to.deep.equal(before);
    stack.resources = [allocation("there-is-none")];
    expect(await stack.fails("up")).to.match(/No node of class there-is-none could be allocated: /);
    expect(await allocations()).to.deep.equal([]);
  });

  it("is given back with settings on which nothing was deployed, and lasts under a machine that is kept", async () => {
    const found = { ref: "allocation:any.node" };
    const settings = [
      { kind: "allocation" as const, name: "any", args: { resourceClass: "only-one", timeoutSeconds: 20 } },
      { kind: "config" as const, name: "w", args: { node: found, bootInterface: "ipxe", automatedCleaning: false } },
    ];
    stack.resources = settings;
    await stack.up();
    await stack.settled();
    await stack.destroy();
    expect(await allocations()).to.deep.equal([]);
    // Ironic leaves the traits that it had asked for.
    expect({ ...(await judge.settings(node)), instance_info: {} }).to.deep.equal(before);

    const kept = { allocation: { ref: "allocation:any.uuid" }, onDestroy: "keep" };
    stack.resources = [...settings, deployment("w", judge.lab, kept)];
    await stack.up();
    expect(await stack.destroy()).to.match(/stays deployed and keeps its allocation/);
    const [left] = await allocations();
    expect(await judge.node(node)).to.include({ provision_state: "active", instance_uuid: left.uuid });
    await judge.provision(node, "deleted");
    await judge.until(node, "available");
    expect(await allocations()).to.deep.equal([]);
    for (const [path, value] of Object.entries(before))
      if (path.endsWith("_interface")) await judge.patch(node, { op: "replace", path: `/${path}`, value });
  });
});
