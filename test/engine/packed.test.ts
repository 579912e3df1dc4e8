import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pack } from "../../scripts/pack.ts";
import { type Consumer, makeConsumer } from "../system/consumer.ts";
import { type Judge, sharedJudge } from "./judge.ts";
import { Stack } from "./stack.ts";

/** The README's three resources in plain CommonJS, as a user's project has them. */
const program = (node: string, images: { kernel: string; ramdisk: string }) => `
const ironic = require("pulumi-ironic");
const config = new ironic.BaremetalNodeConfig("worker-1", {
  node: ${JSON.stringify(node)}, bootInterface: "ipxe", automatedCleaning: false,
});
const drive = new ironic.ConfigDrive("worker-1", {
  node: config.node,
  metaData: { hostname: "worker-1" },
  network: { interfaces: [{ addresses: ["192.0.2.10/24"], gateway: "192.0.2.1" }] },
  userData: "#cloud-config\\n",
});
new ironic.RamdiskDeployment("worker-1", {
  node: config.node,
  kernel: ${JSON.stringify(images.kernel)},
  ramdisk: ${JSON.stringify(images.ramdisk)},
  configDrive: drive.content,
});
`;

describe("the packed tarball (engine)", () => {
  let judge: Judge;
  let build: string;
  let consumer: Consumer;
  let stack: Stack;
  let node: string;
  let original: Record<string, unknown>;

  before(async () => {
    judge = await sharedJudge("plain");
    build = mkdtempSync(join(tmpdir(), "pulumi-ironic-pack-"));
    consumer = makeConsumer(pack(build).tarball);
    node = await judge.take();
    original = await judge.settings(node);
    consumer.write({ "index.js": program(node, judge.lab.images) });
    stack = await Stack.init({ folder: consumer.folder, main: "index.js", env: judge.lab.env });
  });
  after(() => {
    stack.remove();
    consumer.remove();
    rmSync(build, { recursive: true, force: true });
  });

  it("is in the state by reference, in at most 300 bytes for each resource", async () => {
    await stack.up();
    const resources = (await stack.stateResources()).filter(({ type }) => type.includes("dynamic/ironic:"));
    expect(resources).to.have.length(4);
    for (const { type, inputs, outputs } of resources) {
      for (const { __provider: text } of [inputs, outputs]) {
        const plain = typeof text === "string" ? text : "encrypted";
        expect(plain, type).to.match(/require\("pulumi-ironic\/shells\/[a-z-]+\.cjs"\)/);
        expect(Buffer.byteLength(plain), type).to.be.at.most(300);
      }
    }
    const [bytes, text] = [JSON.stringify(resources[3]), resources[3]?.inputs.__provider].map((each) => each.length);
    process.stdout.write(
      `      provider text ${text} bytes, state of a RamdiskDeployment with its drive ${bytes} bytes\n`,
    );
  });

  it("deploys, finds nothing to do, and gives the node back as it was", async () => {
    expect(await judge.node(node)).to.include({ provision_state: "active", deploy_interface: "ramdisk" });
    await stack.settled();
    await stack.refresh("--expect-no-changes");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(original);
  });
});
