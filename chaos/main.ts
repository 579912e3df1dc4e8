// npm run chaos: many runs against a real Ironic and a real engine, with faults and kills that come from a seed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { engineEnv, ensureEngine } from "../lab/engine.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import { accountsOf } from "./accounts.ts";
import { type ActorKind, accountOf, actorKinds, type Casting } from "./actors.ts";
import { type Plan, planFor } from "./plan.ts";
import { startProxy } from "./proxy.ts";
import { Stack } from "./pulumi-process.ts";
import { complaints, lineOf, summary, totalsOf } from "./report.ts";
import { playRun } from "./run.ts";
import { furnish, type Site } from "./site.ts";
import type { Result } from "./stage.ts";

const usage = `npm run chaos -- [options]
  --seed S      first seed (1); the same seed and nodes give the same schedule
  --runs N      how many, seed after seed (10)
  --nodes N     nodes of each lab, a part of them in other hands (20)
  --jobs N      labs at once, each with its own runs (3)
  --actors LIST who else may be at work: ${actorKinds.join()} (all), or none, which also leaves Keystone out
  --share P     percentage of the runs in which somebody else is at work (50)
  --minutes M   no run begins later than this (55)
  --keep DIR    keep the logs of all runs there; without it, of those that were not as they should be`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "10" },
    nodes: { type: "string", default: "20" },
    jobs: { type: "string", default: "3" },
    actors: { type: "string", default: actorKinds.join() },
    share: { type: "string", default: "50" },
    minutes: { type: "string", default: "55" },
    keep: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);

function whole(name: "seed" | "runs" | "nodes" | "jobs" | "minutes" | "share", least: number, most: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  say(`--${name} must be a whole number from ${least} to ${most}\n\n${usage}`);
  process.exit(2);
}

function casting(): Casting {
  const words = values.actors === "none" ? [] : values.actors.split(",");
  const kinds = words.filter((word): word is ActorKind => actorKinds.some((kind) => kind === word));
  if (kinds.length === words.length) return { kinds, share: whole("share", 0, 100) / 100 };
  say(`--actors must be none or a list of ${actorKinds.join()}\n\n${usage}`);
  process.exit(2);
}

/** Requests of the provider give up sooner than by default, so that a hang costs seconds. */
const REQUEST_TIMEOUT_SECONDS = "3";
async function openSite(dir: string, nodes: number, auth: "none" | "keystone"): Promise<Site> {
  const lab = await startLab({ dir, nodes, owned: true, auth });
  return furnish(lab);
}

/** What somebody needs who wants to know why. */
function keepLogs(folder: string, plan: Plan, result: Result, told: readonly string[]): void {
  const dir = join(folder, `seed-${plan.seed}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "plan.json"), JSON.stringify(plan, null, 2));
  writeFileSync(join(dir, "requests.jsonl"), result.passages.map((passage) => JSON.stringify(passage)).join("\n"));
  writeFileSync(join(dir, "lessee.jsonl"), result.deeds.map((deed) => JSON.stringify(deed)).join("\n"));
  const commands = result.commands.map(
    ({ command, code, seconds, output }) => `=== ${command}: ${code}, ${seconds.toFixed(1)} s\n${output}`,
  );
  writeFileSync(join(dir, "commands.txt"), [...commands, ...told].join("\n"));
}

interface Job {
  dir: string;
  nodes: number;
  next(): number | undefined;
  keep: string;
  pulumi: string;
  cast: Casting;
  results: Result[];
}

async function work({ dir, nodes, next, keep, pulumi, cast, results }: Job): Promise<void> {
  let site = await openSite(join(dir, "lab"), nodes, cast.kinds.length === 0 ? "none" : "keystone");
  const { lab } = site;
  const proxy = await startProxy(lab.url);
  const accounts = accountsOf(lab, proxy.url, dir);
  try {
    for (let seed = next(); seed !== undefined; seed = next()) {
      const plan = planFor(seed, site, cast);
      const access = accounts.stack(accountOf(plan.actor));
      const env = { ...engineEnv(join(dir, "state")), ...access.env };
      // Beside each file this backend writes one of attributes, and not in one go: an engine that is killed there leaves it
      // empty, and the next says "failed to load checkpoint: EOF". Without it the backend is as good as others are.
      env.PULUMI_BACKEND_URL += "?metadata=skip";
      const stack = new Stack({
        dir: join(dir, "project"),
        project: "chaos",
        program: fileURLToPath(new URL("./program.ts", import.meta.url)),
        name: `seed-${seed}`,
        env,
        pulumi,
        config: {
          ...access.config,
          "ironic:requestTimeoutSeconds": REQUEST_TIMEOUT_SECONDS,
          ...(plan.foreign !== undefined && plan.seed % 2 === 0 && { "ironic:preflight": "off" }),
        },
      });
      const result = await playRun(plan, site, proxy, stack, accounts);
      results.push(result);
      const told = complaints(result, nodes, cast);
      say([lineOf(plan, result), ...told].join("\n"));
      if (values.keep !== undefined || result.broken.length + result.errorsShown.length > 0)
        keepLogs(keep, plan, result, told);
      stack.forget();
      if (result.broken.length + result.spoiled.length > 0) site = await renew(lab);
    }
  } finally {
    await proxy.close();
    await lab.stop();
  }
}

async function renew(lab: Lab): Promise<Site> {
  await lab.reset();
  return furnish(lab);
}

async function main(): Promise<number> {
  const first = whole("seed", 0, 2 ** 31);
  const runs = whole("runs", 1, 100_000);
  const nodes = whole("nodes", 6, 1_000);
  const jobs = Math.min(whole("jobs", 1, 16), runs);
  const deadline = Date.now() + whole("minutes", 1, 24 * 60) * 60_000;
  const cast = casting();
  const engine = await ensureEngine(say);
  const folder = mkdtempSync(join(tmpdir(), "chaos-"));
  const keep = values.keep ?? join(folder, "kept");
  const results: Result[] = [];
  const started = Date.now();
  let given = 0;
  const next = () => (given < runs && Date.now() < deadline ? first + given++ : undefined);
  const dirs = Array.from({ length: jobs }, (_, index) => join(folder, `job-${index}`));
  for (const dir of dirs) mkdirSync(dir, { recursive: true });
  await Promise.all(dirs.map((dir) => work({ dir, nodes, next, keep, pulumi: engine.pulumi, cast, results })));
  for (const line of summary(results, (Date.now() - started) / 1000)) say(line);
  const { broken, errorsShown } = totalsOf(results);
  if (results.length < runs) say(`${runs - results.length} runs were not begun in time`);
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  if (broken + errorsShown > 0 || values.keep !== undefined) say(`logs: ${keep}`);
  if (broken + errorsShown === 0 || values.keep !== undefined) rmSync(folder, { recursive: true, force: true });
  return broken + errorsShown > 0 || results.length < runs ? 1 : 0;
}

if (values.help) say(usage);
else process.exitCode = await main();
