// Runs one of this project's programs on a machine where nothing is installed: `node scripts/run.mjs FILE.ts [ARGUMENT…]`.
// Plain JavaScript for any Node from 20 on; what it starts runs on the Node that package.json pins.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
const INSTALL_TIMEOUT_MS = 15 * 60_000;

/** Packages by path, with their versions, as a lock file has them. */
const packagesOf = (file) =>
  Object.entries(JSON.parse(readFileSync(file, "utf8")).packages).filter(
    ([path, { optional, link }]) => path !== "" && !optional && !link,
  );

/** Does node_modules hold what the lock file asks for? */
const isInstalled = () => {
  const hidden = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(hidden) || !existsSync(node)) return false;
  const present = new Map(packagesOf(hidden).map(([path, { version }]) => [path, version]));
  return packagesOf(join(root, "package-lock.json")).every(
    ([path, { version, peer, dev }]) => present.get(path) === version || (peer && !dev),
  );
};

if (!isInstalled()) {
  process.stdout.write(`Installing the packages of package-lock.json (npm ci)\n`);
  const options = { cwd: root, stdio: "inherit", timeout: INSTALL_TIMEOUT_MS, shell: process.platform === "win32" };
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], options);
  if (error || status !== 0) {
    process.stderr.write(`npm ci failed${error ? `: ${error.message}` : ""}. Its own messages are above.\n`);
    process.exit(1);
  }
}

const [file, ...rest] = process.argv.slice(2);
const path = [bin, process.env.PATH].filter(Boolean).join(delimiter);
const ended = spawnSync(node, [join(root, file ?? ""), ...rest], {
  stdio: "inherit",
  env: { ...process.env, PATH: path },
});
process.exit(ended.status ?? 1);
