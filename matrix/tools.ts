// The readers, each of a known version, in the cache: nothing is installed on the machine.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../lab/cache.ts";
import { whyNoDebian } from "../lab/debian.ts";
import { ensurePython } from "../lab/ironic.ts";
import { LabError, type Log } from "../lab/problem.ts";
import { onPath, run } from "../lab/processes.ts";

const GLEAN = "1.25.1";
// What Debian's cloud-init depends on, as far as its config drive reader imports it.
const CLOUD_INIT_NEEDS = [
  "configobj==5.0.9",
  "Jinja2==3.1.6",
  "jsonpatch==1.33",
  "jsonschema==4.26.0",
  "oauthlib==3.3.1",
  "PyYAML==6.0.3",
  "requests==2.32.5",
];

/** Debian packages unpacked into a folder of the cache; the folder has `root` with their files and `version` of the first. */
async function unpackDebian(name: string, packages: readonly string[], log: Log): Promise<string> {
  const problem = whyNoDebian();
  if (problem !== undefined)
    throw new LabError(`Debian's ${packages[0]} is not to be had: ${problem}`, "Run this on Debian 12");
  return cached(
    name,
    async (part) => {
      const lists = join(part, "lists");
      const debs = join(part, "debs");
      for (const folder of [
        join(lists, "partial"),
        join(part, "apt", "archives", "partial"),
        debs,
        join(part, "root"),
      ]) {
        mkdirSync(folder, { recursive: true });
      }
      const own = [
        `Dir::State::lists=${lists}`,
        `Dir::Cache=${join(part, "apt")}`,
        "Debug::NoLocking=true",
        "APT::Sandbox::User=root",
      ];
      const apt = (args: string[]) =>
        run("apt-get", [...own.flatMap((option) => ["-o", option]), ...args], {
          cwd: debs,
          env: { ...process.env, LC_ALL: "C" },
          timeoutMs: 300_000,
          advice: "Check that Debian's package archive is reachable",
        });
      log(`Fetching Debian's ${packages.join(", ")} (once)`);
      await apt(["update", "--quiet"]);
      await apt(["download", "--quiet", ...packages]);
      for (const deb of readdirSync(debs))
        await run("dpkg-deb", ["--extract", join(debs, deb), join(part, "root")], { timeoutMs: 60_000 });
      const first = readdirSync(debs).find((each) => each.startsWith(`${packages[0]}_`)) ?? "";
      writeFileSync(
        join(part, "version"),
        await run("dpkg-deb", ["--field", join(debs, first), "Version"], { timeoutMs: 60_000 }),
      );
      for (const folder of [lists, debs, join(part, "apt")]) rmSync(folder, { recursive: true, force: true });
    },
    log,
  );
}

/** Libraries of programs that were unpacked rather than installed. */
const libraryPath = (folder: string): string =>
  readdirSync(join(folder, "root", "usr", "lib"))
    .filter((each) => each.endsWith("-linux-gnu"))
    .map((each) => join(folder, "root", "usr", "lib", each))
    .join(":");

/** Environment in which `genisoimage`, which Ironic's builder calls, and `xorriso` are found. */
export async function isoTools(log: Log): Promise<NodeJS.ProcessEnv> {
  if (onPath("genisoimage") && onPath("xorriso") && onPath("isoinfo")) return { ...process.env };
  const packages = [
    "xorriso",
    "libisoburn1",
    "libisofs6",
    "libburn4",
    "libjte2",
    "genisoimage",
    "libmagic1",
    "libmagic-mgc",
  ];
  const folder = await unpackDebian("iso-tools-debian12", packages, log);
  return {
    ...process.env,
    PATH: `${join(folder, "root", "usr", "bin")}:${process.env.PATH ?? ""}`,
    LD_LIBRARY_PATH: libraryPath(folder),
  };
}

export interface Readers {
  ironicPython: string;
  readersPython: string;
  env: NodeJS.ProcessEnv;
  versions: Record<"ironic" | "cloud-init" | "glean", string>;
}

export async function ensureReaders(log: Log): Promise<Readers> {
  const ironic = await ensurePython("latest", log);
  const cloudInit = await unpackDebian("cloud-init-debian12", ["cloud-init"], log);
  const readers = await cached(
    `config-drive-readers-${GLEAN}`,
    async (folder) => {
      const python = onPath("python3");
      if (python === undefined)
        throw new LabError("There is no python3", "Install Python 3.10 or newer with venv and pip");
      log(`Installing glean ${GLEAN} and what cloud-init needs (once)`);
      await run(python, ["-m", "venv", folder], { timeoutMs: 120_000 });
      const pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        `glean==${GLEAN}`,
        ...CLOUD_INIT_NEEDS,
      ];
      await run(join(folder, "bin", "python"), pip, {
        timeoutMs: 600_000,
        advice: "Check that the Python package index is reachable",
      });
    },
    log,
    true,
  );
  const packages = join(cloudInit, "root", "usr", "lib", "python3", "dist-packages");
  if (!existsSync(packages))
    throw new LabError("Debian's cloud-init has no Python packages where they are expected", `Remove ${cloudInit}`);
  return {
    ironicPython: join(ironic, "bin", "python"),
    readersPython: join(readers, "bin", "python"),
    env: { ...(await isoTools(log)), PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1", EVENTLET_NO_GREENDNS: "yes" },
    versions: { ironic: "39.0.0", "cloud-init": readFileSync(join(cloudInit, "version"), "utf8").trim(), glean: GLEAN },
  };
}
