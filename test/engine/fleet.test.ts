import { join } from "node:path";
import { expect } from "chai";
import { type LabObserver, resetAfterFailure, sharedObserver } from "./lab-observer.ts";
import { root, Stack } from "./pulumi-stack.ts";

const fleetProgram = join(root, "test/engine/programs/fleet.ts");

/** The outputs of the stack. */
const outputs = async (stack: Stack) => JSON.parse((await stack.start("stack", "output", "--json").done).stdout);

describe("RamdiskFleet (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  afterEach(() => stack.remove());
  resetAfterFailure("plain");

  const fleet = (machines: unknown[], more: object = {}): void =>
    stack.config({
      "engine-test:fleet": {
        machines,
        settings: { bootInterface: "ipxe", automatedCleaning: false },
        deployment: { kernel: judge.lab.images.kernel, ramdisk: judge.lab.images.ramdisk, kernelArguments: "common" },
        ...more,
      },
    });

  it("examples/fleet.ts: boots a node by name and any free one, and gives both back", async () => {
    const before = await Promise.all(judge.lab.nodes.map(({ name }) => judge.settings(name)));
    for (const { name } of judge.lab.nodes) await judge.powered(name);
    stack = await Stack.init({ main: join(root, "examples/fleet.ts"), env: judge.lab.env });
    stack.config({
      "engine-test:kernel": judge.lab.images.kernel,
      "engine-test:ramdisk": judge.lab.images.ramdisk,
    });
    await stack.up();
    const { nodes, ports } = await outputs(stack);
    expect(nodes).to.have.all.keys("node-0", "any");
    expect(nodes["node-0"]).to.equal(judge.uuid("node-0")).and.not.to.equal(nodes.any);
    for (const uuid of Object.values<string>(nodes))
      expect(await judge.lab.node(uuid)).to.include({ provision_state: "active", boot_interface: "ipxe" });
    expect(ports).to.have.length(1);
    expect(ports[0]).to.match(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    await stack.settled();
    await stack.refresh("--expect-no-changes");
    await stack.destroy();
    expect(await Promise.all(judge.lab.nodes.map(({ name }) => judge.settings(name)))).to.deep.equal(before);
  });

  it("adds, changes and removes one machine, and leaves the others alone", async () => {
    const [first, own, last] = [await judge.take(), await judge.take(), await judge.take()];
    const before = { own: await judge.settings(own), last: await judge.settings(last) };
    stack = await Stack.init({ main: fleetProgram, env: judge.lab.env });
    const machine = { name: "own", node: own, deployment: { kernelArguments: "own" } };
    fleet([first, machine], { drive: { metaData: { metadata: { rack: "one" } } } });
    await stack.up();
    expect((await outputs(stack)).nodes).to.deep.equal({ [first]: judge.uuid(first), own: judge.uuid(own) });
    const argumentsOf = async (name: string) => (await judge.node(name)).instance_info.ramdisk_kernel_arguments;
    expect([await argumentsOf(first), await argumentsOf(own)]).to.deep.equal(["common", "own"]);
    const drives = JSON.parse(await stack.ok("stack", "export", "--show-secrets")).deployment.resources.filter(
      ({ type }: { type: string }) => type.endsWith(":ConfigDrive"),
    );
    const hosts = drives.map((drive: { outputs: { content: string } }) => {
      const text = JSON.stringify(drive.outputs.content);
      return [/"hostname\\*": ?\\*"([^"\\]+)/.exec(text)?.[1], /rack/.test(text)];
    });
    expect(hosts).to.have.deep.members([
      [first, true],
      ["own", true],
    ]);

    await judge.untouched(first, async () => {
      // One that brings its own settings: the node is ready for a ramdisk.
      await judge.patch(
        last,
        { op: "replace", path: "/boot_interface", value: "ipxe" },
        { op: "replace", path: "/deploy_interface", value: "ramdisk" },
        { op: "replace", path: "/automated_clean", value: false },
      );
      const changed = { ...machine, deployment: { kernelArguments: "changed" } };
      fleet([first, changed, { name: "last", node: last, settings: false }], {
        drive: { metaData: { metadata: { rack: "one" } } },
      });
      await stack.up();
      expect(await argumentsOf(own)).to.equal("changed");
      expect(await judge.deploys(own)).to.equal(2);
      expect(await judge.node(last)).to.include({ provision_state: "active" });
      expect(await stack.find("BaremetalNodeConfig", "fleet-last")).to.equal(undefined);
      fleet([first], { drive: { metaData: { metadata: { rack: "one" } } } });
      await stack.up();
      expect(await judge.settings(own)).to.deep.equal(before.own);
      expect(await judge.node(last)).to.include({ provision_state: "available", boot_interface: "ipxe" });
      await judge.patch(
        last,
        { op: "replace", path: "/boot_interface", value: "fake" },
        { op: "replace", path: "/deploy_interface", value: "direct" },
        { op: "replace", path: "/automated_clean", value: null },
      );
      expect(await judge.settings(last)).to.deep.equal(before.last);
    });
    expect(await judge.deploys(first)).to.equal(1);
    await stack.destroy();
  });

  it("gives any free node but those that it names, and keeps it when those change", async () => {
    const [named, only, next] = [await judge.take(), await judge.take(), await judge.take()];
    for (const name of [named, only]) {
      await judge.patch(name, { op: "replace", path: "/resource_class", value: "pair" });
      await judge.powered(name);
    }
    stack = await Stack.init({ main: fleetProgram, env: judge.lab.env });
    // Asked for first, and named by a machine that comes later.
    const any = { name: "any", any: { resourceClass: "pair", candidateNodes: [named, only] } };
    fleet([any, { name: "named", node: named }]);
    await stack.up();
    expect((await outputs(stack)).nodes).to.deep.equal({ any: judge.uuid(only), named: judge.uuid(named) });
    fleet([any, { name: "named", node: next }]);
    await judge.untouched(only, () => stack.up());
    expect((await outputs(stack)).nodes).to.deep.equal({ any: judge.uuid(only), named: judge.uuid(next) });
    await stack.destroy();
    for (const name of [named, only])
      await judge.patch(name, { op: "replace", path: "/resource_class", value: "baremetal" });
  });

  it("refuses machines that it cannot name, before anything is touched", async () => {
    stack = await Stack.init({ main: fleetProgram, env: judge.lab.env });
    const any = { resourceClass: "baremetal" };
    for (const [machines, reason] of [
      [["a", { any }], "machines[1].name: is missing; set it if node is not a plain text [argument-missing]"],
      [[{ name: "a" }], "machines[0]: set node or any, and a name if node is not a plain text [argument-missing]"],
      [[{ name: "a", node: "a", any }], "machines[0].any: conflicts with node: set only one [argument-conflict]"],
      [
        ["a", { name: "a", node: "b" }],
        "machines[1]: another machine has the name a already; set name [argument-invalid]",
      ],
    ] as const) {
      fleet([...machines]);
      const output = await stack.fails("preview");
      expect(output, JSON.stringify(machines)).to.include(`error: ${reason}`);
      expect(output).not.to.match(/unhandled|^\s+at /m);
    }
  });
});

describe("look-ups (engine)", () => {
  // They tell of all nodes.
  before(async () => (await sharedObserver("plain")).lab.reset());
  resetAfterFailure("plain");

  it("tell what Ironic knows, by each filter, as promises and as outputs of an explicit provider", async () => {
    const judge = await sharedObserver("plain");
    const [free, busy] = [await judge.take(), await judge.take()];
    const all = judge.lab.nodes.map(({ name }) => name).sort();
    const trait = "CUSTOM_LOOKED_UP";
    await judge.send("PUT", `/v1/nodes/${judge.uuid(free)}/traits/${trait}`);
    await judge.patch(free, { op: "add", path: "/extra/rack", value: "r1" });
    await judge.powered(free);
    const stack = await Stack.init({ main: fleetProgram, env: judge.lab.env });
    stack.config({
      "engine-test:fleet": {
        machines: [busy],
        settings: { bootInterface: "ipxe", automatedCleaning: false },
        deployment: { kernel: judge.lab.images.kernel, ramdisk: judge.lab.images.ramdisk },
      },
    });
    await stack.up();
    const others = all.filter((name) => name !== busy);
    const cases: [object, string[]][] = [
      [{}, all],
      [{ resourceClass: "baremetal" }, all],
      [{ resourceClass: "none" }, []],
      [{ provisionState: "active" }, [busy]],
      [{ associated: true }, [busy]],
      [{ associated: false }, others],
      [{ maintenance: true }, []],
      [{ maintenance: false, driver: "fake-hardware" }, all],
      [{ driver: "ipmi" }, []],
      [{ traits: [trait] }, [free]],
      [{ traits: [trait, "CUSTOM_ANOTHER"] }, []],
      [{ capabilities: { boot_mode: "uefi" }, associated: true }, [busy]],
      [{ capabilities: { boot_mode: "bios" } }, []],
    ];
    const filters = cases.map(([filter]) => filter);
    const ask = (node: string) => stack.config({ "engine-test:lookups": { node, filters, endpoint: judge.lab.url } });
    ask(free);
    await stack.up();
    const { looked } = await outputs(stack);
    expect(looked.found).to.deep.equal(cases.map(([, names]) => names));
    const node = await judge.node(free);
    expect(looked.node).to.deep.equal({
      uuid: node.uuid,
      name: free,
      provisionState: "available",
      powerState: node.power_state,
      resourceClass: "baremetal",
      traits: [trait],
      maintenance: false,
      driver: "fake-hardware",
      bootInterface: "fake",
      deployInterface: "direct",
      properties: node.properties,
      extra: { rack: "r1" },
    });
    const { ports } = await judge.send("GET", `/v1/ports?node=${node.uuid}&fields=uuid,address,pxe_enabled`);
    expect(looked.ports).to.deep.equal(
      ports.map((port: { uuid: string; address: string; pxe_enabled: boolean }) => ({
        uuid: port.uuid,
        address: port.address,
        pxeEnabled: port.pxe_enabled,
      })),
    );
    expect(looked.outputs).to.deep.equal({ node: node.uuid, ports: ports.length, found: [busy] });

    ask("nobody");
    const refused = await stack.fails("preview");
    const missing =
      "\\(node nobody\\): Ironic answered 404 \\(req-\\S+\\): [^\\n]*check the name and `ironic:endpoint`\\. \\[node-not-found\\]";
    for (const tried of ["look up the node", "read the node's ports"])
      expect(refused).to.match(new RegExp(`error: Could not ${tried} ${missing}`));
    expect(refused).not.to.match(/unhandled|^\s+at /m);

    await judge.send("DELETE", `/v1/nodes/${judge.uuid(free)}/traits/${trait}`);
    await judge.patch(free, { op: "remove", path: "/extra/rack" });
    await stack.destroy();
    stack.remove();
  });
});
