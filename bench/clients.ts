// Who is compared: each deploys the given nodes and says what went wrong.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorsIn } from "../chaos/messages.ts";
import { Stack } from "../chaos/pulumi-process.ts";
import { engineEnv } from "../lab/engine.ts";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/nodes.ts";

/** Everybody's, so that nobody looks faster for having given up. */
export const DEADLINE_MS = 600_000;

export interface Outcome {
  errors: string[];
  /** Peak memory of the process that talks to Ironic, MiB. */
  peakMib?: number;
}

/** Variables without what the user's own clouds would say. */
const plainEnv = (lab: Lab): Record<string, string | undefined> => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(OS_|IRONIC_|PYTHON)/.test(key))),
  ...lab.env,
});

function runProgram(
  command: string,
  args: readonly string[],
  lab: Lab,
  input = "",
): Promise<{ code: number | null; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: plainEnv(lab),
      stdio: ["pipe", "pipe", "pipe"],
      // Their own waits end first, and say of how many nodes.
      timeout: DEADLINE_MS + 30_000,
      killSignal: "SIGKILL",
    });
    let output = "";
    let errors = "";
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      errors += data.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output, errors }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** openstacksdk, `threads` nodes at a time. */
export async function sdk(
  lab: Lab,
  nodes: readonly LabNode[],
  threads: number,
  target: "active" | "deleted",
): Promise<Outcome> {
  const { kernel, ramdisk } = lab.images;
  const order = {
    nodes: nodes.map(({ uuid }) => uuid),
    threads,
    target,
    timeout: DEADLINE_MS / 1000,
    instance_info: { kernel, ramdisk, ramdisk_kernel_arguments: "console=ttyS0" },
  };
  const script = fileURLToPath(new URL("./sdk.py", import.meta.url));
  const { code, output, errors } = await runProgram(lab.python, [script], lab, JSON.stringify(order));
  return { errors: code === 0 ? (JSON.parse(output) as string[]) : [errors.slice(-500)] };
}

/** The command line client, one node. */
export async function prepareCli(lab: Lab, { uuid }: LabNode): Promise<void> {
  const { kernel, ramdisk } = lab.images;
  const info = [`kernel=${kernel}`, `ramdisk=${ramdisk}`].flatMap((pair) => ["--instance-info", pair]);
  const { code, errors } = await runProgram(lab.baremetal, ["node", "set", uuid, ...info], lab);
  if (code !== 0) throw new Error(`baremetal node set: ${errors}`);
}
export async function cli(lab: Lab, { uuid }: LabNode): Promise<Outcome> {
  const args = ["node", "deploy", uuid, "--wait", String(DEADLINE_MS / 1000)];
  const { code, errors } = await runProgram(lab.baremetal, args, lab);
  return { errors: code === 0 ? [] : [errors.slice(-500)] };
}

function peakOf(pid: number): number {
  try {
    const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const SAMPLE_MS = 200;

/** This project under the real engine; the stack stays until `gone`. */
export class Pulumi {
  readonly #stack: Stack;
  readonly #lab: Lab;

  /** A program's package is the one of the checkout that it lies in. */
  constructor(lab: Lab, pulumi: string, dir: string, name: string, root?: string) {
    this.#lab = lab;
    this.#stack = new Stack({
      dir: join(dir, root === undefined ? "project" : "project-beside"),
      project: "bench",
      program:
        root === undefined
          ? fileURLToPath(new URL("./program.ts", import.meta.url))
          : join(root, "bench", "program.ts"),
      name,
      env: engineEnv(join(dir, "state"), lab.env),
      pulumi,
      config: { "ironic:cloud": "lab" },
      deadlineMs: DEADLINE_MS,
    });
  }

  async deploy(nodes: readonly LabNode[], full = false): Promise<Outcome> {
    await this.#stack.init();
    const { kernel, ramdisk } = this.#lab.images;
    const variables = {
      BENCH_NODES: nodes.map(({ name }) => name).join(","),
      BENCH_FULL: full ? "yes" : "",
      BENCH_KERNEL: kernel,
      BENCH_RAMDISK: ramdisk,
    };
    return this.#measured(
      () => this.#stack.up(variables, "--parallel", String(Math.max(8, nodes.length))),
      nodes.length,
    );
  }

  undeploy(nodes: number): Promise<Outcome> {
    return this.#measured(
      () => this.#stack.run([...destroyArgs(this.#stack.name), "--parallel", String(nodes)]),
      nodes,
    );
  }

  forget(): void {
    this.#stack.forget();
  }

  async #measured(work: () => ReturnType<Stack["run"]>, nodes: number): Promise<Outcome> {
    let pid: number | undefined;
    let peakMib = 0;
    const timer = setInterval(() => {
      pid ??= this.#stack.running?.provider()?.pid;
      if (pid !== undefined) peakMib = Math.max(peakMib, peakOf(pid));
    }, SAMPLE_MS);
    try {
      const { code, output } = await work();
      const errors = errorsIn(output).map(({ resource, text }) => `${resource}: ${text}`);
      if (code !== 0 && errors.length === 0)
        errors.push(`ended with ${code} for ${nodes} nodes: ${output.slice(-500)}`);
      return { errors, peakMib };
    } finally {
      clearInterval(timer);
    }
  }
}

const destroyArgs = (stack: string): string[] => [
  "destroy",
  "--yes",
  "--skip-preview",
  "--non-interactive",
  "--stack",
  stack,
];
