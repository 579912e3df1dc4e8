// What must hold before a commit, within a minute: format and lint, types, promises, unused code, unit tests; and, to be
// looked at only, how much of provider/ the unit tests run through. Side by side, as one test file takes half of the time.
// `npm run check`
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { defaultLanes, type Ended, endOnSignal, execute, grouped, inLanes } from "./lanes.ts";
import { added, noTotals, runMocha, sayTotals, type Totals } from "./mocha.ts";
import { filesOf, partOf, root, secondsOf } from "./parts.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const require = createRequire(import.meta.url);

/** The path of a program in a package, by the path of its manifest. */
const programOf = (manifest: string, path: string): string => join(dirname(manifest), path);

const folder = mkdtempSync(join(tmpdir(), "pulumi-ironic-check-"));
const coverage = join(folder, "coverage");
const build = join(root, "build");

/** Each with the seconds that it takes about, by which the longest begins first. */
interface Step {
  title: string;
  seconds: number;
  run(): Promise<{ isGood: boolean; ended: Ended; totals?: Totals }>;
}

const tool = (title: string, seconds: number, ...command: string[]): Step => ({
  title,
  seconds,
  async run() {
    const ended = await execute(process.execPath, command, { cwd: root });
    return { isGood: ended.status === 0, ended };
  },
});

const tools: Step[] = [
  tool(
    "format and lint",
    2,
    programOf(require.resolve("@biomejs/biome/package.json"), "bin/biome"),
    "check",
    "--error-on-warnings",
  ),
  tool(
    "types",
    6,
    programOf(require.resolve("typescript/package.json"), "bin/tsc"),
    "--incremental",
    "--tsBuildInfoFile",
    join(build, "types.tsbuildinfo"),
  ),
  tool(
    "promises",
    6,
    programOf(require.resolve("oxlint/package.json"), "bin/oxlint"),
    "--type-aware",
    "--deny-warnings",
  ),
  tool("unused code", 3, join(root, "node_modules", "knip", "bin", "knip.js")),
];

/** Fewer random walks than `npm test` takes, as they are a third of the time. */
const MODEL_WALKS = "400";

const unit = partOf("unit");
const unitTests: Step[] = grouped(filesOf(unit), defaultLanes * 2, secondsOf(unit)).map((files) => ({
  title: `unit tests, ${files.length === 1 ? files[0] : `${files.length} files`}`,
  seconds: files.reduce((sum, file) => sum + secondsOf(unit)(file), 0),
  async run() {
    const { totals, ended } = await runMocha({
      part: unit,
      files,
      folder,
      env: { NODE_V8_COVERAGE: coverage, MODEL_WALKS },
    });
    return { isGood: totals.failures === 0, ended, totals };
  },
}));

const report = [
  programOf(require.resolve("c8/package.json"), "bin/c8.js"),
  "report",
  `--temp-directory=${coverage}`,
  `--reports-dir=${folder}`,
  "--include=provider/**/*.ts",
  "--reporter=text-summary",
];

async function main(): Promise<void> {
  endOnSignal(async () => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(build, { recursive: true });
  const startedAt = performance.now();
  const steps = [...unitTests, ...tools].sort((a, b) => b.seconds - a.seconds);
  let totals = noTotals;
  const bad: string[] = [];
  await inLanes(steps, defaultLanes, async ({ title, run }) => {
    const { isGood, ended, totals: more } = await run();
    process.stdout.write(ended.output);
    say(`${title}: ${isGood ? "good" : "BAD"}, ${ended.seconds.toFixed(1)} s`);
    if (more) totals = added(totals, more);
    if (!isGood) bad.push(title);
  });
  const { output } = await execute(process.execPath, report, { cwd: root });
  say(`Of provider/ the unit tests run through:${output}`);
  rmSync(folder, { recursive: true, force: true });
  sayTotals(totals);
  say(
    `${bad.length === 0 ? "good" : `BAD: ${bad.join("; ")}`}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
  );
  process.exitCode = bad.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = 1;
});
