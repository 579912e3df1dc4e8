// Debian 12's own Ironic (21.4), taken from Debian's packages without installing them: they are unpacked into the cache and
// run with the system's Python. So it needs no root, leaves no service behind and nothing on the system.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import type { IronicPrograms } from "./ironic.ts";
import { LabError, type Log } from "./problem.ts";
import { onPath, run } from "./processes.ts";

const codename = "bookworm";

/** Why Debian's Ironic can't be had on this machine, or undefined when it can. */
export function whyNoDebian(): string | undefined {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!release.includes(`VERSION_CODENAME=${codename}`)) return "this machine is not Debian 12";
  return ["apt-get", "dpkg-deb"].every((program) => onPath(program)) ? undefined : "apt-get or dpkg-deb is missing";
}

export async function debianIronic(log: Log): Promise<IronicPrograms> {
  const problem = whyNoDebian();
  if (problem !== undefined) throw new LabError(`Debian's Ironic is not to be had: ${problem}`, "Use --ironic latest");
  const folder = await cached(`ironic-debian12-${process.arch}`, (part) => unpack(part, log), log);
  const version = readFileSync(join(folder, "version"), "utf8").trim();
  return { ironic: join(folder, "bin", "ironic"), dbsync: join(folder, "bin", "ironic-dbsync"), version };
}

async function unpack(part: string, log: Log): Promise<void> {
  const lists = join(part, "lists");
  const debs = join(part, "debs");
  const root = join(part, "root");
  for (const folder of [
    join(lists, "partial"),
    join(part, "apt", "archives", "partial"),
    debs,
    root,
    join(part, "bin"),
  ])
    mkdirSync(folder, { recursive: true });
  // Package lists of our own: those of the system may be missing or old, and only root may renew them.
  const own = [`Dir::State::lists=${lists}`, `Dir::Cache=${join(part, "apt")}`, "Debug::NoLocking=true"];
  if (process.getuid?.() === 0) own.push("APT::Sandbox::User=root");
  const apt = (args: string[], cwd = part) =>
    run("apt-get", [...own.flatMap((option) => ["-o", option]), ...args], {
      cwd,
      env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
      label: `Fetching Debian's Ironic (apt-get ${args[0]})`,
      log,
      timeoutMs: 900_000,
      advice: "Check that Debian's package archive is reachable",
    });
  log("Fetching Debian's Ironic (once)");
  await apt(["update", "--quiet"]);
  const plan = await apt(["install", "--simulate", "--no-install-recommends", "python3-ironic", "ironic-common"]);
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));
  await apt(["download", "--quiet", ...new Set([...missing, "python3-ironic", "ironic-common"])], debs);
  for (const deb of readdirSync(debs))
    await run("dpkg-deb", ["--extract", join(debs, deb), root], { timeoutMs: 60_000 });
  const deb = readdirSync(debs).find((name) => name.startsWith("python3-ironic_")) ?? "";
  writeFileSync(join(part, "version"), await run("dpkg-deb", ["--field", join(debs, deb), "Version"]));
  for (const program of ["ironic", "ironic-dbsync"])
    writeFileSync(join(part, "bin", program), launcher(program), { mode: 0o755 });
  for (const folder of [lists, debs, join(part, "apt")]) rmSync(folder, { recursive: true, force: true });
}

/** Finds its libraries beside itself, so the folder can be moved. */
function launcher(program: string): string {
  return `#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")/root
export PYTHONPATH="$root/usr/lib/python3/dist-packages" PYTHONNOUSERSITE=1
export LD_LIBRARY_PATH="$(echo "$root"/usr/lib/*-linux-gnu)"
python=/usr/bin/python3
[ -x "$root/usr/bin/python3.11" ] && python="$root/usr/bin/python3.11"
exec "$python" "$root/usr/bin/${program}" "$@"
`;
}
