import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pack } from "../../scripts/pack.ts";
import { type Consumer, makeConsumer } from "../system/consumer.ts";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import { Stack } from "./pulumi-stack.ts";
import { deployByHand, undeployByHand } from "./recipes.ts";

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
  let judge: LabObserver;
  let build: string;
  let consumer: Consumer;
  let stack: Stack;
  let node: string;
  let original: Record<string, unknown>;

  before(async () => {
    judge = await sharedObserver("plain");
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

  it("brings a command that takes a running deployment over by `pulumi import -f`; destroy keeps that", async () => {
    const running = await judge.take();
    await deployByHand(judge, running);
    consumer.write({ "state.json": await stack.export() });
    const { kernel, ramdisk } = judge.lab.images;
    const words = ["import", "worker-2", "--node", running, "--instance", "unclaimed", "--state", "state.json"];
    const command = [join(consumer.folder, "node_modules/pulumi-ironic/cli.js"), ...words];
    const file = execFileSync(process.execPath, [...command, "--kernel", kernel, "--ramdisk", ramdisk], {
      cwd: consumer.folder,
      env: { ...process.env, ...judge.lab.env },
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
      timeout: 60_000,
    });
    consumer.write({
      "import.json": file,
      "index.js": `${program(node, judge.lab.images)}
        const args = { node: ${JSON.stringify(running)}, kernel: "${kernel}", ramdisk: "${ramdisk}" };
        new ironic.RamdiskDeployment("worker-2", args);`,
    });
    await judge.untouched(running, async () => {
      await stack.ok(
        "import",
        "--file",
        "import.json",
        "--yes",
        "--skip-preview",
        "--protect=false",
        "--generate-code=false",
      );
      await stack.up("--expect-no-changes");
      await stack.refresh("--expect-no-changes");
    });
    consumer.write({ "index.js": program(node, judge.lab.images) });
    await stack.up();
    const kept = await judge.node(running);
    expect(kept.provision_state).to.equal("active");
    expect(kept.extra).to.deep.equal({});
    expect(await judge.deploys(running)).to.equal(1);
    await undeployByHand(judge, running);
  });

  it("deploys, finds nothing to do, and gives the node back as it was", async () => {
    expect(await judge.node(node)).to.include({ provision_state: "active", deploy_interface: "ramdisk" });
    await stack.settled();
    await stack.refresh("--expect-no-changes");
    await stack.destroy();
    expect(await judge.settings(node)).to.deep.equal(original);
  });
});
