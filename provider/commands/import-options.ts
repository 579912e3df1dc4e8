/** What `import` reads from files, so that no secret is among the arguments of a process. */
import { readFileSync } from "node:fs";
import { ProblemError } from "../core/index.ts";

/** Words in a kernel command line whose values are secrets; Ironic hides such values as well (oslo.utils, strutils). */
const SECRET_WORD = /(token|pass|secret)[\w.-]*=/i;

export interface ImportOptions {
  configDrive: string | undefined;
  kernelArguments: string | undefined;
  /** Which of them are secrets, for messages. */
  secrets: string[];
}

export interface ImportFiles {
  "config-drive"?: string | undefined;
  "kernel-arguments"?: string | undefined;
  "kernel-arguments-file"?: string | undefined;
}

export function readImportOptions(values: ImportFiles): ImportOptions {
  const { "config-drive": drive, "kernel-arguments": given, "kernel-arguments-file": file } = values;
  if (given !== undefined && SECRET_WORD.test(given))
    throw new ProblemError({
      code: "cli-secret-exposed",
      problem: "--kernel-arguments contain a secret, and other users of this machine see the arguments of a process",
      advice: "Change the secret if the machine has other users. Use --kernel-arguments-file FILE.",
    });
  const configDrive = drive === undefined ? undefined : contentOf(drive, "config drive", "--config-drive");
  const kernelArguments =
    file === undefined ? given : contentOf(file, "file of the kernel arguments", "--kernel-arguments-file");
  return {
    configDrive,
    kernelArguments,
    secrets: [
      ...(configDrive === undefined ? [] : ["the config drive"]),
      ...(file === undefined ? [] : ["the kernel arguments"]),
    ],
  };
}

function contentOf(file: string, what: string, option: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8").trim();
  } catch (cause) {
    throw new ProblemError({
      code: option === "--config-drive" ? "config-drive-unreadable" : "cli-usage",
      problem: `The ${what} ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      advice: `${option} expects a file with the same content as in the program.`,
      cause,
    });
  }
}
