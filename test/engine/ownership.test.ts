import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type LabObserver, type Patch, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment } from "./recipes.ts";

describe("whose machine is it (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  const theirs = { version: 1, stackId: "somebody-else", resourceId: "ironic:Theirs::theirs", resourceName: "theirs" };
  const foreignMarker = { ...theirs, previous: {}, written: {} };
  const foreignDeployment = {
    ...theirs,
    kind: "deployment",
    instanceUuid: randomUUID(),
    preparedAt: "2020-01-01T00:00:00+00:00",
  };
  const signs: { title: string; lay: Patch; lift: Patch }[] = [
    {
      title: "an instance_uuid",
      lay: { op: "add", path: "/instance_uuid", value: randomUUID() },
      lift: { op: "remove", path: "/instance_uuid" },
    },
    {
      title: "a marker of another stack's BaremetalNodeConfig",
      lay: { op: "add", path: "/extra/pulumi_ironic", value: foreignMarker },
      lift: { op: "remove", path: "/extra/pulumi_ironic" },
    },
    {
      title: "a marker of another stack's deployment",
      lay: { op: "add", path: "/extra/pulumi_ironic_deployment", value: foreignDeployment },
      lift: { op: "remove", path: "/extra/pulumi_ironic_deployment" },
    },
  ];
  it("refuses a node that carries the signs of others, in preview and at create, by every resource, before a byte is written", async () => {
    const held: { name: string; node: string }[] = [];
    for (const [index, { lay }] of signs.entries()) {
      const node = await judge.take();
      await judge.patch(node, lay);
      held.push({ name: `w${index}`, node });
    }
    const allUntouched = (work: () => Promise<unknown>) =>
      held.reduce<() => Promise<unknown>>(
        (inner, { node }) =>
          () =>
            judge.untouched(node, inner),
        work,
      )();
    // Both kinds name the node themselves, so that each has to refuse for itself.
    const settings = held.map(({ name, node }) => config(name, node, { deployInterface: "ramdisk" }));
    const deployments = held.map(({ name, node }) => deployment(name, judge.lab, { node }));
    await allUntouched(async () => {
      stack.resources = [...settings, ...deployments];
      expect(await stack.fails("preview")).to.match(
        /problem: node: is held by (instance|[^\n]* of stack somebody-else)/,
      );
      stack.config({ "ironic:preflight": "off" });
      const together = await stack.fails("up", "--continue-on-error");
      stack.resources = deployments;
      const alone = await stack.fails("up", "--continue-on-error");
      for (const [index, { name }] of held.entries()) {
        const who = signs[index]?.title.startsWith("an instance") ? "instance \\S+" : "[^\\n]* of stack somebody-else";
        const refused = (kind: string) =>
          new RegExp(`${kind} \\(${name}\\):\\s+error: Node \\S+ \\(\\S+\\) is held by ${who}; nothing was written`);
        expect(together).to.match(refused("BaremetalNodeConfig"));
        expect(together).to.match(new RegExp(`RamdiskDeployment \\(${name}\\):\\s+error: `));
        expect(alone).to.match(refused("RamdiskDeployment"));
      }
    });
    expect((await stack.stateResources()).map(({ urn }) => urn).join()).to.not.contain("::w");
    for (const [index, { node }] of held.entries()) await judge.patch(node, signs[index]?.lift as Patch);
  });

  it("refuses at update and at destroy when somebody has taken the node since; a deployment that is gone is forgotten", async () => {
    const node = await judge.take();
    const original = await judge.settings(node);
    const describeAll = (args: Record<string, unknown>) => {
      stack.resources = [config("w", node, { description: args.kernelArguments }), deployment("w", judge.lab, args)];
    };
    describeAll({ kernelArguments: "one" });
    await stack.up();
    const { instance_uuid, extra } = await judge.node(node);
    const theirs = randomUUID();
    await judge.patch(node, { op: "remove", path: "/instance_uuid" });
    await judge.patch(node, { op: "add", path: "/instance_uuid", value: theirs });
    await judge.patch(node, { op: "add", path: "/extra/pulumi_ironic_deployment", value: foreignDeployment });
    await judge.untouched(node, async () => {
      stack.config({ "ironic:preflight": "off" });
      describeAll({ kernelArguments: "two" });
      const output = await stack.fails("up", "--continue-on-error");
      expect(output).to.match(/BaremetalNodeConfig \(w\):\s+error: Node [^\n]* is held by [^\n]*somebody-else/);
      // The deployment waits for its node's settings, which failed; by itself it refuses as well.
      expect(await stack.fails("up", "--target", stack.urn("RamdiskDeployment", "w"))).to.match(
        /RamdiskDeployment \(w\):\s+error: Node [^\n]* is held by [^\n]*somebody-else/,
      );
      expect(await stack.preview("--refresh", "--diff")).to.match(/drift\s*: "held by [^\n]*somebody-else/);
      const gone = await stack.fails("destroy", "--continue-on-error");
      // At the resource, or at the stack where it is the first call of its process.
      expect(gone).to.match(/warning: [^\n]*What this stack had there is gone[^\n]* \[claim-gone\]/);
      expect(gone).to.match(/BaremetalNodeConfig \(w\):\s+error: Node [^\n]* is held by [^\n]*somebody-else/);
      expect(await stack.find("RamdiskDeployment", "w")).to.equal(undefined);
    });
    expect((await judge.node(node)).provision_state).to.equal("active");
    // The other one leaves: what is still in the state can be given back.
    await judge.patch(
      node,
      { op: "replace", path: "/automated_clean", value: false },
      { op: "remove", path: "/extra/pulumi_ironic_deployment" },
    );
    await judge.provision(node, "deleted");
    await judge.until(node, "available");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(original);
    expect(extra.pulumi_ironic_deployment.instanceUuid).to.equal(instance_uuid);
  });

  it("refuses a clone of the project with the same stack name on another backend", async () => {
    const node = await judge.take();
    const original = await judge.settings(node);
    stack.resources = [config("w", node), deployment("w", judge.lab)];
    await stack.up();
    const clone = await Stack.init({ env: judge.lab.env });
    clone.config({ "ironic:preflight": "off" });
    expect([clone.name, clone.project]).to.deep.equal([stack.name, stack.project]);
    await judge.untouched(node, async () => {
      clone.resources = stack.resources;
      expect(await clone.fails("up")).to.match(/BaremetalNodeConfig \(w\):\s+error: Node [^\n]* is held by /);
      clone.resources = [deployment("w", judge.lab, { node })];
      expect(await clone.fails("up")).to.match(/RamdiskDeployment \(w\):\s+error: Node [^\n]* is held by /);
      await clone.destroy();
    });
    clone.remove();
    expect((await judge.node(node)).provision_state).to.equal("active");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(original);
  });

  it("keeps the stack's identity in the state before any node is touched; `ironic:stackId` sets it, and a later change does not orphan", async () => {
    const node = await judge.take();
    stack.config({ "ironic:stackId": "the-night-shift" });
    stack.resources = [config("w", node)];
    await stack.up();
    const order = (await stack.stateResources()).map(({ type }) => type.split(":").at(-1));
    expect(order.indexOf("StackIdentity")).to.be.greaterThan(-1).and.lessThan(order.indexOf("BaremetalNodeConfig"));
    expect((await judge.node(node)).extra.pulumi_ironic.stackId).to.equal("the-night-shift");
    stack.config({ "ironic:stackId": "the-day-shift" });
    stack.resources = [config("w", node, { description: "x" })];
    await stack.up();
    expect((await judge.node(node)).extra.pulumi_ironic.stackId).to.equal("the-night-shift");
    await stack.destroy();
    expect((await judge.node(node)).extra).to.deep.equal({});
  });

  it("goes on with a node that was renamed in Ironic, and replaces nothing when the program spells it as its UUID", async () => {
    const node = await judge.take();
    const describeAll = (name: string, kernelArguments: string) => {
      stack.resources = [
        config("w", name),
        { kind: "drive", name: "w", args: { node: name, metaData: { hostname: "w" } } },
        deployment("w", judge.lab, { kernelArguments, configDrive: { ref: "drive:w.content" } }),
      ];
    };
    describeAll(node, "one");
    await stack.up();
    const { instance_uuid } = await judge.node(node);
    await judge.baremetal("node", "set", judge.uuid(node), "--name", `renamed-${node}`);
    await stack.settled();
    await stack.refresh();
    await stack.settled();
    describeAll(node, "two");
    await stack.up();
    expect((await judge.node(node)).instance_info.ramdisk_kernel_arguments).to.equal("two");
    await judge.untouched(node, async () => {
      describeAll(judge.uuid(node), "two");
      const output = await stack.up();
      expect(output).to.not.contain("replac");
      describeAll(`renamed-${node}`, "two");
      expect(await stack.up()).to.not.contain("replac");
    });
    expect((await judge.node(node)).instance_uuid).to.equal(instance_uuid);
    await stack.destroy();
    expect((await judge.node(node)).provision_state).to.equal("available");
    expect((await judge.node(node)).extra).to.deep.equal({});
    await judge.baremetal("node", "set", judge.uuid(node), "--name", node);
  });

  it("refuses maintenance that others set at create and update, never clears it, and destroys in spite of it", async () => {
    const node = await judge.take();
    const maintain = (on: boolean) =>
      judge.send(on ? "PUT" : "DELETE", `/v1/nodes/${node}/maintenance`, on ? { reason: "fan is broken" } : undefined);
    stack.config({ "ironic:preflight": "off" });
    stack.resources = [config("w", node), deployment("w", judge.lab, { node, kernelArguments: "one" })];
    await maintain(true);
    await judge.untouched(node, async () => {
      const output = await stack.fails("up", "--continue-on-error");
      expect(output).to.match(/BaremetalNodeConfig \(w\):\s+error: Node [^\n]* is in maintenance \("fan is broken"\)/);
      stack.resources = [deployment("w", judge.lab, { node })];
      expect(await stack.fails("up")).to.match(/RamdiskDeployment \(w\):\s+error: Node [^\n]* is in maintenance/);
    });
    await maintain(false);
    stack.resources = [config("w", node), deployment("w", judge.lab, { kernelArguments: "one" })];
    await stack.up();
    await maintain(true);
    await judge.untouched(node, async () => {
      stack.resources = [config("w", node), deployment("w", judge.lab, { kernelArguments: "two" })];
      expect(await stack.fails("up")).to.match(/RamdiskDeployment \(w\):\s+error: Node [^\n]* is in maintenance/);
      stack.resources = [config("w", node), deployment("w", judge.lab, { kernelArguments: "one" })];
      expect(await stack.preview("--refresh", "--diff")).to.match(/drift\s*: "in maintenance \[node-in-maintenance\]"/);
    });
    await stack.destroy();
    const after = await judge.node(node);
    expect(after).to.include({ provision_state: "available", maintenance: true, maintenance_reason: "fan is broken" });
    expect(after).to.include({ boot_interface: "fake", deploy_interface: "direct", automated_clean: null });
    await maintain(false);
  });

  it("takes only Ironic's own 404 for a node that is gone", async () => {
    const name = `short-lived-${randomUUID().slice(0, 8)}`;
    await judge.send("POST", "/v1/nodes", { name, driver: "fake-hardware", automated_clean: false });
    const { uuid } = await judge.send("GET", `/v1/nodes/${name}`);
    stack.resources = [config("w", name, { bootInterface: "fake" })];
    await stack.up();
    // Another address for the same cloud: something that answers 404 to everything.
    const clouds = readFileSync(judge.lab.env.OS_CLIENT_CONFIG_FILE, "utf8");
    stack.write("clouds.yaml", clouds.replaceAll(judge.lab.url, `${judge.lab.images.url}/baremetal`));
    stack.env.OS_CLIENT_CONFIG_FILE = join(stack.folder, "clouds.yaml");
    expect(await stack.fails("refresh")).to.contain("No Ironic answers");
    expect(await stack.find("BaremetalNodeConfig", "w")).to.not.equal(undefined);
    Object.assign(stack.env, judge.lab.env);
    await judge.send("DELETE", `/v1/nodes/${uuid}`);
    await stack.refresh();
    expect(await stack.find("BaremetalNodeConfig", "w")).to.equal(undefined);
  });

  it("waits for a lock that passes", async () => {
    const node = await judge.take();
    stack.resources = [config("w", node), deployment("w", judge.lab)];
    await judge.lock(node, "another-conductor");
    const { done, said } = stack.start("up");
    await said(/trying again/);
    await judge.lock(node, null);
    expect((await done).code).to.equal(0);
    expect(await judge.deploys(node)).to.equal(1);
    await stack.destroy();
  });
});
