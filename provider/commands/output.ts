/** Where a command puts what it makes. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { ProblemError } from "../core/index.ts";

export interface Output {
  write(text: string): void;
  /** Leaves nothing behind: the command failed. */
  discard(): void;
}

export interface OutputOptions {
  /** Of `--output`; `-` is standard output. */
  file: string | undefined;
  /** Secrets that will be in it, for messages. They go to standard output only where that was asked for. */
  holds: readonly string[];
  print(text: string): void;
}

/** Readable by its user only, whatever the umask. */
const MODE = 0o600;

/** Opened before anything is done that cannot be undone. Throws a ProblemError. */
export function openOutput({ file, holds, print }: OutputOptions): Output {
  if (file !== undefined && file !== "-") return newFile(file);
  if (file === undefined && holds.length > 0)
    throw new ProblemError({
      code: "cli-secret-exposed",
      problem: `The output contains ${holds.join(" and ")} in plain text, and a shell makes files that others can read`,
      advice: "Use --output FILE, which only you can read, or --output - for standard output. Nothing was written.",
    });
  return { write: print, discard: () => undefined };
}

/** A file that is there already may be readable by others, or open in another process. */
function newFile(file: string): Output {
  let descriptor: number;
  try {
    descriptor = openSync(file, "wx", MODE);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ProblemError({
      code: "cli-usage",
      problem: code === "EEXIST" ? `The file ${file} exists already` : `The file ${file} cannot be made (${code})`,
      advice: "Name a new file in --output: none is overwritten. Nothing was written.",
      cause,
    });
  }
  return {
    write: (text) => {
      writeSync(descriptor, `${text}\n`);
      closeSync(descriptor);
    },
    discard: () => rmSync(file, { force: true }),
  };
}
