// The lab as tests, demo, bench and chaos see it: one call starts (or finds) it, and its handle does the rest.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AgentMode, agentModes } from "./agent.ts";
import { defaultLabDir } from "./cache.ts";
import { resetIronic, startIronic } from "./ironic.ts";
import type { LabNode } from "./nodes.ts";
import { LabError, type Log } from "./problem.ts";
import { bornAt, type Child, isAlive, stopChild, withLock } from "./processes.ts";
import { type LabRecord, type LabShape, readRecord, writeRecord } from "./record.ts";
import { type IronicApi, ironicApi } from "./session.ts";
import { siteOf, startServers } from "./start.ts";
import { labLock, stopLab, stopUnlocked } from "./stop.ts";

export interface LabOptions extends Partial<LabShape> {
  /** Folder of the lab; default below $XDG_STATE_HOME. Labs in different folders live side by side. */
  dir?: string;
  /** Whether the lab ends by itself when this process does, however it ends. Default false. */
  owned?: boolean;
  /** Pid of another process at whose end the lab ends by itself. */
  owner?: number;
  /** Progress. Default silent. */
  log?: Log;
}

const defaultShape: LabShape = {
  nodes: 3,
  flavour: "latest",
  auth: "none",
  tls: false,
  tokenLifeSeconds: 3600,
  delays: {},
  nodeHistory: true,
  syncPowerStateInterval: 0,
  settings: {},
};

/** Starts a lab, or finds the one that runs in the folder; one that runs with other options is an error. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const {
    dir: wantedDir,
    owned = false,
    owner: ownerPid = owned ? process.pid : undefined,
    log = () => {},
    ...wanted
  } = options;
  const dir = resolve(wantedDir ?? defaultLabDir());
  const shape: LabShape = { ...defaultShape, ...wanted };
  mkdirSync(dir, { recursive: true });
  return withLock(
    labLock(dir),
    async () => {
      const running = readRecord(dir);
      if (running?.finished && running.children.every(isAlive)) {
        refuseOther(dir, running.shape, shape);
        return new Lab(dir, running);
      }
      if (running !== undefined) {
        log("A lab that was not whole any more is ended first");
        await stopUnlocked(dir, log);
      }
      const born = ownerPid === undefined ? undefined : bornAt(ownerPid);
      const owner = ownerPid !== undefined && born !== undefined ? { pid: ownerPid, born } : undefined;
      return new Lab(dir, await startServers(dir, shape, owner, log));
    },
    log,
  );
}

/** The lab that was started in this folder, or undefined. */
export function openLab(dir: string = defaultLabDir()): Lab | undefined {
  const record = readRecord(resolve(dir));
  return record === undefined ? undefined : new Lab(resolve(dir), record);
}

function refuseOther(dir: string, is: LabShape, wanted: LabShape): void {
  const keys = Object.keys(defaultShape) as (keyof LabShape)[];
  const other = keys.filter((key) => JSON.stringify(is[key]) !== JSON.stringify(wanted[key]));
  if (other.length === 0) return;
  const list = other.map((key) => `${key} ${JSON.stringify(is[key])} instead of ${JSON.stringify(wanted[key])}`);
  throw new LabError(
    `The lab in ${dir} runs with ${list.join(", ")}`,
    "Stop it first, or choose another folder with --dir",
  );
}

/** A lab that runs. */
export class Lab {
  readonly dir: string;
  readonly #record: LabRecord;
  readonly #api: IronicApi;

  constructor(dir: string, record: LabRecord) {
    this.dir = dir;
    this.#record = record;
    this.#api = ironicApi(record.door);
  }

  /** Root of Ironic's API, without /v1. */
  get url(): string {
    return this.#record.door.url;
  }
  get nodes(): readonly LabNode[] {
    return this.#record.nodes;
  }
  /** Addresses of kernel, ramdisk and ISO, and the image server's root (see images.ts for its behaviours). */
  get images(): LabRecord["images"] {
    return this.#record.images;
  }
  /** Clouds of clouds.yaml: name → what it is for. */
  get clouds(): Record<string, string> {
    return this.#record.clouds;
  }
  get extras(): Record<string, string> {
    return this.#record.extras;
  }
  get shape(): LabShape {
    return this.#record.shape;
  }
  get processes(): readonly Child[] {
    return this.#record.children;
  }
  /** A Python that has openstacksdk. */
  get python(): string {
    return this.#record.python;
  }
  /** The `baremetal` command line client. */
  get baremetal(): string {
    return this.#record.baremetal;
  }
  /** Variables with which openstacksdk, `baremetal` and the provider find this lab. */
  get env(): { OS_CLOUD: string; OS_CLIENT_CONFIG_FILE: string } {
    return { OS_CLOUD: "lab", OS_CLIENT_CONFIG_FILE: join(this.dir, "clouds.yaml") };
  }

  /** Asks Ironic, as an administrator and without the provider's code. */
  ironicApi: IronicApi = (method, path, body, options) => this.#api(method, path, body, options);

  /** All there is to know of one node. */
  async node(nameOrUuid: string): Promise<Record<string, unknown>> {
    const { status, body } = await this.#api("GET", `/v1/nodes/${nameOrUuid}`);
    if (status !== 200) throw new LabError(`Ironic answered ${status} for node ${nameOrUuid}`, "See the log of Ironic");
    return body;
  }

  /** Ends Ironic at once, as a power cut would. */
  async killConductor(): Promise<void> {
    await stopChild(this.#ironic(), 0);
  }

  /** Starts Ironic again with the same address and database. */
  async startConductor(): Promise<void> {
    await withLock(labLock(this.dir), () => this.#startConductor());
  }

  async #startConductor(): Promise<void> {
    const old = this.#ironic();
    if (isAlive(old)) return;
    await startIronic(this.#record.programs, siteOf(this.dir, this.#record), (child) => {
      this.#record.children = this.#record.children.map((known) => (known === old ? child : known));
      writeRecord(this.dir, this.#record);
    });
  }

  #ironic(): Child {
    const child = this.#record.children.find(({ name }) => name === "ironic");
    if (child === undefined) throw new LabError(`The lab in ${this.dir} has no Ironic`, "Start it");
    return child;
  }

  /** What the agent does with nodes that clean: see agent.ts. Without a mode only tells. */
  async agentMode(mode?: AgentMode): Promise<AgentMode> {
    const body = mode === undefined ? {} : { method: "PUT", body: JSON.stringify(mode) };
    const response = await fetch(`${this.#record.agentUrl}/mode`, { ...body, signal: AbortSignal.timeout(10_000) });
    const answer = (await response.json()) as { mode: AgentMode };
    if (!agentModes.includes(answer.mode))
      throw new LabError("The lab's agent did not understand", `Use ${agentModes.join(", ")}`);
    return answer.mode;
  }

  /** How the image server answers for a path from now on, e.g. ("/kernel", "status/404"); "" makes it plain again. */
  async imageBehaviour(path: string, behaviour: string): Promise<void> {
    await fetch(`${this.images.url}/behaviour`, {
      method: "PUT",
      body: JSON.stringify({ path, behaviour }),
      signal: AbortSignal.timeout(10_000),
    });
  }

  /**
   * Brings Ironic and all nodes back to what they were after start, UUIDs included. Ironic is ended, gets the database of
   * that moment back and is started again: seconds, however many nodes, whatever state they are in.
   */
  async reset(log: Log = () => {}): Promise<void> {
    await withLock(labLock(this.dir), async () => {
      const started = Date.now();
      await this.agentMode("normal");
      for (const name of ["kernel", "ramdisk", "iso"]) await this.imageBehaviour(`/${name}`, "");
      await this.killConductor();
      resetIronic(siteOf(this.dir, this.#record), this.#record.shape);
      await this.#startConductor();
      log(`${this.nodes.length} nodes are as they were (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    });
  }

  /** Ends exactly what start began. */
  async stop(log: Log = () => {}): Promise<number> {
    return stopLab(this.dir, log);
  }
}
