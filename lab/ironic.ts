// A real all-in-one Ironic: the Python environment it comes from, its configuration, and starting it.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cached } from "./cache.ts";
import { LabError, type Log } from "./problem.ts";
import { type Child, isAlive, onPath, run, spawnDetached, tailOf } from "./processes.ts";

/** Pinned so that every machine tests against the same servers and clients. */
const pins = {
  latest: ["ironic==39.0.0", "python-ironicclient==6.3.0", "openstacksdk==4.22.0", "python-openstackclient==10.5.0"],
  keystone: ["keystone==30.0.0", "gunicorn==27.0.1"],
} as const;
const pythons = ["python3", "python3.13", "python3.12", "python3.11", "python3.10"];

/** A folder with bin/python, made once per machine: `latest` is Ironic and the clients, `keystone` a Keystone. */
export async function ensurePython(kind: keyof typeof pins, log: Log): Promise<string> {
  const name = `${kind === "latest" ? "ironic" : kind}-${pins[kind][0].split("==")[1]}`;
  return cached(
    name,
    async (folder) => {
      const python = pythons.map((name) => onPath(name)).find((path) => path !== undefined);
      if (python === undefined)
        throw new LabError("There is no python3", "Install Python 3.10 or newer with venv and pip");
      log(`Making a Python environment with ${pins[kind].join(", ")} (a minute or two, once)`);
      const advice = "Check that python3 has venv and pip, and that the Python package index is reachable";
      await run(python, ["-m", "venv", folder], { advice });
      const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...pins[kind]];
      await run(join(folder, "bin", "python"), pip, {
        label: `Installing ${pins[kind][0]}`,
        log,
        timeoutMs: 1_800_000,
        advice,
      });
    },
    log,
    true, // programs of a virtual environment hold its path
  );
}

/** Options of an Ironic that a lab may vary. */
export interface IronicOptions {
  flavour: "latest" | "debian";
  auth: "none" | "basic" | "keystone";
  /** `[fake]` delays in seconds by kind, such as {power: 1, boot: "2,5"}. */
  delays: Record<string, number | string>;
  /** Default true; false switches `[conductor] node_history` off. */
  nodeHistory: boolean;
  /** Seconds; default 0, never. */
  syncPowerStateInterval: number;
  /** Further settings: {"conductor.max_concurrent_deploy": "2"}. */
  settings: Record<string, string>;
}

/** Places and addresses of one Ironic in a lab. */
export interface IronicSite {
  dir: string;
  port: number;
  /** As clients see it. */
  publicUrl: string;
  keystoneConfig?: Record<string, string>;
}

type Settings = Record<string, Record<string, string | number | boolean>>;

/** https://docs.openstack.org/ironic/latest/configuration/config.html */
function ironicConfig(site: IronicSite, options: IronicOptions): string {
  const { dir, port } = site;
  const own = `http://127.0.0.1:${port}`;
  const settings: Settings = {
    DEFAULT: {
      auth_strategy: { none: "noauth", basic: "http_basic", keystone: "keystone" }[options.auth],
      host: "lab",
      my_ip: "127.0.0.1",
      rpc_transport: "none",
      use_stderr: true,
      log_file: "",
      isolinux_bin: "/usr/lib/ISOLINUX/isolinux.bin",
      ...interfaceSettings(options.flavour),
    },
    api: { host_ip: "127.0.0.1", port, public_endpoint: site.publicUrl },
    agent: { require_tls: false, certificates_path: join(dir, "certificates") },
    conductor: {
      automated_clean: true,
      deploy_callback_timeout: 0,
      inspect_timeout: 0,
      sync_power_state_interval: options.syncPowerStateInterval,
      node_history: options.nodeHistory,
    },
    database: { connection: `sqlite:///${join(dir, "ironic.sqlite")}` },
    deploy: { http_root: join(dir, "www"), http_url: "http://127.0.0.1:1" },
    dhcp: { dhcp_provider: "none" },
    fake: Object.fromEntries(Object.entries(options.delays).map(([kind, seconds]) => [`${kind}_delay`, seconds])),
    oslo_concurrency: { lock_path: join(dir, "locks") },
    pxe: {
      tftp_root: join(dir, "tftp"),
      tftp_master_path: join(dir, "tftp-master"),
      images_path: join(dir, "images"),
      instance_master_path: join(dir, "images-master"),
    },
    // Where the agent would call; without it, cleaning on a standalone Ironic fails.
    service_catalog: { auth_type: "none", endpoint_override: own },
  };
  if (options.auth === "basic")
    settings.DEFAULT = { ...settings.DEFAULT, http_basic_auth_user_file: join(dir, "htpasswd") };
  if (site.keystoneConfig !== undefined) settings.keystone_authtoken = site.keystoneConfig;
  for (const [key, value] of Object.entries(options.settings)) {
    const [section = "", name = ""] = key.split(/\.(.*)/s);
    settings[section] = { ...settings[section], [name]: value };
  }
  return Object.entries(settings)
    .map(([section, values]) => {
      const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
      return `[${section}]\n${lines.join("\n")}\n`;
    })
    .join("\n");
}

function interfaceSettings(flavour: IronicOptions["flavour"]): Record<string, string> {
  const enabled: Record<string, string> = {
    bios: "fake,no-bios",
    boot: "fake,ipxe,pxe,http-ipxe,redfish-virtual-media",
    console: "fake,no-console",
    deploy: "direct,ramdisk,fake",
    firmware: "fake,no-firmware",
    inspect: "fake,no-inspect",
    management: "fake,redfish",
    network: "noop",
    power: "fake,redfish",
    raid: "fake,no-raid",
    rescue: "fake,no-rescue",
    storage: "fake,noop",
    vendor: "fake,no-vendor",
  };
  if (flavour === "debian") {
    delete enabled.firmware; // Ironic 22.0 and newer
    enabled.boot = "fake,ipxe,pxe,redfish-virtual-media"; // http-ipxe: Ironic 24.0 and newer
  }
  const lists = Object.entries(enabled).map(([kind, names]) => [`enabled_${kind}_interfaces`, names]);
  return {
    enabled_hardware_types: "fake-hardware,redfish",
    default_deploy_interface: "direct", // an operator's usual default: a ramdisk deploy has to ask for `ramdisk`
    ...Object.fromEntries(lists),
  };
}

/** How to call the programs of one Ironic. */
export interface IronicPrograms {
  ironic: string;
  dbsync: string;
  version: string;
}

/** Makes folders, configuration and an empty database. */
export async function prepareIronic(
  programs: IronicPrograms,
  site: IronicSite,
  options: IronicOptions,
  log: Log,
): Promise<void> {
  const empty = await cached(
    `schema-${options.flavour}-${programs.version}`,
    async (folder) => {
      log("Making an empty Ironic database (once)");
      const conf = join(folder, "schema.conf");
      writeFileSync(conf, `[database]\nconnection = sqlite:///${join(folder, "ironic.sqlite")}\n`);
      const args = ["--config-file", conf, "create_schema"];
      await run(programs.dbsync, args, { cwd: folder, env: ironicEnv(), timeoutMs: 180_000 });
    },
    log,
  );
  layOut(site, options, join(empty, "ironic.sqlite"));
}

/** Puts a stopped Ironic back to the moment of `keepPristine`. */
export function resetIronic(site: IronicSite, options: IronicOptions): void {
  layOut(site, options, join(site.dir, "pristine.sqlite"));
}

/** Copies the database of a running Ironic. By SQLite itself, since a plain copy might catch it in the middle of a write. */
export async function keepPristine(python: string, dir: string): Promise<void> {
  const copy = join(dir, "pristine.sqlite");
  rmSync(copy, { force: true });
  const code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=30).execute('VACUUM INTO ?', (sys.argv[2],))";
  await run(python, ["-c", code, join(dir, "ironic.sqlite"), copy], { timeoutMs: 60_000 });
}

function layOut(site: IronicSite, options: IronicOptions, database: string): void {
  const { dir } = site;
  for (const name of ["www", "tftp", "tftp-master", "images", "images-master", "locks", "certificates"]) {
    rmSync(join(dir, name), { recursive: true, force: true });
    mkdirSync(join(dir, name), { recursive: true });
  }
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(join(dir, `ironic.sqlite${suffix}`), { force: true });
  copyFileSync(database, join(dir, "ironic.sqlite"));
  writeFileSync(join(dir, "ironic.conf"), ironicConfig(site, options), { mode: 0o600 });
}

/** The environment of all servers: loopback is never reached through a proxy, and no OpenStack variable of the user leaks in. */
export function ironicEnv(): NodeJS.ProcessEnv {
  const mine = Object.entries(process.env).filter(([key]) => !/^(OS_|LAB_|PYTHON)/.test(key));
  return {
    ...Object.fromEntries(mine),
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",
    PYTHONUNBUFFERED: "1",
  };
}

/** Starts Ironic and waits until its API answers; `begun` is told of the process before the wait. */
export async function startIronic(
  programs: IronicPrograms,
  site: IronicSite,
  begun: (child: Child) => void,
): Promise<void> {
  const { dir, port } = site;
  const log = join(dir, "logs", "ironic.log");
  const earlier = existsSync(log) ? statSync(log).size : 0;
  const child = spawnDetached("ironic", programs.ironic, ["--config-file", join(dir, "ironic.conf")], log, {
    env: ironicEnv(),
    cwd: dir,
  });
  begun(child);
  await untilAnswers(child, `http://127.0.0.1:${port}/`, 120_000, () => restartsForEver(log, earlier));
}

/** Ironic's master process starts a worker that cannot start again and again, and never ends by itself. */
function restartsForEver(log: string, from: number): boolean {
  return readFileSync(log).subarray(from).includes("Forking too fast");
}

/** Waits until a server answers at all; when its process ends first, says why. */
export async function untilAnswers(
  child: Child,
  url: string,
  timeoutMs: number,
  isHopeless: () => boolean = () => false,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(100)) {
    if (!isAlive(child) || isHopeless())
      throw new LabError(`${child.name} could not start`, `Its log is ${child.log}`, tailOf(child.log));
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
      await response.arrayBuffer();
      if (response.status < 500) return;
    } catch {
      // not yet
    }
  }
  throw new LabError(`${child.name} does not answer at ${url}`, `Its log is ${child.log}`, tailOf(child.log));
}

/**
 * A port that nobody listens on, below the range from which systems take the ports of outgoing connections: a server
 * that is killed and started again must find its port free.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
  throw new LabError(
    "No free port was found between 20000 and 32000",
    "Stop other labs: npm run lab -- stop --dir <its folder>",
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Programs of the pinned Ironic. */
export async function latestIronic(log: Log): Promise<IronicPrograms & { python: string; baremetal: string }> {
  const folder = await ensurePython("latest", log);
  const bin = join(folder, "bin");
  const programs = { ironic: join(bin, "ironic"), dbsync: join(bin, "ironic-dbsync"), version: "39.0.0" };
  if (!existsSync(programs.ironic)) throw new LabError(`${folder} is not whole`, "Remove it and start again");
  return { ...programs, python: join(bin, "python"), baremetal: join(bin, "baremetal") };
}
