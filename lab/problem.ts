/** A lab failure as a person should read it: what went wrong, what to do, and the last lines of the log that shows why. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly problem: string;
  readonly advice: string;
  readonly logTail: string;

  constructor(problem: string, advice: string, logTail = "") {
    super(`${problem}. ${advice}${logTail === "" ? "" : `\nLast lines of the log:\n${logTail}`}`);
    this.problem = problem;
    this.advice = advice;
    this.logTail = logTail;
  }
}

/** Where progress goes: one line a call. */
export type Log = (line: string) => void;

/** The last `count` lines of a text, for error messages. */
export function lastLines(text: string, count = 20): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
