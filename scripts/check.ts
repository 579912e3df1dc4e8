// What must hold before a commit, in seconds: format and lint, types, unit tests. `npm run check`
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const binOf = (name: string, path: string): string => join(dirname(require.resolve(`${name}/package.json`)), path);

const steps: [title: string, program: string, ...arguments_: string[]][] = [
  ["format and lint", binOf("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings"],
  ["types", binOf("typescript", "bin/tsc")],
  ["unit tests", join(root, "scripts", "test.ts"), "unit"],
];

for (const [title, ...command] of steps) {
  const startedAt = Date.now();
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
  process.stdout.write(
    `${title}: ${status === 0 ? "good" : "BAD"}, ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`,
  );
  if (status !== 0) process.exit(status ?? 1);
}
