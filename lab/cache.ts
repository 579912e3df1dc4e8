// The heavy things (engine, Python environments) live once per machine and version, outside the checkout.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Log } from "./problem.ts";
import { withLock } from "./processes.ts";

/** `$XDG_CACHE_HOME/pulumi-ironic`, made when missing. */
export function cacheRoot(): string {
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-ironic");
  mkdirSync(root, { recursive: true });
  return root;
}

/** Where a lab lives when nobody says otherwise: `$XDG_STATE_HOME/pulumi-ironic/lab`. */
export function defaultLabDir(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "pulumi-ironic", "lab");
}

/** Written last into a folder that could not be made elsewhere and renamed. */
const wholeMarker = ".whole";

/**
 * A folder of the cache that is there whole or not at all: `make` fills a folder beside it, which is then renamed; with
 * `inPlace` (for things that know their own path) a marker says that it is whole. Two processes never make one at once.
 */
export async function cached(
  name: string,
  make: (folder: string) => Promise<void>,
  log: Log,
  inPlace = false,
): Promise<string> {
  const folder = join(cacheRoot(), name);
  const isWhole = () => existsSync(inPlace ? join(folder, wholeMarker) : folder);
  if (isWhole()) return folder;
  await withLock(
    `${folder}.lock`,
    async () => {
      if (isWhole()) return;
      removeLeftovers(name);
      if (inPlace) {
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(folder);
        await make(folder);
        writeFileSync(join(folder, wholeMarker), "");
        return;
      }
      const unfinished = mkdtempSync(`${folder}.part-`);
      try {
        await make(unfinished);
        renameSync(unfinished, folder);
      } finally {
        rmSync(unfinished, { recursive: true, force: true });
      }
    },
    log,
  );
  return folder;
}

/** What a killed build left; only called under the lock, so nobody works there. */
function removeLeftovers(name: string): void {
  for (const entry of readdirSync(cacheRoot()))
    if (entry.startsWith(`${name}.part-`)) rmSync(join(cacheRoot(), entry), { recursive: true, force: true });
}
