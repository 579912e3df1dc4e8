import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type IronicNode, type LabObserver, sharedObserver } from "./lab-observer.ts";
import { root, Stack } from "./pulumi-stack.ts";

const planted = "pl4nted-user-data-S3CRET";

describe("examples/environment.ts (engine)", () => {
  let judge: LabObserver;
  let stack: Stack;
  let names: string[];
  let original: Record<string, unknown>[];

  const machines = (extra: Record<string, unknown> = {}) => [
    { node: names[0], addresses: ["192.0.2.10/24"], gateway: "192.0.2.1", ...extra },
    { node: names[1] },
  ];
  const configure = (extra: Record<string, unknown> = {}) =>
    stack.config({
      "pulumi-ironic:kernel": judge.lab.images.kernel,
      "pulumi-ironic:ramdisk": judge.lab.images.ramdisk,
      "pulumi-ironic:kernelArguments": "console=ttyS0",
      "pulumi-ironic:bootInterface": "ipxe",
      "pulumi-ironic:sshKeys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1 lab"],
      "pulumi-ironic:machines": machines(extra),
    });
  const nodes = (): Promise<IronicNode[]> => Promise.all(names.map((name) => judge.node(name)));

  before(async () => {
    judge = await sharedObserver("plain");
    names = [await judge.take(), await judge.take()];
    original = await Promise.all(names.map((name) => judge.settings(name)));
    // The root's own project: its name, and with it the names of its configuration.
    const { name } = /^name: (?<name>\S+)/m.exec(readFileSync(join(root, "Pulumi.yaml"), "utf8"))?.groups ?? {};
    const main = join(root, "examples/environment.ts");
    stack = await Stack.init({ main, ...(name && { project: name }), env: judge.lab.env });
    configure();
    await stack.ok("config", "set", "--secret", "userData", `#cloud-config\n# ${planted}\n`);
  });
  after(() => stack.remove());

  it("boots the machines; state and Ironic agree", async () => {
    const output = await stack.up("--logtostderr", "-v=3");
    expect(output).to.contain("configDrive will be dropped by Ironic without an error");
    for (const [index, node] of (await nodes()).entries()) {
      const { outputs, id } = await stack.stateOf("RamdiskDeployment", names[index] ?? "");
      expect(node.provision_state).to.equal("active");
      expect(node.power_state).to.equal("power on");
      expect(node.deploy_interface).to.equal("ramdisk");
      expect(node.boot_interface).to.equal("ipxe");
      expect(node.automated_clean).to.equal(false);
      expect(node.instance_info).to.include({
        kernel: judge.lab.images.kernel,
        ramdisk: judge.lab.images.ramdisk,
        ramdisk_kernel_arguments: "console=ttyS0",
      });
      expect(node.instance_info.configdrive).to.equal("******");
      expect(outputs).to.include({
        nodeUuid: node.uuid,
        instanceUuid: node.instance_uuid,
        provisionState: "active",
        powerState: "power on",
        deployedAt: node.provision_updated_at,
      });
      expect(id).to.equal(node.instance_uuid);
      expect(await judge.deploys(names[index] ?? "")).to.equal(1);
    }
  });

  it("finds nothing to do afterwards, in preview, refresh and up", async () => {
    for (const name of names)
      await judge.untouched(name, async () => {
        await stack.settled();
        await stack.refresh("--expect-no-changes");
        await stack.up("--expect-no-changes");
      });
  });

  it("changes one machine and leaves the other alone", async () => {
    configure({ kernelArguments: "console=tty0" });
    await judge.untouched(names[1] ?? "", () => stack.up());
    const [changed] = await nodes();
    expect(changed.instance_info.ramdisk_kernel_arguments).to.equal("console=tty0");
  });

  it("gives the machines back as they were", async () => {
    await stack.destroy();
    expect(await Promise.all(names.map((name) => judge.settings(name)))).to.deep.equal(original);
    expect(await stack.stateResources()).to.deep.equal([]);
  });
});
