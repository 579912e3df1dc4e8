// The main job in front of your eyes: the real engine deploys ramdisks on a real, local Ironic, changes one, and gives
// the machines back. Sets up what is missing; leaves nothing running. `npm run demo`
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { engineEnv, ensureEngine } from "../lab/engine.ts";
import { type Lab, startLab } from "../lab/lab.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const COMMAND_TIMEOUT_MS = 10 * 60_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const startedAt = Date.now();
const heading = (text: string): void =>
  say(`\n\x1b[1m=== ${text}  [${Math.round((Date.now() - startedAt) / 1000)} s]\x1b[0m`);

interface Machine {
  node: string;
  addresses: string[];
  gateway: string;
  dns: string[];
  kernelArguments?: string;
}

const machinesOf = (lab: Lab): Machine[] =>
  lab.nodes.map(({ name }, index) => ({
    node: name,
    addresses: [`192.0.2.${10 + index}/24`],
    gateway: "192.0.2.1",
    dns: ["192.0.2.53"],
  }));

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-ironic-demo-"));
  heading("Engine and Ironic: found, or made once and kept for the next time");
  const engine = await ensureEngine(say);
  say(`Pulumi ${engine.version}`);
  const lab = await startLab({ dir: join(folder, "lab"), nodes: 3, owned: true, log: say });
  const env = engineEnv(folder, { ...lab.env });
  const configFile = join(folder, "Pulumi.demo.yaml");

  const pulumi = (...args: string[]): void => {
    const options = { cwd: root, env, stdio: "inherit" as const, timeout: COMMAND_TIMEOUT_MS };
    const { status, error } = spawnSync(engine.pulumi, [...args, "--non-interactive", "--color", "always"], options);
    if (error || status !== 0) throw error ?? new Error(`pulumi ${args[0]} ended with ${status}`);
  };
  // `stack init` takes no --config-file and leaves a file of its own in the project.
  const initFile = join(root, "Pulumi.demo.yaml");
  const initFileIsOurs = !existsSync(initFile);
  const stack = (...args: string[]): void => pulumi(...args, "--stack", "demo", "--config-file", configFile);
  const configure = (machines: Machine[]): void =>
    writeFileSync(
      configFile,
      stringify({
        config: {
          "pulumi-ironic:machines": machines,
          "pulumi-ironic:kernel": lab.images.kernel,
          "pulumi-ironic:ramdisk": lab.images.ramdisk,
          "pulumi-ironic:bootInterface": "ipxe",
          "pulumi-ironic:kernelArguments": "console=ttyS0",
        },
      }),
    );
  const show = async (): Promise<void> => {
    for (const { name } of lab.nodes) {
      const node = await lab.node(name);
      const info = node.instance_info as Record<string, unknown>;
      const cleaning = node.automated_clean ?? "unset (Ironic's default: on)";
      say(
        `${name}: ${node.provision_state}, ${node.power_state}, boot ${node.boot_interface}, deploy ${node.deploy_interface}, ` +
          `cleaning ${cleaning}, arguments ${info.ramdisk_kernel_arguments ?? "none"}`,
      );
    }
  };

  try {
    const machines = machinesOf(lab);
    configure(machines);
    pulumi("stack", "init", "demo");
    heading("Before: what Ironic says");
    await show();
    heading("pulumi up: three machines, each with its config drive");
    stack("up", "--yes", "--skip-preview");
    heading("What Ironic says");
    await show();
    heading("One machine gets other kernel arguments: pulumi up");
    configure(
      machines.map((machine, index) =>
        index === 0 ? { ...machine, kernelArguments: "console=ttyS0 quiet" } : machine,
      ),
    );
    stack("up", "--yes", "--skip-preview");
    heading("What Ironic says");
    await show();
    heading("pulumi destroy");
    stack("destroy", "--yes", "--skip-preview");
    heading("After: what Ironic says");
    await show();
    for (const { name } of lab.nodes) {
      const node = await lab.node(name);
      if (node.provision_state !== "available" || node.automated_clean !== null)
        throw new Error(`${name} was not given back as it was`);
    }
    heading("Done: the machines are available again, as they were before");
  } finally {
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
    if (initFileIsOurs) rmSync(initFile, { force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
