// After a create that was killed, a destroy knows nothing of it. What then stays on nodes has to be found and given back
// with the tool that users have for it: `pulumi-ironic claims`.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Access } from "./accounts.ts";
import type { Outcome } from "./pulumi-process.ts";

const program = fileURLToPath(new URL("../provider/cli.ts", import.meta.url));
const DEADLINE_MS = 120_000;

async function claims({ env, config }: Access, args: readonly string[]): Promise<Outcome> {
  const started = Date.now();
  const connection = Object.entries(config).flatMap(([key, value]) => ["--config", `${key}=${value}`]);
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

/** Lists what the stack holds. */
export async function listed(access: Access, stackId: string): Promise<Leftovers> {
  const list = await claims(access, ["--stack-id", stackId, "--json"]);
  const found = list.code === 0 ? (JSON.parse(list.output) as { node: string }[]) : [];
  return { listed: new Set(found.map(({ node }) => node)), outcomes: [list] };
}

/** Lists what the stack holds, then releases it. */
export async function giveBack(access: Access, stackId: string): Promise<Leftovers> {
  const before = await listed(access, stackId);
  const release = await claims(access, ["--stack-id", stackId, "--release", "--no-state"]);
  return { ...before, outcomes: [...before.outcomes, release] };
}
