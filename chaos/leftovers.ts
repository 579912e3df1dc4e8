// After a create that was killed, a destroy knows nothing of it. What then stays on nodes has to be found and given back
// with the tool that users have for it: `pulumi-ironic claims`.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./pulumi-process.ts";

const program = fileURLToPath(new URL("../provider/cli.ts", import.meta.url));
const DEADLINE_MS = 120_000;

async function claims(env: Record<string, string>, url: string, args: readonly string[]): Promise<Outcome> {
  const started = Date.now();
  const connection = ["--config", `ironic:endpoint=${url}`, "--config", "ironic:authType=none"];
  const child = spawn(process.execPath, [program, "claims", ...args, ...connection], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    errors += data.toString();
  });
  const code = await new Promise<number | undefined>((resolve) => {
    child.on("close", (exit) => resolve(exit ?? undefined));
  });
  const failed = code !== 0;
  const text = failed ? `${output}\n${errors}` : output;
  return {
    command: "claims",
    code,
    seconds: (Date.now() - started) / 1000,
    output: text,
    timedOut: code === undefined,
  };
}

export interface Leftovers {
  /** Nodes that the command lists for the stack. */
  listed: Set<string>;
  outcomes: Outcome[];
}

/** Lists what the stack holds, then releases it. */
export async function giveBack(env: Record<string, string>, url: string, stackId: string): Promise<Leftovers> {
  const list = await claims(env, url, ["--stack-id", stackId, "--json"]);
  const found = list.code === 0 ? (JSON.parse(list.output) as { node: string }[]) : [];
  const release = await claims(env, url, ["--stack-id", stackId, "--release", "--no-state"]);
  return { listed: new Set(found.map(({ node }) => node)), outcomes: [list, release] };
}
