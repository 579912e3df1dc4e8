// Pulumi in this checkout, whichever Node.js is installed: `npm run pulumi -- up --stack dev`. The engine, its program and
// its provider process take `node` from PATH, where scripts/run.mjs put ours first. All else is the user's own: backend,
// stacks, plug-ins.
import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { ensureEngine } from "../lab/engine.ts";

const engine = await ensureEngine((text) => void process.stderr.write(`${text}\n`));
const path = [engine.bin, process.env.PATH].filter(Boolean).join(delimiter);
const child = spawn(engine.pulumi, process.argv.slice(2), { stdio: "inherit", env: { ...process.env, PATH: path } });
// The terminal sends them to the engine as well, which ends in its own time.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
child.once("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
child.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
