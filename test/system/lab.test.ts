// The lab itself, with a real Ironic: what all other tests that need one rely on.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { type Lab, type LabOptions, openLab, startLab } from "../../lab/lab.ts";
import { type Child, isAlive } from "../../lab/processes.ts";
import { readRecord } from "../../lab/record.ts";

const execute = promisify(execFile);
const main = fileURLToPath(new URL("../../lab/main.ts", import.meta.url));

/** Deploys a ramdisk with openstacksdk, which shares no code with us. */
const deployWithSdk = `
import sys, openstack
node, kernel, ramdisk = sys.argv[1:]
baremetal = openstack.connect().baremetal
baremetal.update_node(node, deploy_interface="ramdisk", boot_interface="ipxe",
                      instance_info={"kernel": kernel, "ramdisk": ramdisk})
baremetal.set_node_provision_state(node, "active", wait=True, timeout=60)
print(baremetal.get_node(node).provision_state)
`;

async function untilState(lab: Lab, node: string, ...wanted: string[]): Promise<string[]> {
  const seen: string[] = [];
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
    const { body } = await lab.ironicApi("GET", `/v1/nodes/${node}/states`);
    if (seen.at(-1) !== body.provision_state) seen.push(body.provision_state);
    if (wanted.includes(body.provision_state)) return seen;
  }
  throw new Error(`${node} went ${seen.join(", ")}`);
}

async function deploy(lab: Lab, node: string): Promise<void> {
  const patch = [
    { op: "replace", path: "/deploy_interface", value: "ramdisk" },
    { op: "replace", path: "/boot_interface", value: "ipxe" },
    { op: "add", path: "/instance_info/kernel", value: lab.images.kernel },
    { op: "add", path: "/instance_info/ramdisk", value: lab.images.ramdisk },
  ];
  expect((await lab.ironicApi("PATCH", `/v1/nodes/${node}`, patch)).status).to.equal(200);
  await target(lab, node, "active");
}

async function target(lab: Lab, node: string, verb: string): Promise<void> {
  const { status, body } = await lab.ironicApi("PUT", `/v1/nodes/${node}/states/provision`, { target: verb });
  expect(status, JSON.stringify(body)).to.equal(202);
}

describe("lab", function () {
  this.timeout(900_000); // the first start on a machine installs Ironic
  let lab: Lab;
  let dir: string;
  const options = (): LabOptions => ({ dir, nodes: 2, owned: true });

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "lab-"));
    lab = await startLab(options());
  });
  after(async () => {
    await lab?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("has nodes as an operator enrols them", async () => {
    for (const { uuid, name, macs } of lab.nodes) {
      const node = await lab.node(name);
      expect(node).to.include({ uuid, provision_state: "available", automated_clean: null, instance_uuid: null });
      expect(node).to.include({ deploy_interface: "direct", boot_interface: "fake", resource_class: "baremetal" });
      const { body } = await lab.ironicApi("GET", `/v1/ports?node=${uuid}`);
      expect(body.ports.map((port: { address: string }) => port.address)).to.have.members(macs);
    }
  });

  it("tells its state as JSON", async () => {
    const { stdout } = await execute(process.execPath, [main, "status", "--json", "--dir", dir]);
    const status = JSON.parse(stdout);
    expect(status).to.include({ running: true, url: lab.url, agentMode: "normal" });
    expect(status.nodes.map((node: { name: string }) => node.name)).to.have.members(["node-0", "node-1"]);
    for (const child of status.processes) expect(existsSync(child.log), child.log).to.equal(true);
  });

  it("is found by a second start, and refuses one with other options", async () => {
    const again = await startLab(options());
    expect(again.processes).to.deep.equal(lab.processes);
    const refused = await startLab({ ...options(), nodes: 5 }).catch((error) => error);
    expect(refused.message).to.contain("nodes 2 instead of 5").and.contain("Stop it first");
  });

  it("deploys a ramdisk with openstacksdk and cleans for real at its end", async () => {
    const node = lab.nodes[0]?.uuid ?? "";
    const args = ["-c", deployWithSdk, node, lab.images.kernel, lab.images.ramdisk];
    const { stdout } = await execute(lab.python, args, { env: { ...process.env, ...lab.env } });
    expect(stdout.trim()).to.equal("active");
    expect(readdirSync(join(dir, "www", node))).to.include.members(["kernel", "ramdisk"]);
    await target(lab, node, "deleted");
    expect(await untilState(lab, node, "available", "clean failed"))
      .to.include("clean wait")
      .and.include("available");
  });

  it("has an agent that can be silent or fail", async () => {
    await lab.agentMode("silent");
    await deploy(lab, "node-1");
    await untilState(lab, "node-1", "active");
    await target(lab, "node-1", "deleted");
    await untilState(lab, "node-1", "clean wait");
    await lab.agentMode("failing");
    await untilState(lab, "node-1", "clean failed");
    expect((await lab.node("node-1")).last_error).to.contain("The lab agent was told to fail");
  });

  it("survives the death of its conductor, and a reset brings everything back", async () => {
    await lab.killConductor();
    const answer = await lab.ironicApi("GET", "/v1/nodes").catch((error) => error);
    expect(answer).to.be.instanceOf(Error);
    await lab.startConductor();
    expect((await lab.node("node-1")).provision_state).to.equal("clean failed");
    await lab.reset();
    expect(await lab.node("node-1")).to.include({ uuid: lab.nodes[1]?.uuid, provision_state: "available" });
    expect(await lab.agentMode()).to.equal("normal");
  });

  it("has images that can be missing", async () => {
    await lab.imageBehaviour("/kernel", "status/404");
    await deploy(lab, "node-0");
    await untilState(lab, "node-0", "deploy failed");
    await lab.imageBehaviour("/kernel", "");
    await target(lab, "node-0", "active");
    await untilState(lab, "node-0", "active");
    const direct = await fetch(`${lab.images.url}/status/503/iso`);
    expect(direct.status).to.equal(503);
  });

  it("ends exactly what it began", async () => {
    const children = lab.processes;
    expect(children.every(isAlive)).to.equal(true);
    expect(await lab.stop()).to.equal(children.length);
    expect(children.some(isAlive)).to.equal(false);
    expect(openLab(dir)).to.equal(undefined);
    expect(await lab.stop()).to.equal(0);
  });
});

describe("lab start", function () {
  this.timeout(900_000);
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lab-"));
  });
  afterEach(async () => {
    await openLab(dir)?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("shows why Ironic did not start, and leaves nothing running", async () => {
    const args = [main, "start", "--no-engine", "--dir", dir, "--set", "DEFAULT.enabled_hardware_types=nonsense"];
    const failed = await execute(process.execPath, args).catch((error) => error);
    expect(failed.code).to.equal(1);
    expect(failed.stderr).to.contain("Last lines of the log:").and.contain("nonsense");
    expect(openLab(dir)).to.equal(undefined);
  });

  /** A process that starts a lab of its own. */
  const startOwner = (more: object) => {
    const code = `import { startLab } from ${JSON.stringify(new URL("../../lab/lab.ts", import.meta.url).href)};
      await startLab({ dir: process.argv[1], nodes: 1, owned: true, ...${JSON.stringify(more)} });
      console.log("ready");
      setInterval(() => {}, 1000);`;
    return spawn(process.execPath, ["--input-type=module", "-e", code, dir], { stdio: ["ignore", "pipe", "inherit"] });
  };
  const gone = async (children: readonly Child[]) => {
    for (const end = Date.now() + 20_000; Date.now() < end && children.some(isAlive); ) await sleep(50);
    expect(children.filter(isAlive).map(({ name }) => name)).to.deep.equal([]);
  };

  it("ends an owned lab when its owner is killed", async () => {
    const owner = startOwner({});
    await new Promise((resolve) => owner.stdout.once("data", resolve));
    const children = openLab(dir)?.processes ?? [];
    expect(children.length).to.be.greaterThan(2);
    owner.kill("SIGKILL");
    await gone(children);
  });

  it("ends what an owner had begun that is killed in the middle of the start", async () => {
    const owner = startOwner({ tls: true, auth: "keystone" });
    const begun = () => readRecord(dir)?.children ?? [];
    for (const end = Date.now() + 120_000; Date.now() < end && begun().length < 3; ) await sleep(10);
    owner.kill("SIGKILL");
    const children = begun();
    expect(readRecord(dir)?.finished).to.equal(false);
    expect(children.length).to.be.greaterThan(2);
    await gone(children);
  });
});
