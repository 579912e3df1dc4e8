// npm run lab -- start | stop | status | reset
import { parseArgs } from "node:util";
import { defaultLabDir } from "./cache.ts";
import { ensureEngine } from "./engine.ts";
import { type LabOptions, openLab, startLab } from "./lab.ts";
import { LabError } from "./problem.ts";
import { isAlive } from "./processes.ts";
import { stopLab, stopUnfinished } from "./stop.ts";

const usage = `npm run lab -- <command> [options]

  start      start a local Ironic with machines, and find or build the Pulumi engine
  status     addresses, processes, logs and nodes
  reset      bring the nodes back to what they were after start
  stop       end exactly what start began

  --nodes N                     machines (default 3)
  --ironic latest|debian        which Ironic (default latest; debian needs Debian 12 and root)
  --auth none|basic|keystone    how clients log in (default none)
  --tls                         HTTPS with an own authority, and a second port that wants a client certificate
  --token-life S                seconds that a Keystone token lives (default 3600)
  --delay KIND=S                [fake] delay in seconds, e.g. power=1 (may be repeated)
  --set SECTION.KEY=VALUE       any setting of Ironic (may be repeated)
  --no-history                  Ironic keeps no node history
  --no-engine                   leave the Pulumi engine alone
  --dir D                       folder of the lab (default ${defaultLabDir()})
  --json                        status as JSON
`;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: "string" },
    ironic: { type: "string" },
    auth: { type: "string" },
    tls: { type: "boolean" },
    "token-life": { type: "string" },
    delay: { type: "string", multiple: true },
    set: { type: "string", multiple: true },
    "no-history": { type: "boolean" },
    "no-engine": { type: "boolean" },
    dir: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const dir = flags.dir ?? defaultLabDir();
const say = (line: string) => process.stdout.write(`${line}\n`);

function oneOf<T extends string>(flag: string, value: string | undefined, choices: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw new LabError(`--${flag} ${value} is not known`, `Use ${choices.join(", ")}`);
  return choice;
}

function count(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,5}$/.test(value)) throw new LabError(`--${flag} ${value} is no number`, "Give a whole number");
  return Number(value);
}

function pairs(flag: string, values: string[] | undefined): Record<string, string> | undefined {
  return values === undefined
    ? undefined
    : Object.fromEntries(
        values.map((value) => {
          const at = value.indexOf("=");
          if (at < 1) throw new LabError(`--${flag} ${value} has no "="`, `Write --${flag} name=value`);
          return [value.slice(0, at), value.slice(at + 1)];
        }),
      );
}

/** Only what was said on the command line: the rest has its default in lab.ts. */
function options(): LabOptions {
  const all = {
    nodes: count("nodes", flags.nodes),
    flavour: oneOf("ironic", flags.ironic, ["latest", "debian"]),
    auth: oneOf("auth", flags.auth, ["none", "basic", "keystone"]),
    tls: flags.tls,
    tokenLifeSeconds: count("token-life", flags["token-life"]),
    delays: pairs("delay", flags.delay),
    settings: pairs("set", flags.set),
    nodeHistory: flags["no-history"] ? false : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function start(): Promise<void> {
  const started = Date.now();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      say("Interrupted: ending what was begun");
      // Unlocked, since the lock is our own.
      void stopUnfinished(dir, say).finally(() => process.exit(130));
    });
  const [lab, engine] = await Promise.all([
    startLab({ ...options(), dir, log: say }),
    flags["no-engine"] ? undefined : ensureEngine(say),
  ]);
  say(
    `The lab is ready (${((Date.now() - started) / 1000).toFixed(1)} s): Ironic at ${lab.url}, ${lab.nodes.length} nodes`,
  );
  if (engine !== undefined) say(`Pulumi ${engine.version}: ${engine.pulumi}`);
  say(`export OS_CLIENT_CONFIG_FILE=${lab.env.OS_CLIENT_CONFIG_FILE} OS_CLOUD=${lab.env.OS_CLOUD}`);
}

async function status(): Promise<void> {
  const lab = openLab(dir);
  if (lab === undefined) {
    say(flags.json ? JSON.stringify({ dir, running: false }) : `No lab runs in ${dir}`);
    return;
  }
  const processes = lab.processes.map((child) => ({
    name: child.name,
    pid: child.pid,
    alive: isAlive(child),
    log: child.log,
  }));
  const nodes = await listNodes(lab.ironicApi);
  const facts = {
    dir: lab.dir,
    running: processes.every(({ alive }) => alive),
    url: lab.url,
    ...lab.shape,
    images: lab.images,
    agentMode: await lab.agentMode().catch(() => "gone"),
    env: lab.env,
    clouds: lab.clouds,
    extras: lab.extras,
    python: lab.python,
    baremetal: lab.baremetal,
    processes,
    nodes,
  };
  if (flags.json) {
    say(JSON.stringify(facts, null, 2));
    return;
  }
  say(`Ironic   ${facts.url} (${lab.shape.flavour}, auth ${lab.shape.auth}${lab.shape.tls ? ", TLS" : ""})`);
  say(`images   ${lab.images.kernel} ${lab.images.ramdisk} ${lab.images.iso}`);
  say(`agent    ${facts.agentMode}`);
  for (const [name, value] of Object.entries(lab.extras)) say(`${name.padEnd(8)} ${value}`);
  for (const { name, pid, alive, log } of processes)
    say(`process  ${name} ${pid} ${alive ? "runs" : "has ended"}, log ${log}`);
  for (const { name, uuid, provision_state } of nodes) say(`node     ${name} ${uuid} ${provision_state}`);
  for (const [name, purpose] of Object.entries(lab.clouds)) say(`cloud    ${name}: ${purpose}`);
  say(`export OS_CLIENT_CONFIG_FILE=${lab.env.OS_CLIENT_CONFIG_FILE} OS_CLOUD=${lab.env.OS_CLOUD}`);
}

async function listNodes(
  api: (method: string, path: string) => Promise<{ body: unknown }>,
): Promise<Record<string, unknown>[]> {
  const fields = "name,uuid,provision_state,power_state,maintenance,instance_uuid,last_error";
  const answer = await api("GET", `/v1/nodes?fields=${fields}&limit=1000`).catch(() => undefined);
  return (answer?.body as { nodes?: Record<string, unknown>[] } | undefined)?.nodes ?? [];
}

async function reset(): Promise<void> {
  const lab = openLab(dir);
  if (lab === undefined) throw new LabError(`No lab runs in ${dir}`, "Start it: npm run lab -- start");
  await lab.reset(say);
}

const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  start,
  status,
  reset,
  stop: async () => say((await stopLab(dir, say)) === 0 ? `No lab ran in ${dir}` : "The lab has ended"),
};

const command = commands[positionals[0] ?? ""];
if (flags.help || command === undefined || positionals.length !== 1) {
  say(usage);
  process.exit(flags.help ? 0 : 2);
}
try {
  await command();
} catch (error) {
  process.stderr.write(`${error instanceof LabError ? error.message : (error as Error).stack}\n`);
  process.exit(1);
}
