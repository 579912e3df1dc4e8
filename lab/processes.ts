// Running other programs: short ones with a deadline and visible progress, long ones detached from us, and ending exactly
// those we began. A process is known by pid *and* start time, since pids are used again.
import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError, type Log, lastLines } from "./problem.ts";

/** A process that the lab began: leader of its own process group. */
export interface Child {
  name: string;
  pid: number;
  /** What tells this process from a later one with the same pid. */
  born: string;
  log: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Default 10 minutes. */
  timeoutMs?: number;
  /** Shown while it runs, once in ten seconds; without it the run is silent. */
  label?: string;
  log?: Log;
  /** Sent to standard input. */
  input?: string;
  /** Advice in the error when it fails. */
  advice?: string;
}

/** Groups of programs that `run` waits for: they must not outlive us. */
const waitedFor = new Set<number>();
process.on("exit", () => {
  for (const pid of waitedFor) signalGroup(pid, "SIGKILL");
});

/** Runs a program to its end and gives its standard output; throws LabError with the last 20 lines when it fails. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const {
    cwd,
    env,
    timeoutMs = 600_000,
    label,
    log,
    input,
    advice = "Nothing was left half-made; run it again",
  } = options;
  const started = Date.now();
  const spawnOptions: SpawnOptions = { env: env ?? process.env, stdio: ["pipe", "pipe", "pipe"], detached: true };
  if (cwd !== undefined) spawnOptions.cwd = cwd;
  const child = spawn(command, args, spawnOptions);
  if (child.pid !== undefined) waitedFor.add(child.pid);
  let output = "";
  let standardOutput = "";
  let timedOut = false;
  child.stdout?.on("data", (data: Buffer) => {
    standardOutput += data.toString();
    output = (output + data.toString()).slice(-65_536);
  });
  child.stderr?.on("data", (data: Buffer) => {
    output = (output + data.toString()).slice(-65_536);
  });
  child.stdin?.on("error", () => {}); // a program may end without reading its input
  child.stdin?.end(input ?? "");
  const killer = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  }, timeoutMs);
  const ticker = setInterval(() => {
    if (label !== undefined) log?.(`${label} … ${Math.round((Date.now() - started) / 1000)} s`);
  }, 10_000);
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.on("error", (error) => reject(new LabError(`Could not run ${command}: ${error.message}`, advice)));
      child.on("close", (exit, signal) => resolve(exit ?? signal ?? "unknown"));
    });
    if (code === 0) return standardOutput;
    const how = timedOut ? `did not end within ${timeoutMs / 1000} s` : `ended with ${code}`;
    throw new LabError(`${label ?? `${command} ${args.join(" ")}`}: ${how}`, advice, lastLines(output));
  } finally {
    if (child.pid !== undefined) waitedFor.delete(child.pid);
    clearTimeout(killer);
    clearInterval(ticker);
  }
}

/** Starts a program that outlives us, in its own process group, its output appended to `log`. */
export function spawnDetached(
  name: string,
  command: string,
  args: readonly string[],
  log: string,
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Child {
  const output = openSync(log, "a");
  const spawnOptions: SpawnOptions = {
    detached: true,
    stdio: ["ignore", output, output],
    env: options.env ?? process.env,
  };
  if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
  const child = spawn(command, args, spawnOptions);
  closeSync(output);
  if (child.pid === undefined) {
    child.on("error", () => {});
    throw new LabError(`Could not start ${name} (${command})`, "Check that the program exists");
  }
  child.unref();
  // One that died before it was looked at may still have left a group behind.
  return { name, pid: child.pid, born: bornAt(child.pid) ?? bootId(), log };
}

/** The start time of a process in the kernel's own words, or undefined when there is no such process (or only its zombie). */
export function bornAt(pid: number): string | undefined {
  if (existsSync("/proc/self/stat")) {
    const fields = procStat(pid);
    if (fields === undefined || fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${bootId()}/${fields[19]}`;
  }
  const ps = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8", timeout: 5000 });
  const line = ps.status === 0 ? ps.stdout.trim() : "";
  if (line === "" || line.startsWith("Z")) return undefined;
  return line.replace(/^\S+\s+/, "");
}

/** Fields of /proc/<pid>/stat after the program's name, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (field 3 is [0]). */
function procStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** Whether any process of the child's group still lives. */
export function isAlive(child: Child): boolean {
  return isLeader(child) || orphansOf(child).length > 0;
}

function isLeader(child: Child): boolean {
  return child.born !== "" && bornAt(child.pid) === child.born;
}

/**
 * Members of the child's group after its leader died. The kernel does not give a pid away while a group has that number,
 * so as long as no living process has the leader's pid, the group is still the one we began.
 */
function orphansOf(child: Child): number[] {
  if (!existsSync("/proc/self/stat") || bornAt(child.pid) !== undefined || !child.born.startsWith(bootId())) return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const fields = procStat(pid);
      return (
        fields !== undefined && fields[0] !== "Z" && fields[2] === String(child.pid) && fields[3] === String(child.pid)
      );
    });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // gone already
  }
}

/** Ends a child and its whole group: politely first, for good after `graceMs`. Never touches a process that we did not begin. */
export async function stopChild(child: Child, graceMs = 5000): Promise<void> {
  if (!isAlive(child)) return;
  if (graceMs > 0) signalGroup(child.pid, "SIGTERM");
  for (const end = Date.now() + graceMs; Date.now() < end; await sleep(50)) if (!isAlive(child)) return;
  if (isAlive(child)) signalGroup(child.pid, "SIGKILL");
  for (const end = Date.now() + 5000; Date.now() < end; await sleep(20)) if (!isAlive(child)) return;
  throw new LabError(`${child.name} (pid ${child.pid}) does not end`, "End it by hand");
}

/** Runs `work` while no other process holds the lock at `path`. A lock whose holder died is taken over. */
export async function withLock<T>(path: string, work: () => Promise<T>, log?: Log, timeoutMs = 1_200_000): Promise<T> {
  const me = JSON.stringify({ pid: process.pid, born: bornAt(process.pid) });
  const deadline = Date.now() + timeoutMs;
  for (let told = false; ; await sleep(200)) {
    try {
      writeFileSync(path, me, { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (breakStaleLock(path)) continue;
    if (Date.now() > deadline)
      throw new LabError(`${path} is held for too long`, "Remove it if nothing works there any more");
    if (!told) log?.(`Waiting for another process that works on ${path.replace(/\.lock$/, "")}`);
    told = true;
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function breakStaleLock(path: string): boolean {
  try {
    const text = readFileSync(path, "utf8");
    const aged = Date.now() - statSync(path).mtimeMs > 5000; // an empty file is one being written, unless it stays empty
    if (text === "" && !aged) return false;
    const holder = text === "" ? undefined : (JSON.parse(text) as { pid: number; born: string });
    if (holder !== undefined && bornAt(holder.pid) === holder.born) return false;
    if (readFileSync(path, "utf8") === text) rmSync(path, { force: true });
    return true;
  } catch {
    return true;
  }
}

/** The file's last lines, or nothing when it is not there. */
export function tailOf(log: string, count = 20): string {
  return existsSync(log) ? lastLines(readFileSync(log, "utf8"), count) : "";
}

/** The first of the names found on PATH as an executable file. */
export function onPath(name: string, path = process.env.PATH ?? ""): string | undefined {
  return path
    .split(":")
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file) && statSync(file).isFile());
}
