// npm run bench: this project beside what else there is, on one lab, one after the other, several rounds.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ensureEngine } from "../lab/engine.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import type { LabNode } from "../lab/nodes.ts";
import { bound } from "./bound.ts";
import { cli, type Outcome, Pulumi, prepareCli, sdk } from "./clients.ts";
import { separate } from "./cores.ts";
import { endOf, type Figures, figuresOf, readSpan } from "./ironic-log.ts";
import { breakdown, stormTable, table } from "./tables.ts";

const usage = `npm run bench -- [options]
  --nodes N     machines that come up together (5); baremetal node deploy --wait takes part with one only, as it
                begins several one after the other
  --rounds N    how often everybody is measured; the median counts (3)
  --threads N   threads of openstacksdk (16; all nodes at once makes it fail)
  --beside DIR  another checkout of this project, with its packages installed, takes part in every round: the column
                "÷ beside" then tells what a change costs
  --storm N     instead: N machines deployed and undeployed, all requests released at once`;

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "16" },
    beside: { type: "string" },
    storm: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);

function whole(name: "nodes" | "rounds" | "threads" | "storm"): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  say(`--${name} must be a whole number from 1 to 1000\n\n${usage}`);
  process.exit(2);
}

const AVAILABLE_MS = 180_000;
/** What a client leaves behind is not to burden the next one. */
const REST_MS = 1_500;

async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

/** Settings that a ramdisk deployment needs, made before anybody is measured. */
async function prepare(lab: Lab): Promise<void> {
  await each(lab.nodes, async ({ uuid }) => {
    const ops = [
      { op: "add", path: "/deploy_interface", value: "ramdisk" },
      { op: "add", path: "/boot_interface", value: "ipxe" },
      { op: "add", path: "/automated_clean", value: false },
    ];
    const { status, body } = await lab.ironicApi("PATCH", `/v1/nodes/${uuid}`, ops);
    if (status !== 200) throw new Error(`PATCH: ${status} ${JSON.stringify(body)}`);
  });
}

/** All nodes available and unclaimed, whatever a client left. */
async function giveBack(lab: Lab): Promise<void> {
  await each(lab.nodes, async ({ uuid }) => {
    for (const end = Date.now() + AVAILABLE_MS; Date.now() < end; await sleep(150)) {
      const node = await lab.node(uuid);
      const state = String(node.provision_state);
      if (state === "available" && !node.reservation) {
        if (node.instance_uuid)
          await lab.ironicApi("PATCH", `/v1/nodes/${uuid}`, [{ op: "remove", path: "/instance_uuid" }]);
        return;
      }
      if (["active", "deploy failed", "error"].includes(state))
        await lab.ironicApi("PUT", `/v1/nodes/${uuid}/states/provision`, { target: "deleted" });
    }
    throw new Error(`${uuid} does not become available`);
  });
  await sleep(REST_MS);
}

interface Bench {
  lab: Lab;
  nodes: readonly LabNode[];
  dir: string;
  pulumi: string;
  threads: number;
}

async function measure({ lab, nodes }: Bench, work: () => Promise<Outcome>): Promise<Figures & Outcome> {
  const log = join(lab.dir, "logs", "ironic.log");
  const from = endOf(log);
  const outcome = await work();
  await sleep(300);
  return { ...figuresOf(readSpan(log, from), nodes), ...outcome };
}

interface Contender {
  name: string;
  bound?: string;
  run(bench: Bench, name: string): Promise<Figures & Outcome>;
}

const raw = (bench: Bench, atOnce?: number): Promise<Figures & Outcome> =>
  measure(bench, async () => {
    const failures = await bound(bench.lab, bench.nodes, atOnce);
    return { errors: Array.from({ length: failures }, () => "not active") };
  });

/** This project, or the checkout of it in `root`. */
async function project(bench: Bench, name: string, root?: string): Promise<Figures & Outcome> {
  const stack = new Pulumi(bench.lab, bench.pulumi, bench.dir, name, root);
  const figures = await measure(bench, () => stack.deploy(bench.nodes));
  await stack.undeploy(bench.nodes.length);
  stack.forget();
  return figures;
}

const CONTENDERS: readonly Contender[] = [
  { name: "raw requests, all at once", bound: "at once", run: (bench) => raw(bench) },
  // A server that is asked too much at once can be slower than it could be.
  { name: "raw requests, as threads", bound: "threads", run: (bench) => raw(bench, bench.threads) },
  { name: "pulumi-ironic", run: (bench, name) => project(bench, name) },
  {
    name: "openstacksdk",
    run: (bench) => measure(bench, () => sdk(bench.lab, bench.nodes, bench.threads, "active")),
  },
];

/** Begins several nodes one after the other: beside the others that would say nothing. */
const CLI: Contender = {
  name: "baremetal deploy --wait",
  async run(bench) {
    const [node] = bench.nodes;
    if (node === undefined) throw new Error("no node");
    await prepareCli(bench.lab, node);
    return measure(bench, () => cli(bench.lab, node));
  },
};

const otherCheckout = (dir: string): Contender => ({
  name: "pulumi-ironic, beside",
  bound: "beside",
  run: (bench, name) => project(bench, `${name}-beside`, resolve(dir)),
});

async function compare(bench: Bench, rounds: number): Promise<void> {
  const beside = values.beside === undefined ? [] : [otherCheckout(values.beside)];
  const contenders = [...CONTENDERS, ...beside, ...(bench.nodes.length === 1 ? [CLI] : [])];
  const rows = contenders.map((contender) => ({ ...contender, rounds: [] as (Figures & Outcome)[] }));
  for (let round = 0; round < rounds; round++) {
    // Nobody is always the first, or always after the same one.
    const first = round % rows.length;
    for (const row of [...rows.slice(first), ...rows.slice(0, first)]) {
      await giveBack(bench.lab);
      const figures = await row.run(bench, `round-${round}`);
      row.rounds.push(figures);
      say(`round ${round + 1}, ${row.name}: ${figures.seconds.toFixed(2)} s, ${figures.errors.length} failures`);
      for (const error of figures.errors.slice(0, 5)) say(`  ${error.slice(0, 300)}`);
    }
  }
  for (const line of table(rows)) say(line);
}

/** How many requests each sort of resource costs; on nodes that still have to be set. */
async function count(bench: Bench): Promise<void> {
  await bench.lab.reset();
  const log = join(bench.lab.dir, "logs", "ironic.log");
  const from = endOf(log);
  const stack = new Pulumi(bench.lab, bench.pulumi, bench.dir, "full");
  const { errors } = await stack.deploy(bench.nodes, true);
  for (const line of breakdown(readSpan(log, from), bench.nodes.length)) say(line);
  for (const error of errors) say(`  ${error}`);
  await stack.undeploy(bench.nodes.length);
}

interface Storm {
  name: string;
  up: Figures & Outcome;
  down: { seconds: number; errors: string[] };
}

async function timed(work: () => Promise<Outcome>): Promise<{ seconds: number; errors: string[] }> {
  const started = Date.now();
  const { errors } = await work();
  return { seconds: (Date.now() - started) / 1000, errors };
}

async function storm(bench: Bench): Promise<void> {
  const { lab, nodes } = bench;
  const stack = new Pulumi(lab, bench.pulumi, bench.dir, "storm");
  const ours: Storm = {
    name: "pulumi-ironic",
    up: await measure(bench, () => stack.deploy(nodes)),
    down: await timed(() => stack.undeploy(nodes.length)),
  };
  await giveBack(lab);
  const theirs: Storm = {
    name: "openstacksdk",
    up: await measure(bench, () => sdk(lab, nodes, nodes.length, "active")),
    down: await timed(() => sdk(lab, nodes, nodes.length, "deleted")),
  };
  for (const line of stormTable([ours, theirs], nodes.length)) say(line);
  for (const { name, up, down } of [ours, theirs])
    for (const error of [...up.errors, ...down.errors].slice(0, 5)) say(`  ${name}: ${error.slice(0, 300)}`);
  await giveBack(lab);
}

async function main(): Promise<void> {
  const stormNodes = values.storm === undefined ? undefined : whole("storm");
  const count_ = stormNodes ?? whole("nodes");
  const engine = await ensureEngine(say);
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  mkdirSync(join(dir, "lab"));
  const lab = await startLab({ dir: join(dir, "lab"), nodes: count_, owned: true, log: say });
  const bench: Bench = { lab, nodes: lab.nodes, dir, pulumi: engine.pulumi, threads: whole("threads") };
  const load = () =>
    loadavg()
      .map((value) => value.toFixed(1))
      .join(" ");
  say(`${await separate(lab)}; load before: ${load()}`);
  try {
    await prepare(lab);
    if (stormNodes === undefined) {
      await compare(bench, whole("rounds"));
      await count(bench);
    } else await storm(bench);
    say(`load after: ${load()}`);
  } finally {
    await lab.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

if (values.help) say(usage);
else await main();
