// One Pulumi stack under the real engine: commands with a deadline, and a way to end parts of them.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bornAt } from "../lab/processes.ts";
import { descendants, endProcess, isProvider, type Process } from "./kin.ts";

export interface Outcome {
  command: string;
  /** Exit code; undefined when a signal ended it. */
  code: number | undefined;
  seconds: number;
  output: string;
  timedOut: boolean;
}

export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  outputs?: Record<string, unknown>;
  initErrors?: string[];
}

/** The engine while a command runs. */
export interface Running {
  readonly pid: number;
  family(): Process[];
  provider(): Process | undefined;
}

export interface StackOptions {
  dir: string;
  /** Name of the project, and the file with its program. */
  project: string;
  program: string;
  name: string;
  env: Record<string, string>;
  pulumi: string;
  config: Record<string, string>;
  /** When a command is ended. */
  deadlineMs?: number;
}

const DEADLINE_MS = 150_000;

export class Stack {
  readonly name: string;
  readonly #options: StackOptions;
  running: Running | undefined;

  constructor(options: StackOptions) {
    this.#options = options;
    this.name = options.name;
    mkdirSync(options.dir, { recursive: true });
    const runtime = "runtime:\n  name: nodejs\n  options:\n    typescript: false\n";
    writeFileSync(join(options.dir, "Pulumi.yaml"), `name: ${options.project}\n${runtime}main: ${options.program}\n`);
  }

  get env(): Record<string, string> {
    return this.#options.env;
  }
  get #backend(): string {
    return join(new URL(this.#options.env.PULUMI_BACKEND_URL ?? "").pathname, ".pulumi");
  }
  get #file(): string {
    return join(this.#options.dir, `Pulumi.${this.name}.yaml`);
  }

  async init(): Promise<Outcome> {
    const made = await this.run(["stack", "init", this.name]);
    const salt = existsSync(this.#file) ? readFileSync(this.#file, "utf8") : "";
    const lines = Object.entries(this.#options.config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
    writeFileSync(this.#file, `${salt}config:\n${lines.join("")}`);
    return made;
  }

  /** `variables` tell the program what to make. */
  up(variables: Record<string, string>, ...flags: string[]): Promise<Outcome> {
    const args = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", this.name, ...flags];
    return this.run(args, variables);
  }
  destroy(): Promise<Outcome> {
    return this.run(["destroy", "--yes", "--skip-preview", "--non-interactive", "--stack", this.name]);
  }
  refresh(): Promise<Outcome> {
    return this.run(["refresh", "--yes", "--skip-preview", "--non-interactive", "--stack", this.name]);
  }
  /** Gives up the lock that a killed engine left. */
  cancel(): Promise<Outcome> {
    return this.run(["cancel", "--yes", "--stack", this.name]);
  }
  /** Forgets creates that nobody knows the end of. */
  clearPending(): Promise<Outcome> {
    const args = ["refresh", "--yes", "--skip-preview", "--non-interactive", "--clear-pending-creates"];
    return this.run([...args, "--stack", this.name]);
  }

  /** Runs `pulumi` to its end; what is left of it after the deadline is ended by pid. */
  async run(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
    const { dir, pulumi, deadlineMs = DEADLINE_MS } = this.#options;
    const started = Date.now();
    const child = spawn(pulumi, args, {
      cwd: dir,
      env: { ...this.#options.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${pulumi} could not be started`);
    let output = "";
    const keep = (data: Buffer) => {
      output += data.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    this.running = {
      pid,
      family: () => descendants(pid),
      provider: () => descendants(pid).find(isProvider),
    };
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      const born = bornAt(pid);
      const all = [...descendants(pid), ...(born === undefined ? [] : [{ pid, born, command: pulumi }])];
      for (const process of all) endProcess(process);
    }, deadlineMs);
    // Orphans of a killed engine hold its pipes; its own end is what counts.
    const code = await new Promise<number | undefined>((resolve) => {
      child.on("exit", (exit) => resolve(exit ?? undefined));
    });
    clearTimeout(timer);
    await sleep(20);
    this.running = undefined;
    return { command: args[0] ?? "", code, seconds: (Date.now() - started) / 1000, output, timedOut };
  }

  /** What the engine wrote down, read without the engine. */
  state(): { resources: StateResource[]; pending: number } {
    const file = join(this.#backend, "stacks", this.#options.project, `${this.name}.json`);
    if (!existsSync(file)) return { resources: [], pending: 0 };
    const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
      checkpoint: { latest?: { resources?: StateResource[]; pending_operations?: unknown[] } };
    };
    return {
      resources: checkpoint.latest?.resources ?? [],
      pending: checkpoint.latest?.pending_operations?.length ?? 0,
    };
  }

  /** Removes what the stack left on disk. */
  forget(): void {
    const { project } = this.#options;
    for (const kind of ["stacks", "history", "backups", "locks/organization"])
      rmSync(join(this.#backend, kind, project, this.name), { recursive: true, force: true });
    for (const suffix of [".json", ".json.bak", ".json.attrs", ".json.bak.attrs"])
      rmSync(join(this.#backend, "stacks", project, `${this.name}${suffix}`), { force: true });
    rmSync(this.#file, { force: true });
  }
}
