// npm run bench:iso: time and peak memory of the image library beside xorriso and genisoimage, each in a process of its own.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isoTools } from "../matrix/tools.ts";
import { buildIso } from "../provider/drive/iso/image.ts";

const SIZES: readonly (readonly [name: string, bytes: number])[] = [
  ["10 kB", 10_000],
  ["1 MB", 1_000_000],
  ["30 MB", 30_000_000],
];
const RUNS = 5;
const FILES = ["openstack/latest", "openstack/2012-08-10"];
const self = fileURLToPath(import.meta.url);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Peak memory of this process in MiB, as the kernel counts it. */
const peakMib = (): number => process.resourceUsage().maxRSS / 1024;

/** In a process of its own, so that its peak memory is its own: builds an image of one file's content, used twice. */
function ours(folder: string): void {
  const userData = readFileSync(join(folder, "tree", FILES[0] ?? "", "user_data"));
  const metaData = Buffer.from("{}");
  const before = peakMib();
  const started = performance.now();
  const files = FILES.flatMap((path) => [
    { path: `${path}/user_data`, data: userData },
    { path: `${path}/meta_data.json`, data: metaData },
  ]);
  const image = buildIso(files, { label: "config-2" });
  const ms = performance.now() - started;
  const peak = peakMib();
  writeFileSync(join(folder, "ours.iso"), image);
  say(JSON.stringify({ ms, mib: peak, more: peak - before }));
}

interface Measure {
  ms: number;
  mib: number;
}
const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** A program's time and peak memory, through GNU time's way of asking the kernel: wait4's ru_maxrss, read by Python. */
function measured(command: readonly string[], env: NodeJS.ProcessEnv): Measure | string {
  const script = `import json,resource,subprocess,sys,time
t=time.perf_counter(); code=subprocess.call(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL); ms=(time.perf_counter()-t)*1000
print(json.dumps({"code":code,"ms":ms,"mib":resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024}))`;
  const { stdout, error } = spawnSync("python3", ["-c", script, ...command], {
    env,
    encoding: "utf8",
    timeout: 120_000,
  });
  if (error) return error.message;
  const result = JSON.parse(stdout) as Measure & { code: number };
  return result.code === 0 ? result : `${command[0]} ended with ${result.code}`;
}

function row(tool: string, runs: readonly (Measure & { more?: number })[], bytes: number): void {
  const [ms, mib] = [median(runs.map((each) => each.ms)), median(runs.map((each) => each.mib))];
  const more =
    runs[0]?.more === undefined ? "" : `, of which the build ${median(runs.map((each) => each.more ?? 0)).toFixed(1)}`;
  say(
    `  ${tool.padEnd(22)} ${ms.toFixed(1).padStart(7)} ms   peak ${mib.toFixed(0).padStart(4)} MiB${more}   image ${bytes} bytes`,
  );
}

async function main(): Promise<void> {
  const env = await isoTools(say);
  const mkisofs = ["-quiet", "-J", "-r", "-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-V", "config-2"];
  for (const [name, bytes] of SIZES) {
    const folder = mkdtempSync(join(tmpdir(), "bench-iso-"));
    try {
      for (const path of FILES) {
        mkdirSync(join(folder, "tree", path), { recursive: true });
        writeFileSync(
          join(folder, "tree", path, "user_data"),
          Buffer.alloc(bytes, "user data of a machine, again and again\n"),
        );
        writeFileSync(join(folder, "tree", path, "meta_data.json"), "{}");
      }
      say(`${name} of user data, in both version folders; median of ${RUNS}`);
      const own = Array.from({ length: RUNS }, () => {
        const { stdout, stderr } = spawnSync(process.execPath, [self, "ours", folder], {
          encoding: "utf8",
          timeout: 120_000,
        });
        if (stdout === "") throw new Error(stderr);
        return JSON.parse(stdout) as Measure & { more: number };
      });
      row("this library", own, statSync(join(folder, "ours.iso")).size);
      const node = measured([process.execPath, self, "ours", folder], env);
      if (typeof node !== "string") row("  with Node's start", [node], statSync(join(folder, "ours.iso")).size);
      for (const [tool, command] of [
        ["genisoimage", ["genisoimage", ...mkisofs]],
        ["xorriso", ["xorriso", "-as", "mkisofs", "-quiet", "-J", "-r", "-V", "config-2"]],
      ] as const) {
        const target = join(folder, `${tool}.iso`);
        const runs = Array.from({ length: RUNS }, () =>
          measured([...command, "-o", target, join(folder, "tree")], env),
        );
        const failed = runs.find((each) => typeof each === "string");
        if (failed !== undefined) say(`  ${tool}: left out, ${failed}`);
        else row(tool, runs as Measure[], statSync(target).size);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  say(`Node ${process.version}, ${process.arch}`);
}

const [mode, folder] = process.argv.slice(2);
if (mode === "ours" && folder !== undefined) ours(folder);
else await main();
