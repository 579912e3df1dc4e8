// Ending a lab: exactly the processes that its start began, and nothing else.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "./problem.ts";
import { isAlive, stopChild, withLock } from "./processes.ts";
import { readRecord } from "./record.ts";

/** Held while a lab in this folder is started, stopped or reset. */
export function labLock(dir: string): string {
  return join(dir, "lab.lock");
}

/** Stops the lab in `dir` and gives how many of its processes still ran. Its logs stay. `except` is a pid to leave alone. */
export async function stopLab(dir: string, log: Log = () => {}, except?: number): Promise<number> {
  if (!existsSync(dir)) return 0;
  return withLock(labLock(dir), () => stopUnlocked(dir, log, except), log);
}

export async function stopUnlocked(dir: string, log: Log, except?: number): Promise<number> {
  const record = readRecord(dir);
  if (record === undefined) return 0;
  const alive = record.children.filter((child) => child.pid !== except && isAlive(child));
  // Together, as none needs another to end well.
  await Promise.all(
    alive.map(async (child) => {
      await stopChild(child);
      log(`${child.name} (pid ${child.pid}) has ended`);
    }),
  );
  rmSync(join(dir, "lab.json"), { force: true });
  return alive.length;
}

/** For a start that is interrupted: what runs well is left alone. Only the process that holds the lock may call it. */
export async function stopUnfinished(dir: string, log: Log): Promise<void> {
  if (readRecord(dir)?.finished === false) await stopUnlocked(dir, log);
}
