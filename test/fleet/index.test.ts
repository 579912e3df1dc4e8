import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { RamdiskFleet, type RamdiskFleetArgs } from "../../provider/fleet/index.ts";

interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

const BOOT = { kernel: "http://images/kernel", ramdisk: "http://images/ramdisk" };

describe("RamdiskFleet", () => {
  const registered: Registered[] = [];
  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: async ({ type, name, inputs }) => {
        // Whoever does not wait for a deployment is registered before it.
        if (type.endsWith("RamdiskDeployment"))
          for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
        registered.push({ type: type.replace(/^.*[:/]/, ""), name, inputs });
        const node = type.endsWith("NodeAllocation") ? { node: `found-${name}`, uuid: `uuid-${name}` } : {};
        const content = type.endsWith("ConfigDrive") ? { content: `drive-${name}` } : {};
        const nodeUuid = type.endsWith("RamdiskDeployment") ? { nodeUuid: `uuid-of-${inputs.node}` } : {};
        // Made once in a process, so the same as in other tests.
        const identity = type.endsWith("StackIdentity") ? { stackId: "made-once" } : {};
        return { id: `${name}-id`, state: { ...inputs, ...node, ...content, ...nodeUuid, ...identity } };
      },
      call: ({ inputs }) => inputs,
    });
  });

  /** The resources of a fleet, once all are registered. */
  const fleet = async (args: RamdiskFleetArgs): Promise<{ fleet: RamdiskFleet; nodes: Record<string, string> }> => {
    registered.length = 0;
    const made = new RamdiskFleet("crew", args);
    const nodes = await new Promise<Record<string, string>>((resolve) => void made.nodes.apply(resolve));
    return { fleet: made, nodes };
  };
  const of = (type: string): Registered[] => registered.filter((each) => each.type === type);
  const inputsOf = (type: string, name: string): Record<string, unknown> =>
    of(type).find((each) => each.name === name)?.inputs ?? expect.fail(`no ${type} ${name}`);
  /** Secrets as the program said them. */
  const plain = (value: unknown): unknown =>
    typeof value === "object" && value !== null && "value" in value ? value.value : value;

  it("makes settings and deployment of each machine, named by fleet and machine", async () => {
    const { fleet: made, nodes } = await fleet({ machines: ["n1", { name: "second", node: "n2" }], deployment: BOOT });
    expect(of("BaremetalNodeConfig").map(({ name }) => name)).to.have.members(["crew-n1", "crew-second"]);
    expect(of("RamdiskDeployment").map(({ name }) => name)).to.have.members(["crew-n1", "crew-second"]);
    expect(of("ConfigDrive")).to.deep.equal([]);
    expect(Object.keys(made.deployments)).to.deep.equal(["n1", "second"]);
    expect(nodes).to.deep.equal({ n1: "uuid-of-n1", second: "uuid-of-n2" });
    expect(inputsOf("RamdiskDeployment", "crew-second")).to.include({ node: "n2", ...BOOT });
  });

  it("leaves the node's settings alone where they are false, of the fleet or of one machine", async () => {
    await fleet({ machines: ["n1", { node: "n2", settings: {} }], settings: false, deployment: BOOT });
    expect(of("BaremetalNodeConfig").map(({ name }) => name)).to.deep.equal(["crew-n2"]);
    await fleet({ machines: ["n1", { node: "n2", settings: false }], deployment: BOOT });
    expect(of("BaremetalNodeConfig").map(({ name }) => name)).to.deep.equal(["crew-n1"]);
  });

  it("lays what a machine says over what the fleet says, property by property, and lists as a whole", async () => {
    await fleet({
      machines: [
        "n1",
        {
          node: "n2",
          settings: { driverInfo: { b: 2 } },
          drive: { metaData: { rack: "r2" }, network: { dns: ["192.0.2.2"] } },
          deployment: { kernelArguments: "debug" },
        },
      ],
      settings: { automatedCleaning: false, driverInfo: { a: 1 } },
      drive: { metaData: { site: "west" }, network: { dns: ["192.0.2.1"], searchDomains: ["example.org"] } },
      deployment: { ...BOOT, kernelArguments: "quiet" },
    });
    expect(inputsOf("BaremetalNodeConfig", "crew-n2")).to.deep.include({
      automatedCleaning: false,
      driverInfo: { a: 1, b: 2 },
    });
    expect(inputsOf("BaremetalNodeConfig", "crew-n1")).to.deep.include({ driverInfo: { a: 1 } });
    const drive = inputsOf("ConfigDrive", "crew-n2");
    expect(drive.metaData).to.deep.equal({ hostname: "n2", site: "west", rack: "r2" });
    expect(drive.network).to.deep.equal({ dns: ["192.0.2.2"], searchDomains: ["example.org"] });
    expect(inputsOf("ConfigDrive", "crew-n1").metaData).to.deep.equal({ hostname: "n1", site: "west" });
    expect(inputsOf("RamdiskDeployment", "crew-n2")).to.include({ ...BOOT, kernelArguments: "debug" });
    expect(inputsOf("RamdiskDeployment", "crew-n1")).to.include({ ...BOOT, kernelArguments: "quiet" });
  });

  it("names the host by the machine unless it has a name, and adds nothing to a ready drive", async () => {
    await fleet({
      machines: ["n1", { node: "n2", drive: { metaData: { hostname: "own" } } }],
      drive: { userData: "x" },
      deployment: BOOT,
    });
    expect(inputsOf("ConfigDrive", "crew-n1").metaData).to.deep.equal({ hostname: "n1" });
    expect(inputsOf("ConfigDrive", "crew-n2").metaData).to.deep.equal({ hostname: "own" });
    await fleet({ machines: ["n1"], drive: { url: "http://files/drive" }, deployment: BOOT });
    expect(inputsOf("ConfigDrive", "crew-n1")).to.include({ url: "http://files/drive" });
    expect(inputsOf("ConfigDrive", "crew-n1")).not.to.have.property("metaData");
  });

  it("sends the drive of each machine with its deployment", async () => {
    await fleet({ machines: ["n1"], drive: { userData: "x" }, deployment: BOOT });
    expect(plain(inputsOf("RamdiskDeployment", "crew-n1").configDrive)).to.equal("drive-crew-n1");
  });

  it("takes any node after those that are named, wherever it stands", async () => {
    const any = { resourceClass: "baremetal" };
    const { nodes } = await fleet({ machines: [{ name: "spare", any }, "n1"], deployment: BOOT });
    const names = registered.map(({ type, name }) => `${type} ${name}`);
    expect(names.indexOf("NodeAllocation crew-spare")).to.be.above(names.indexOf("RamdiskDeployment crew-n1"));
    expect(inputsOf("NodeAllocation", "crew-spare")).to.include(any);
    expect(inputsOf("RamdiskDeployment", "crew-spare")).to.include({
      node: "found-crew-spare",
      allocation: "uuid-crew-spare",
    });
    expect(nodes).to.deep.equal({ n1: "uuid-of-n1", spare: "uuid-of-found-crew-spare" });
  });

  const REFUSED: readonly [what: string, machines: RamdiskFleetArgs["machines"], index: number][] = [
    ["neither node nor any", ["n1", { name: "x" }], 1],
    ["both node and any", [{ name: "x", node: "n1", any: { resourceClass: "baremetal" } }], 0],
    ["any without a name", [{ any: { resourceClass: "baremetal" } }], 0],
    ["a node that is not known yet, without a name", [{ node: pulumi.output("n1") }], 0],
    ["two of one name", ["n1", { name: "n1", node: "n2" }], 1],
  ];
  for (const [what, machines, index] of REFUSED) {
    it(`refuses ${what}, by its place in the list, before a resource is made`, () => {
      registered.length = 0;
      expect(() => new RamdiskFleet("crew", { machines, deployment: BOOT }))
        .to.throw(pulumi.ResourceError)
        .with.property("message")
        .that.contains(`machines[${index}]`);
      expect(registered).to.deep.equal([]);
    });
  }
});
