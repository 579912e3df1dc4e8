// Programs in lanes: so many at once as there are lanes. What one prints stays together, and all end when we are ended.
import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism, constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Two use two cores well: a test of the real engine waits more than it computes. More cores take more, within reason. */
export const defaultLanes = Math.min(4, Math.max(2, availableParallelism()));
const GRACE_MS = 15_000;

export interface Ended {
  /** Exit code, or the signal that ended it. */
  status: number | NodeJS.Signals;
  /** Standard output and standard error in the order in which they came. */
  output: string;
  seconds: number;
}

export interface Surroundings {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Gets the output while it comes; without it, it is only given at the end. */
  hear?: (text: string) => void;
}

const running = new Set<ChildProcess>();
let isEnding = false;

/** Runs a program to its end, in a process group of its own. */
export function execute(program: string, args: readonly string[], around: Surroundings): Promise<Ended> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    if (isEnding) return; // Nothing begins any more, and nobody waits for it.
    const child = spawn(program, args, {
      cwd: around.cwd,
      env: around.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    running.add(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        output += text;
        around.hear?.(text);
      });
    }
    child.once("error", (error) => {
      running.delete(child);
      reject(error);
    });
    // Not "close": a server that a test left behind may hold the pipes open for ever.
    child.once("exit", (code, signal) => {
      running.delete(child);
      if (isEnding) return; // Whoever waits would go on, and find gone what `clean` takes away.
      // What the pipes still hold is read first.
      const done = () =>
        resolve({ status: code ?? signal ?? 1, output, seconds: (performance.now() - startedAt) / 1000 });
      const limit = setTimeout(done, 1_000);
      child.once("close", () => {
        clearTimeout(limit);
        done();
      });
    });
  });
}

/** Gives each job to the lane that is free first, in the given order; the results come in the order of the jobs. */
export async function inLanes<Job, Result>(
  jobs: readonly Job[],
  lanes: number,
  work: (job: Job, lane: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = jobs.entries();
  const lane = async (_: unknown, number: number): Promise<void> => {
    for (const [index, job] of queue) results[index] = await work(job, number);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, jobs.length) }, lane));
  return results;
}

/** Splits into at most `count` groups that take about as long as each other, the longest first. */
export function grouped<Item>(items: readonly Item[], count: number, secondsOf: (item: Item) => number): Item[][] {
  const groups = Array.from({ length: Math.min(count, items.length) }, () => ({ seconds: 0, items: [] as Item[] }));
  for (const item of items.toSorted((a, b) => secondsOf(b) - secondsOf(a))) {
    const [least] = groups.toSorted((a, b) => a.seconds - b.seconds);
    least?.items.push(item);
    if (least) least.seconds += secondsOf(item);
  }
  return groups.toSorted((a, b) => b.seconds - a.seconds).map((group) => group.items);
}

/** On SIGINT and SIGTERM: ends every program that `execute` began, with what it began, then does `clean` and ends. */
export function endOnSignal(clean: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (isEnding) return;
      isEnding = true;
      endAll()
        .then(clean)
        .catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
        .finally(() => process.exit(128 + constants.signals[signal]));
    });
}

async function endAll(): Promise<void> {
  const groups = [...running].flatMap(({ pid }) => pid ?? []);
  for (const pid of groups) signalGroup(pid, "SIGTERM");
  // The whole group, not its leader alone: an engine that is killed at once cannot end its providers.
  for (const end = Date.now() + GRACE_MS; Date.now() < end && groups.some((pid) => signalGroup(pid, 0)); )
    await sleep(50);
  for (const pid of groups) signalGroup(pid, "SIGKILL");
}

/** Gives whether there is such a group. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
