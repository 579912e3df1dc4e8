// All tests, or those of the named parts: `node scripts/test.ts [unit] [system] [engine]`. Ends with the totals.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureEngine } from "../lab/engine.ts";
import { latestIronic } from "../lab/ironic.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** From the fastest to the slowest, and from the parts to the whole. */
const parts: Record<string, { files: string; timeoutMs: number; retries: number }> = {
  unit: { files: "test/*.test.ts", timeoutMs: 10_000, retries: 0 },
  // Real processes on a busy machine: a second try is allowed, and said.
  system: { files: "test/system/*.test.ts", timeoutMs: 300_000, retries: 1 },
  engine: { files: "test/engine/*.test.ts", timeoutMs: 300_000, retries: 1 },
};

const asked = process.argv.slice(2);
const chosen = asked.length > 0 ? asked : Object.keys(parts);
const files = chosen.flatMap((name) => globSync(parts[name]?.files ?? "", { cwd: root }).sort());
const timeoutMs = Math.max(...chosen.map((name) => parts[name]?.timeoutMs ?? 0));
const retries = Math.max(...chosen.map((name) => parts[name]?.retries ?? 0));
if (files.length === 0)
  throw new Error(`There are no tests in ${chosen.join(", ")}; there is ${Object.keys(parts).join(", ")}.`);

if (chosen.some((name) => name !== "unit")) {
  // Once and in view, rather than inside the time limit of whichever test comes first.
  const log = (text: string) => process.stdout.write(`${text}\n`);
  await ensureEngine(log);
  await latestIronic(log);
}

const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const reporter = join(root, "scripts", "totals.cjs");
const ended = spawnSync(
  process.execPath,
  [mocha, "--reporter", reporter, "--timeout", String(timeoutMs), "--retries", String(retries), "--exit", ...files],
  { cwd: root, stdio: "inherit" },
);
process.exit(ended.status ?? 1);
