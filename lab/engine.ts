// The Pulumi engine with its Node.js language host: found, downloaded or built, in that order.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached, cacheRoot } from "./cache.ts";
import { LabError, type Log } from "./problem.ts";
import { onPath, run } from "./processes.ts";

/** Built or downloaded when the machine has none. The newest whose Go modules can all be had. */
const engineVersion = "3.255.0";
/** The last version of the SDK's Go module that still holds the Node.js language host; the protocol between them is stable. */
const languageHostVersion = "3.68.0";
/** The peer range of package.json: hooks and dynamic providers behave as we need from here on. */
const oldestEngine: readonly number[] = [3, 216, 0];
const programs = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"] as const;

/** An engine ready to run. `bin` is the folder of the programs, `pulumi` the program itself. */
export interface Engine {
  bin: string;
  pulumi: string;
  version: string;
}

let found: Promise<Engine> | undefined;
let ready: Engine | undefined;

/**
 * Finds the engine, or makes one: PATH, Pulumi's own store of versions, our cache, the vendor's download, a build from Go
 * modules (some minutes, once per machine).
 */
export function ensureEngine(log: Log = () => {}): Promise<Engine> {
  found ??= findEngine(log).then(
    (engine) => {
      ready = engine;
      return engine;
    },
    (error: unknown) => {
      found = undefined;
      throw error;
    },
  );
  return found;
}

async function findEngine(log: Log): Promise<Engine> {
  const name = `engine-${engineVersion}-${process.platform}-${process.arch}`;
  for (const bin of [...foldersOnPath(), ...storedVersions(), join(cacheRoot(), name, "bin")]) {
    const engine = judge(bin);
    if (engine !== undefined) return engine;
  }
  const refusals: string[] = [];
  const folder = await cached(
    name,
    async (part) => {
      for (const [title, make] of [
        ["download", download],
        ["build", build],
      ] as const) {
        try {
          await make(part, log);
          return;
        } catch (error) {
          refusals.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
          log(`Engine by ${title} failed${title === "download" ? "; building it instead (some minutes, once)" : ""}`);
        }
      }
      throw new LabError(
        `No Pulumi engine of at least ${oldestEngine.join(".")} was found on PATH or in Pulumi's own store, and none could be made`,
        "Install Pulumi, or Go 1.25 or newer, and run it again",
        refusals.join("\n"),
      );
    },
    log,
  );
  const engine = judge(join(folder, "bin"));
  if (engine === undefined)
    throw new LabError(`The engine in ${folder} does not run`, "Remove that folder and run it again");
  log(`Engine ${engine.version} is ready in ${engine.bin}`);
  return engine;
}

function foldersOnPath(): string[] {
  const program = onPath("pulumi");
  return program === undefined ? [] : [dirname(program)];
}

/** Versions that Pulumi's tools keep, https://www.pulumi.com/docs/iac/packages-and-automation/automation-api/ ; newest first. */
function storedVersions(): string[] {
  const versions = join(process.env.PULUMI_HOME || join(homedir(), ".pulumi"), "versions");
  if (!existsSync(versions)) return [];
  return readdirSync(versions)
    .sort((a, b) => compareVersions(parseVersion(b), parseVersion(a)))
    .map((version) => join(versions, version, "bin"));
}

/** Whether the folder holds a whole, new enough engine whose programs really start. */
function judge(bin: string): Engine | undefined {
  if (programs.some((program) => !existsSync(join(bin, program)))) return undefined;
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const answer = spawnSync(join(bin, "pulumi"), ["version"], { env, encoding: "utf8", timeout: 30_000 });
  if (answer.status !== 0) return undefined;
  const version = answer.stdout.trim().replace(/^v/, "");
  if (compareVersions(parseVersion(version), oldestEngine) < 0) return undefined;
  // Without an engine's address the host prints its usage or a complaint and ends; what matters is that it starts at all.
  const host = spawnSync(join(bin, "pulumi-language-nodejs"), ["-help"], { encoding: "utf8", timeout: 30_000 });
  return host.error === undefined && host.status !== null ? { bin, pulumi: join(bin, "pulumi"), version } : undefined;
}

function parseVersion(text: string): number[] {
  return text
    .replace(/^v/, "")
    .split(/[.+-]/)
    .slice(0, 3)
    .map((part) => Number.parseInt(part, 10) || 0);
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  const at = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0));
  return at === undefined ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** npm's `pulumi` package does nothing but fetch the vendor's release into `$PULUMI_HOME/versions/<version>`. */
async function download(part: string, log: Log): Promise<void> {
  log(`Downloading the Pulumi engine ${engineVersion}`);
  const home = join(part, "home");
  const npmCache = join(part, "npm");
  const args = ["exec", "--yes", `--package=pulumi@${engineVersion}`, "--", "pulumi", "version"];
  const env = { ...process.env, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true", npm_config_cache: npmCache };
  try {
    await run("npm", args, { cwd: part, env, timeoutMs: 120_000, label: "Downloading the engine", log });
    cpSync(join(home, "versions", engineVersion, "bin"), join(part, "bin"), { recursive: true });
  } finally {
    for (const folder of [home, npmCache]) rmSync(folder, { recursive: true, force: true });
  }
}

interface GoBuild {
  /** Output in bin/. */
  program: string;
  /** Package to build. */
  target: string;
  /** Package that a throw-away main imports, so that the module graph is resolved. */
  anchor: string;
  requires: readonly string[];
  replaces: readonly string[];
  flags: string;
}

const pulumiModule = "github.com/pulumi/pulumi";
const goBuilds: readonly GoBuild[] = [
  {
    program: "pulumi",
    target: `${pulumiModule}/pkg/v3/cmd/pulumi`,
    anchor: `${pulumiModule}/pkg/v3/version`,
    requires: [`${pulumiModule}/pkg/v3 v${engineVersion}`, `${pulumiModule}/sdk/v3 v${engineVersion}`],
    // A replacement that the engine's own go.mod makes; `go install` of a module with replacements is refused by Go.
    replaces: ["github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e"],
    flags: `-s -w -X ${pulumiModule}/sdk/v3/go/common/version.Version=v${engineVersion}`,
  },
  {
    program: "pulumi-language-nodejs",
    target: `${pulumiModule}/sdk/v3/nodejs/cmd/pulumi-language-nodejs`,
    anchor: `${pulumiModule}/sdk/v3/go/common/version`,
    requires: [`${pulumiModule}/sdk/v3 v${languageHostVersion}`],
    replaces: [],
    flags: "-s -w",
  },
];

async function build(part: string, log: Log): Promise<void> {
  const go = onPath("go");
  if (go === undefined) throw new LabError("Go is not installed", "Install Go 1.25 or newer");
  const env = { ...process.env, GOFLAGS: "-mod=mod", GOWORK: "off" };
  mkdirSync(join(part, "bin"), { recursive: true });
  for (const item of goBuilds) {
    const label = `Building ${item.program} (Go)`;
    log(label);
    const folder = join(part, `src-${item.program}`);
    mkdirSync(folder);
    const lines = [
      "module lab",
      "go 1.25",
      ...item.requires.map((require) => `require ${require}`),
      ...item.replaces.map((replace) => `replace ${replace}`),
    ];
    writeFileSync(join(folder, "go.mod"), `${lines.join("\n")}\n`);
    writeFileSync(join(folder, "main.go"), `package main\n\nimport _ "${item.anchor}"\n\nfunc main() {}\n`);
    const output = join(part, "bin", item.program);
    const args = ["build", "-trimpath", "-ldflags", item.flags, "-o", output, item.target];
    await run(go, args, { cwd: folder, env, timeoutMs: 1_800_000, label, log });
    rmSync(folder, { recursive: true });
  }
  const command = ["mod", "download", "-json", `${pulumiModule}/sdk/v3@v${engineVersion}`];
  const module = JSON.parse(await run(go, command, { cwd: part, env })) as { Dir: string };
  const plugin = join(part, "bin", "pulumi-resource-pulumi-nodejs");
  copyFileSync(join(module.Dir, "nodejs", "dist", "pulumi-resource-pulumi-nodejs"), plugin);
  chmodSync(plugin, 0o755);
}

/**
 * Environment for an engine that keeps all it knows below `stateDir` and asks nobody outside: file backend, passphrase,
 * own home, no update check, no plug-in download; our engine and our Node first on PATH. After `ensureEngine`.
 */
export function engineEnv(stateDir: string, extra: Record<string, string> = {}): Record<string, string> {
  if (ready === undefined) throw new LabError("The engine is not known yet", "Await ensureEngine() first");
  const backend = join(stateDir, "backend");
  const home = join(stateDir, "home");
  for (const folder of [backend, home]) mkdirSync(folder, { recursive: true });
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(PULUMI_|OS_|IRONIC_)/.test(entry[0]),
  );
  const nodeBin = join(dirname(dirname(fileURLToPath(import.meta.url))), "node_modules", ".bin");
  return {
    ...Object.fromEntries(inherited),
    PATH: [ready.bin, nodeBin, process.env.PATH ?? ""].join(delimiter),
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: "lab",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    ...extra,
  };
}
