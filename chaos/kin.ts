// The family of a process: who descends from it, which of them is the provider, and ending exactly one of them.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { bornAt } from "../lab/processes.ts";

export interface Process {
  pid: number;
  /** Tells it from a later process with the same pid. */
  born: string;
  command: string;
}

function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html : state, then the parent's pid, after the program's name
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

/** Every living process below `root`. */
export function descendants(root: number): Process[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(Number(entry));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const found: Process[] = [];
  const queue = [...(children.get(root) ?? [])];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    queue.push(...(children.get(pid) ?? []));
    const born = bornAt(pid);
    if (born !== undefined) found.push({ pid, born, command: commandOf(pid) });
  }
  return found;
}

/** The SDK's host of dynamic providers, not the shell that starts it nor what asks for its path. */
export const isProvider = ({ command }: Process): boolean =>
  /@pulumi\/pulumi\/cmd\/dynamic-provider/.test(command) &&
  !/^\S*sh /.test(command) &&
  !command.includes("require.resolve");

const lives = ({ pid, born }: Process): boolean => bornAt(pid) === born;

/** Ends one process at once, if it is still the same one. */
export function endProcess(process_: Process, signal: NodeJS.Signals = "SIGKILL"): boolean {
  if (!lives(process_)) return false;
  try {
    process.kill(process_.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Waits until all have ended; those that have not by then. */
export async function untilGone(processes: readonly Process[], timeoutMs: number): Promise<Process[]> {
  let left = processes.filter(lives);
  for (const end = Date.now() + timeoutMs; left.length > 0 && Date.now() < end; left = left.filter(lives))
    await sleep(50);
  return left;
}
