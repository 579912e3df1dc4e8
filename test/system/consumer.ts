import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const timeoutMs = 60_000;

/** A project outside the repository that depends on the packed tarball. */
export interface Consumer {
  readonly folder: string;
  write(files: Record<string, string>): void;
  /** Standard output of Node.js running in the project. */
  node(...args: string[]): string;
  remove(): void;
}

const linkAll = (from: string, to: string): void => {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (name.startsWith(".") || name === "pulumi-ironic") continue;
    if (name.startsWith("@")) linkAll(join(from, name), join(to, name));
    else symlinkSync(join(from, name), join(to, name));
  }
};

/** Unpacks `tarball` into a new project; all else comes from the repository's node_modules, so nothing is downloaded. */
export const makeConsumer = (tarball: string, manifest: Record<string, unknown> = {}): Consumer => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pulumi-ironic-consumer-")));
  const modules = join(folder, "node_modules");
  linkAll(join(root, "node_modules"), modules);
  const own = join(modules, "pulumi-ironic");
  mkdirSync(own);
  execFileSync("tar", ["-xzf", tarball, "-C", own, "--strip-components=1"], { timeout: timeoutMs });
  const write = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };
  write({ "package.json": JSON.stringify({ name: "consumer", private: true, ...manifest }) });
  return {
    folder,
    write,
    node: (...args) => {
      try {
        // The links must look like installed packages, to the SDK as well.
        return execFileSync(process.execPath, ["--preserve-symlinks", ...args], {
          cwd: folder,
          encoding: "utf8",
          timeout: timeoutMs,
          stdio: ["ignore", "pipe", "pipe"],
        });
      } catch (error) {
        const { stdout, stderr } = error as { stdout?: string; stderr?: string };
        throw new Error(`node ${args.join(" ")} failed:\n${stdout ?? ""}${stderr ?? error}`);
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};
