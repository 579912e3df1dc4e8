// A Pulumi stack of its own for one test: project, backend and the real engine's command line, with a time limit on everything.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { engineEnv, ensureEngine } from "../../lab/engine.ts";
import type { Described } from "./programs/described.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const described = join(root, "test/engine/programs/described.ts");
const LIMIT_MS = 90_000;

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Both, for messages and searches. */
  output: string;
}

export interface Going {
  child: ChildProcess;
  done: Promise<Run>;
  /** Resolves when the output so far matches. */
  said(pattern: RegExp): Promise<void>;
}

export interface Settings {
  /** Default: the program that makes `resources`. A file of the repository, or of `folder`. */
  main?: string;
  project?: string;
  stack?: string;
  /** Folder of Pulumi.yaml; default one of its own. */
  folder?: string;
  /** Folder of backend and Pulumi's home; default one of its own. */
  state?: string;
  env?: Record<string, string>;
}

interface StateResource {
  urn: string;
  type: string;
  id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: properties are judged by tests, which know what they ask for
  inputs: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  outputs: any;
  initErrors?: string[];
  taint?: boolean;
}

const quick = ["--yes", "--skip-preview"];
/** Flags that each command takes without being asked. */
const flags: Readonly<Record<string, readonly string[]>> = {
  up: quick,
  destroy: quick,
  refresh: quick,
  preview: [],
};

export class Stack {
  readonly folder: string;
  readonly state: string;
  readonly name: string;
  readonly project: string;
  /** What the program makes, in its order. */
  resources: Described[] = [];
  /** Everything that the engine printed for this stack. */
  transcript = "";
  /** Environment of the engine. */
  readonly env: Record<string, string>;
  readonly #own: string[] = [];

  private constructor(settings: Settings) {
    this.name = settings.stack ?? "dev";
    this.project = settings.project ?? "engine-test";
    this.folder = settings.folder ?? this.#folder("project");
    this.state = settings.state ?? this.#folder("state");
    const env = { NO_COLOR: "1", ENGINE_TEST_PROGRAM: join(this.folder, "resources.json"), ...settings.env };
    this.env = engineEnv(this.state, env);
  }

  #folder(kind: string): string {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), `pulumi-ironic-${kind}-`)));
    this.#own.push(folder);
    return folder;
  }

  /** Makes the project and the stack, empty. */
  static async init(settings: Settings = {}): Promise<Stack> {
    await ensureEngine();
    const stack = new Stack(settings);
    const yaml = { name: stack.project, runtime: { name: "nodejs", options: { typescript: false } } };
    const main = settings.main ?? described;
    writeFileSync(join(stack.folder, "Pulumi.yaml"), JSON.stringify({ ...yaml, main }));
    await stack.ok("stack", "init", "--no-select", stack.name);
    return stack;
  }

  remove(): void {
    for (const folder of this.#own) rmSync(folder, { recursive: true, force: true });
  }

  /** Starts a command of the engine without waiting for its end. */
  start(command: string, ...args: string[]): Going {
    writeFileSync(join(this.folder, "resources.json"), JSON.stringify(this.resources));
    const common = ["--non-interactive", "--color", "never"];
    const target = command === "stack" && args[0] === "init" ? [] : ["--stack", this.name];
    const full = [command, ...args, ...(flags[command] ?? []), ...common, ...target];
    const child = spawn("pulumi", full, { cwd: this.folder, env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    const run: Run = { code: null, stdout: "", stderr: "", output: "" };
    const listeners = new Set<() => void>();
    const hear = (from: "stdout" | "stderr") => (chunk: Buffer) => {
      run[from] += chunk;
      run.output += chunk;
      this.transcript += chunk;
      for (const listener of listeners) listener();
    };
    child.stdout.on("data", hear("stdout"));
    child.stderr.on("data", hear("stderr"));
    const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    const done = new Promise<Run>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        clearTimeout(limit);
        run.code = code;
        resolve(run);
        for (const listener of listeners) listener();
      });
    });
    const said = (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (pattern.test(run.output)) resolve();
          else if (child.exitCode !== null || child.signalCode !== null)
            reject(new Error(`The engine ended without saying ${pattern}:\n${run.output}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      });
    return { child, done, said };
  }

  /** Runs a command that has to succeed. */
  async ok(command: string, ...args: string[]): Promise<string> {
    const { code, output } = await this.start(command, ...args).done;
    if (code !== 0) throw new Error(`pulumi ${command} ${args.join(" ")} ended with ${code}:\n${output}`);
    return output;
  }

  /** Runs a command that has to fail. */
  async fails(command: string, ...args: string[]): Promise<string> {
    const { code, output } = await this.start(command, ...args).done;
    if (code === null) throw new Error(`pulumi ${command} did not end in time:\n${output}`);
    if (code === 0) throw new Error(`pulumi ${command} ${args.join(" ")} was expected to fail:\n${output}`);
    return output;
  }

  up = (...args: string[]): Promise<string> => this.ok("up", ...args);
  refresh = (...args: string[]): Promise<string> => this.ok("refresh", ...args);
  destroy = (...args: string[]): Promise<string> => this.ok("destroy", ...args);
  preview = (...args: string[]): Promise<string> => this.ok("preview", ...args);
  /** A preview that must find nothing to do. */
  settled = (): Promise<string> => this.preview("--expect-no-changes");

  /** The state as text, secrets encrypted. */
  async export(): Promise<string> {
    const { code, stdout, output } = await this.start("stack", "export").done;
    if (code !== 0) throw new Error(`pulumi stack export ended with ${code}:\n${output}`);
    return stdout;
  }

  async stateResources(): Promise<StateResource[]> {
    return JSON.parse(await this.export()).deployment.resources ?? [];
  }

  /** One resource of the state by its kind and name. */
  async stateOf(kind: string, name: string): Promise<StateResource> {
    const found = await this.find(kind, name);
    if (!found) throw new Error(`The state has no ${kind} ${name}`);
    return found;
  }

  async find(kind: string, name: string): Promise<StateResource | undefined> {
    return (await this.stateResources()).find(({ urn }) => urn === this.urn(kind, name));
  }

  urn = (kind: string, name: string): string =>
    `urn:pulumi:${this.name}::${this.project}::pulumi-nodejs:dynamic/ironic:${kind}::${name}`;

  /** Provider processes of this stack's engine: they inherit its environment. Only where there is /proc. */
  providers(): number[] {
    const mark = `ENGINE_TEST_PROGRAM=${join(this.folder, "resources.json")}`;
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
          return command.includes("dynamic-provider") && readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark);
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  /** Sets values of the stack's configuration, others stay. */
  config(values: Record<string, unknown>): void {
    const path = join(this.folder, `Pulumi.${this.name}.yaml`);
    const settings = parse(readFileSync(path, "utf8"));
    writeFileSync(path, stringify({ ...settings, config: { ...settings.config, ...values } }));
  }

  write(name: string, text: string): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
