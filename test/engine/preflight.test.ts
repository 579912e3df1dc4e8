import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type LabObserver, sharedObserver } from "./lab-observer.ts";
import type { Described } from "./programs/described.ts";
import { Stack } from "./pulumi-stack.ts";
import { config, deployment, drive } from "./recipes.ts";

describe("preview (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  before(async () => {
    judge = await sharedObserver("plain");
  });
  beforeEach(async () => {
    stack = await Stack.init({ env: judge.lab.env });
  });
  afterEach(() => stack.remove());

  const requests = (): string[] =>
    readFileSync(join(judge.lab.dir, "logs", "ironic.log"), "utf8")
      .split("\n")
      .flatMap((line) => / - (GET \/v1\S*) - \d+/.exec(line)?.[1] ?? [])
      // The lab's agent looks for nodes that clean.
      .filter((request) => !request.includes("clean%20wait"));

  it("says what Ironic would refuse as errors, what it would drop as warnings, with one bulk read for all", async () => {
    const node = await judge.take();
    const { images } = judge.lab;
    const iso = { kernel: undefined, ramdisk: undefined, bootIso: images.iso };
    stack.resources = [
      config("good", node),
      deployment("good", judge.lab, { configDrive: { meta_data: {} }, kernel: `${images.url}/status/404/kernel` }),
      deployment("missing", judge.lab, { node: "no-such-node" }),
      deployment("unfit", judge.lab, { node: judge.lab.nodes.find(({ name }) => name !== node)?.name }),
    ];
    stack.config({ "ironic:preflight": "warn" });
    const before = requests().length;
    const output = await stack.preview();
    const made = requests().slice(before);
    const warned = (name: string, reason: string) =>
      expect(output).to.match(new RegExp(`\\(${name}\\):\\s+(warning: [^\\n]*\\n\\s+)*warning: Node \\S+: ${reason}`));
    warned("missing", "there is no such node in this Ironic");
    warned("unfit", "has the deploy interface direct");
    warned("unfit", "has the boot interface fake, which cannot boot a ramdisk");
    // Judged with the settings of the same program laid over it: `fake` on the node, `ipxe` in the program.
    expect(output).to.not.match(new RegExp(`Node ${node}: has the`));
    warned("good", "configDrive will be dropped by Ironic without an error");
    warned("good", "kernel answers 404 from here; the conductor may use another network");
    expect(made.filter((request) => /^GET .v1.(nodes|ports)/.test(request)).length, made.join("\n")).to.equal(2);
    stack.config({ "ironic:preflight": undefined });
    expect(await stack.fails("preview")).to.match(/\(missing\):\s+error: [^\n]*node: there is no such node/);

    stack.resources = [config("good", node), deployment("good", judge.lab, { ...iso, kernelArguments: "quiet" })];
    expect(await stack.preview()).to.match(/warning: Node \S+: kernelArguments have no effect with bootIso/);
    stack.config({ "ironic:preflight": "enforce" });
    expect(await stack.fails("preview")).to.match(/error: [^\n]*kernelArguments: have no effect with bootIso/);
    stack.config({ "ironic:preflight": "off" });
    expect(await stack.preview()).to.not.contain("bootIso:");
  });

  it("names the path of bad input, never the value of a secret", async () => {
    const node = await judge.take();
    // The engine ends at the first resource whose input is bad.
    const wrong = async (resource: Described, reason: string) => {
      stack.resources = [resource];
      const output = await stack.fails("preview", "--diff");
      expect(output).to.contain(`resource 'w' has a problem: ${reason}`);
      expect(output).to.not.contain("pl4nted");
    };
    const network = { interfaces: [{ addresses: ["192.0.2.10/24"], gateway: "198.51.100.1" }] };
    await wrong(
      drive("w", node, { network, userData: "pl4nted" }),
      "network.interfaces[0].gateway: 198.51.100.1 is outside",
    );
    await wrong(config("w", node, { driverInfo: { redfish_password: "pl4nted" } }), "driverInfo.redfish_password: ");
    await wrong(deployment("w", judge.lab, { node, configDrive: "pl4nted, not JSON" }), "configDrive: must be ");
  });

  it("goes on with one warning where Ironic cannot be reached", async () => {
    const node = judge.lab.nodes[0]?.name ?? "";
    const clouds = readFileSync(judge.lab.env.OS_CLIENT_CONFIG_FILE, "utf8");
    stack.write("clouds.yaml", clouds.replaceAll(judge.lab.url, "http://127.0.0.1:1"));
    stack.env.OS_CLIENT_CONFIG_FILE = join(stack.folder, "clouds.yaml");
    stack.resources = [
      config("a", node),
      deployment("a", judge.lab),
      deployment("b", judge.lab, { node: { ref: "config:a.node" } }),
    ];
    const output = await stack.preview();
    const diagnostics = output.slice(output.indexOf("Diagnostics:"));
    expect(diagnostics.match(/warning: The program could not be checked against Ironic/g)).to.have.length(1);
    expect(output).to.match(/\+ 5 to create/);
  });
});
