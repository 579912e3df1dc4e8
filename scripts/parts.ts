// The parts of the tests: which files, with which limits, and how long each file takes.
import { globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

export interface Part {
  files: string;
  except: string[];
  /** Of one test. */
  timeoutMs: number;
  retries: number;
  /** On two cores with warm caches. More is said, and is no failure: machines are noisy. */
  budgetMinutes: number;
  /** A process for each file, or a few processes for all: a process of its own costs a second or two. */
  processes: "per-file" | "few";
}

/** From the fastest to the slowest, and from the parts to the whole. */
export const parts: Readonly<Record<string, Part>> = {
  unit: {
    files: "test/**/*.test.ts",
    except: ["test/system/**", "test/engine/**"],
    timeoutMs: 10_000,
    retries: 0,
    budgetMinutes: 1.5,
    processes: "few",
  },
  // Real processes on a busy machine: a second try is allowed, and said.
  system: {
    files: "test/system/**/*.test.ts",
    except: [],
    timeoutMs: 300_000,
    retries: 1,
    budgetMinutes: 5,
    processes: "per-file",
  },
  engine: {
    files: "test/engine/**/*.test.ts",
    except: [],
    timeoutMs: 300_000,
    retries: 1,
    budgetMinutes: 23,
    processes: "per-file",
  },
};

export function partOf(name: string): Part {
  const part = parts[name];
  if (!part) throw new Error(`There is no part ${name}; there is ${Object.keys(parts).join(", ")}.`);
  return part;
}

export const filesOf = (part: Part): string[] => globSync(part.files, { cwd: root, exclude: part.except }).sort();

/** Seconds that each test file took when it was last recorded (`npm test -- --record`). Only the order comes from it. */
const recordFile = join(root, "scripts", "test-seconds.json");
const recorded = JSON.parse(readFileSync(recordFile, "utf8")) as Record<string, number>;

/** Bytes of a test file that run in a second, roughly: for one that was never recorded. */
const BYTES_PER_SECOND: Readonly<Record<Part["processes"], number>> = { few: 20_000, "per-file": 100 };

export const secondsOf =
  (part: Part) =>
  (file: string): number =>
    recorded[file] ?? statSync(join(root, file)).size / BYTES_PER_SECOND[part.processes];

/** Keeps what was measured; forgets files that are gone. */
export function record(seconds: Readonly<Record<string, number>>): void {
  const known = new Set(Object.values(parts).flatMap(filesOf));
  const all = Object.entries({ ...recorded, ...seconds }).filter(([file]) => known.has(file));
  const sorted = Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(recordFile, `${JSON.stringify(sorted, null, 2)}\n`);
}
