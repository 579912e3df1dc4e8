// Ironics that are older than what the program asks for.
import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import type { Described } from "./programs/described.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment, drive } from "./recipes.ts";
import { olderIronic, type ReverseProxy } from "./reverse-proxy.ts";

const vendor = { "cloud-init": "#cloud-config\n" };
const network = { interfaces: [{ addresses: ["192.0.2.10/24"] }] };

describe("older Ironics (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  let front: ReverseProxy;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  afterEach(async () => {
    stack.remove();
    await front.close();
  });

  async function stackOn(maxMinor: number): Promise<void> {
    front = await olderIronic(judge.lab.url, maxMinor);
    stack = await Stack.init();
    stack.config({ "ironic:endpoint": front.url });
  }

  it("of API 1.46: a life without what they lack, with the drive as an ISO and image_source set", async () => {
    const node = await judge.take();
    await stackOn(46);
    const program = (kernelArguments: string) => [
      config("w", node, { automatedCleaning: undefined }),
      drive("w", { ref: "config:w.node" }, { metaData: { hostname: "w" }, network, vendorData: vendor }),
      deployment("w", judge.lab, { kernelArguments, configDrive: { ref: "drive:w.content" } }),
    ];
    stack.resources = program("one");
    await stack.preview();
    await stack.up();
    const { kernel, ramdisk } = judge.lab.images;
    expect((await judge.node(node)).instance_info).to.include({ kernel, ramdisk, image_source: ramdisk });
    const { outputs } = await stack.stateOf("ConfigDrive", "w");
    expect(outputs).to.include({ contentFormat: "iso" });
    expect(outputs.formatReason).to.match(/does not make drives from JSON \(API 1\.56\)/);
    await stack.settled();
    await stack.refresh("--expect-no-changes");
    stack.resources = program("two");
    await stack.up();
    expect((await judge.node(node)).instance_info).to.include({ ramdisk_kernel_arguments: "two" });
    await stack.destroy();
    expect(await judge.node(node)).to.include({
      provision_state: "available",
      boot_interface: "fake",
      instance_uuid: null,
    });
    const [asked] = front.requests;
    expect(asked).to.equal("GET /v1");
  });

  const refusals: { max: number; what: string; resource(node: string): Described; message: RegExp }[] = [
    {
      max: 46,
      what: "automatedCleaning",
      resource: (node) => config("w", node),
      message:
        /automatedCleaning: automated cleaning per node .*API 1\.47 is needed, \S+ offers 1\.1 to 1\.46\. .*erase only metadata/,
    },
    {
      max: 50,
      what: "description",
      resource: (node) => config("w", node, { description: "a machine" }),
      message: /description: the node's description .*API 1\.51 is needed, \S+ offers 1\.1 to 1\.50/,
    },
    {
      max: 47,
      what: "protected",
      resource: (node) => deployment("w", judge.lab, { node, protected: true }),
      message: /protected: protected nodes .*API 1\.48 is needed/,
    },
    {
      max: 51,
      what: "allocations",
      resource: () => ({ kind: "allocation", name: "w", args: { resourceClass: "baremetal" } }),
      message: /problem: allocations .*API 1\.52 is needed/,
    },
    {
      max: 55,
      what: "a drive as JSON",
      resource: (node) => drive("w", node, { format: "json", metaData: { hostname: "w" } }),
      message: /format: config drives as JSON: API 1\.56 is needed.* Use `format: "iso"`/,
    },
    {
      max: 55,
      what: "a deployment with a drive as JSON",
      resource: (node) => deployment("w", judge.lab, { node, configDrive: { meta_data: {} } }),
      message: /configDrive: config drives as JSON: API 1\.56 is needed/,
    },
    {
      max: 58,
      what: "vendor data in JSON",
      resource: (node) => drive("w", node, { format: "json", vendorData: vendor }),
      message: /vendorData: vendor data in config drives .*API 1\.59 is needed/,
    },
    {
      max: 45,
      what: "anything, below the floor",
      resource: (node) => deployment("w", judge.lab, { node }),
      message: /offers API 1\.1 to 1\.45; ramdisk deployments need at least 1\.46\. Use Ironic 11\.1 or newer/,
    },
  ];

  for (const { max, what, resource, message } of refusals)
    it(`of API 1.${max}: refuse ${what} by name, at preview and at create, with nothing written`, async () => {
      const node = await judge.take();
      await stackOn(max);
      stack.resources = [resource(node)];
      expect(await stack.fails("preview")).to.match(message);
      stack.config({ "ironic:preflight": "warn" });
      expect(await stack.preview()).to.match(/warning: /);
      await judge.untouched(node, async () => {
        const said = await stack.fails("up");
        expect(said).to.match(/error: .*1\.\d+/);
      });
      expect(front.requests.filter((request) => !request.startsWith("GET"))).to.deep.equal([]);
    });
});
