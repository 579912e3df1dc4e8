// All tests, or those of the named parts: `node scripts/test.ts [unit] [system] [engine] [--lanes N] [--record]`.
// The files of a part run in lanes, and a lane keeps its labs from file to file. Ends with minutes and totals.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureEngine } from "../lab/engine.ts";
import { latestIronic } from "../lab/ironic.ts";
import { openLab } from "../lab/lab.ts";
import { defaultLanes, endOnSignal, grouped, inLanes } from "./lanes.ts";
import { added, noTotals, runMocha, sayTotals, type Totals } from "./mocha.ts";
import { filesOf, type Part, partOf, parts, record, secondsOf } from "./parts.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const minutes = (seconds: number): string => `${(seconds / 60).toFixed(1)} min`;

const { values, positionals } = parseArgs({
  options: { lanes: { type: "string", default: String(defaultLanes) }, record: { type: "boolean", default: false } },
  allowPositionals: true,
});
const lanes = Number(values.lanes);
if (!Number.isSafeInteger(lanes) || lanes < 1) throw new Error(`${values.lanes} is not a number of lanes`);
const chosen = positionals.length > 0 ? positionals : Object.keys(parts);
for (const name of chosen) partOf(name);

const folder = mkdtempSync(join(tmpdir(), "pulumi-ironic-tests-"));
const laneFolder = (lane: number): string => join(folder, `lane-${lane + 1}`);

/** Ends the labs that the lane's files left for those after them. */
async function stopLabs(lane: number): Promise<void> {
  for (const name of readdirSync(laneFolder(lane))) {
    const lab = join(laneFolder(lane), name);
    await openLab(lab)?.stop();
    rmSync(lab, { recursive: true, force: true });
  }
}

async function clean(): Promise<void> {
  for (let lane = 0; lane < lanes; lane++) await stopLabs(lane);
  rmSync(folder, { recursive: true, force: true });
}

/** Each process apart from the others: what unit tests do to the network must not reach anybody else. */
async function run(name: string): Promise<Totals> {
  const part: Part = partOf(name);
  const files = filesOf(part);
  // Few, not one a lane: whichever lane is done first takes the rest.
  const batches = grouped(files, part.processes === "few" ? lanes * 2 : files.length, secondsOf(part));
  let done = 0;
  const results = await inLanes(batches, lanes, async (batch, lane) => {
    const env = { TEST_LANE_FOLDER: laneFolder(lane), TEST_LANE_OWNER: String(process.pid) };
    const hear = lanes === 1 ? (text: string) => void process.stdout.write(text) : undefined;
    const { totals, ended } = await runMocha({ part, files: batch, folder, env, ...(hear && { hear }) });
    done += batch.length;
    if (!hear) process.stdout.write(ended.output);
    say(`--- ${name}: ${done} of ${files.length} files; ${about(batch)} took ${Math.round(ended.seconds)} s\n`);
    // A failed test may have left its nodes and servers in any state.
    if (totals.failures > 0) await stopLabs(lane);
    return totals;
  });
  return results.reduce(added, noTotals);
}

const about = (batch: readonly string[]): string => (batch.length === 1 ? String(batch[0]) : `${batch.length} of them`);

async function main(): Promise<void> {
  endOnSignal(clean);
  for (let lane = 0; lane < lanes; lane++) mkdirSync(laneFolder(lane));
  if (chosen.some((name) => name !== "unit")) {
    // Once and in view, rather than inside the time limit of whichever test comes first.
    await ensureEngine(say);
    // For the comparison of clouds.yaml with openstacksdk.
    process.env.PULUMI_IRONIC_PYTHON ??= (await latestIronic(say)).python;
  }
  let all = noTotals;
  const took: [name: string, seconds: number][] = [];
  for (const name of chosen) {
    const startedAt = performance.now();
    say(`\n=== ${name} tests, in ${lanes} lanes`);
    all = added(all, await run(name));
    took.push([name, (performance.now() - startedAt) / 1000]);
  }
  await clean();
  if (values.record) record(all.seconds);
  for (const [name, seconds] of took) say(`${name} tests: ${minutes(seconds)}`);
  for (const [name, seconds] of took) {
    const budgetS = partOf(name).budgetMinutes * 60;
    if (seconds > budgetS)
      say(`warning: the ${name} tests took ${minutes(seconds)}, more than their ${minutes(budgetS)}`);
  }
  sayTotals(all);
  process.exit(all.failures > 0 ? 1 : 0);
}

main().catch(async (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  await clean();
  process.exit(1);
});
