// Test files in one mocha process, and what came of them.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Ended, execute } from "./lanes.ts";
import { type Part, root } from "./parts.ts";

export interface Totals {
  passes: number;
  failures: number;
  skipped: string[];
  again: string[];
  failed: string[];
  /** Of each file, hooks included. */
  seconds: Record<string, number>;
}

export const noTotals: Totals = { passes: 0, failures: 0, skipped: [], again: [], failed: [], seconds: {} };

export const added = (a: Totals, b: Totals): Totals => ({
  passes: a.passes + b.passes,
  failures: a.failures + b.failures,
  skipped: [...a.skipped, ...b.skipped],
  again: [...a.again, ...b.again],
  failed: [...a.failed, ...b.failed],
  seconds: { ...a.seconds, ...b.seconds },
});

const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");

export interface Batch {
  part: Part;
  files: readonly string[];
  /** Folder for the file of totals. */
  folder: string;
  env?: NodeJS.ProcessEnv;
  hear?: (text: string) => void;
}

/** A process that ends before all its tests were run counts as one failure. */
export async function runMocha({ part, files, folder, env, hear }: Batch): Promise<{ totals: Totals; ended: Ended }> {
  const totalsFile = join(folder, `${randomUUID()}.json`);
  const flags = [
    "--reporter",
    join(root, "scripts", "totals.cjs"),
    "--exit",
    ...(process.stdout.isTTY ? ["--color"] : []),
  ];
  const limits = ["--timeout", String(part.timeoutMs), "--retries", String(part.retries)];
  const ended = await execute(process.execPath, [mocha, ...flags, ...limits, ...files], {
    cwd: root,
    env: { ...process.env, ...env, TOTALS_FILE: totalsFile },
    ...(hear && { hear }),
  });
  return { totals: totalsOf(totalsFile, files, ended), ended };
}

function totalsOf(file: string, files: readonly string[], { status }: Ended): Totals {
  let totals: Totals;
  try {
    totals = JSON.parse(readFileSync(file, "utf8")) as Totals;
  } catch {
    const title = `The process of ${files.join(", ")} ended with ${status} before its tests were all run`;
    return { ...noTotals, failures: 1, failed: [title] };
  }
  // Mocha's exit code is the number of failures.
  if (status === 0 || totals.failures > 0) return totals;
  const title = `The process of ${files.join(", ")} ended with ${status} after its tests`;
  return added(totals, { ...noTotals, failures: 1, failed: [title] });
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The last lines of a run: what is worth a look, and last of all the totals. */
export function sayTotals(all: Totals): void {
  for (const title of all.again) say(`passed on a second try: ${title}`);
  for (const title of all.skipped) say(`skipped, for the reason printed with it: ${title}`);
  // At the end, since of a long log often its last lines are all that is at hand.
  for (const failure of all.failed) say(`failed: ${failure}`);
  say(`${all.passes} passed, ${all.failures} failed${all.skipped.length > 0 ? `, ${all.skipped.length} skipped` : ""}`);
}
