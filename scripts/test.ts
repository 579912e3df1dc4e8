// All tests, or those of the named parts: `node scripts/test.ts [unit] [system] [engine]`. Ends with the totals.
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureEngine } from "../lab/engine.ts";
import { latestIronic } from "../lab/ironic.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Part {
  files: string;
  exclude?: string[];
  timeoutMs: number;
  retries: number;
}

/** From the fastest to the slowest, and from the parts to the whole. */
const parts: Readonly<Record<string, Part>> = {
  unit: { files: "test/**/*.test.ts", exclude: ["test/system", "test/engine"], timeoutMs: 10_000, retries: 0 },
  // Real processes on a busy machine: a second try is allowed, and said.
  system: { files: "test/system/*.test.ts", timeoutMs: 300_000, retries: 1 },
  engine: { files: "test/engine/*.test.ts", timeoutMs: 300_000, retries: 1 },
};

interface Totals {
  passes: number;
  failures: number;
  skipped: string[];
  again: string[];
  failed: string[];
}

const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const folder = mkdtempSync(join(tmpdir(), "pulumi-ironic-tests-"));

/** One part in a process of its own: what unit tests do to the network must not reach the others. */
function run(name: string): Totals {
  const part = parts[name];
  if (!part) throw new Error(`There is no part ${name}; there is ${Object.keys(parts).join(", ")}.`);
  const files = globSync(part.files, { cwd: root, exclude: part.exclude ?? [] }).sort();
  const totalsFile = join(folder, `${name}.json`);
  const flags = ["--reporter", join(root, "scripts", "totals.cjs"), "--exit"];
  const limits = ["--timeout", String(part.timeoutMs), "--retries", String(part.retries)];
  const ended = spawnSync(process.execPath, [mocha, ...flags, ...limits, ...files], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, TOTALS_FILE: totalsFile },
  });
  try {
    return JSON.parse(readFileSync(totalsFile, "utf8")) as Totals;
  } catch {
    say(`The ${name} tests ended with ${ended.status ?? ended.signal} before they were all run.`);
    return { passes: 0, failures: 1, skipped: [], again: [], failed: [] };
  }
}

const asked = process.argv.slice(2);
const chosen = asked.length > 0 ? asked : Object.keys(parts);
if (chosen.some((name) => name !== "unit")) {
  // Once and in view, rather than inside the time limit of whichever test comes first.
  await ensureEngine(say);
  // For the comparison of clouds.yaml with openstacksdk.
  process.env.PULUMI_IRONIC_PYTHON ??= (await latestIronic(say)).python;
}

const all: Totals = { passes: 0, failures: 0, skipped: [], again: [], failed: [] };
for (const name of chosen) {
  const startedAt = Date.now();
  say(`\n=== ${name} tests`);
  const totals = run(name);
  say(`=== ${name} tests took ${Math.round((Date.now() - startedAt) / 1000)} s`);
  all.passes += totals.passes;
  all.failures += totals.failures;
  all.skipped.push(...totals.skipped);
  all.again.push(...totals.again);
  all.failed.push(...totals.failed);
}
rmSync(folder, { recursive: true, force: true });
for (const title of all.again) say(`passed on a second try: ${title}`);
for (const title of all.skipped) say(`skipped, for the reason printed with it: ${title}`);
// At the end, since of a long log often its last lines are all that is at hand.
for (const failure of all.failed) say(`failed: ${failure}`);
say(`${all.passes} passed, ${all.failures} failed${all.skipped.length > 0 ? `, ${all.skipped.length} skipped` : ""}`);
process.exit(all.failures > 0 ? 1 : 0);
