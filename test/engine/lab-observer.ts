// The lab, and what Ironic itself says about its nodes: by plain requests, by its own client and by the conductor's log.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Lab, type LabOptions, startLab } from "../../lab/lab.ts";

// biome-ignore lint/suspicious/noExplicitAny: nodes are judged by tests, which know what they ask for
export type IronicNode = any;

export interface Patch {
  op: "add" | "replace" | "remove";
  path: string;
  value?: unknown;
}

const { TEST_LANE_FOLDER: folder, TEST_LANE_OWNER: owner } = process.env;
/** Where the labs of this process's lane live, and the process whose end ends them. */
const lane = folder && owner ? { folder, owner: Number(owner) } : undefined;

/** What a node's past amounts to when a test takes it. */
interface Past {
  deploys: number;
  moves: number;
  writes: number;
}

/** One lab. Each test takes nodes that are as they were enrolled; what they went through before does not count. */
export class LabObserver {
  readonly lab: Lab;
  /** Of a lab that is this process's own. */
  readonly #dir: string | undefined;
  #next = 0;
  readonly #pasts = new Map<string, Past>();

  private constructor(lab: Lab, dir?: string) {
    this.lab = lab;
    this.#dir = dir;
  }

  /** In a lane of scripts/test.ts, the lab that an earlier file of the lane left, if there is one. */
  static async ofLane(kind: string, options: LabOptions): Promise<LabObserver> {
    if (!lane) return LabObserver.start(options);
    return new LabObserver(await startLab({ ...options, dir: join(lane.folder, kind), owner: lane.owner }));
  }

  static async start(options: LabOptions): Promise<LabObserver> {
    const dir = mkdtempSync(join(tmpdir(), "pulumi-ironic-lab-"));
    return new LabObserver(await startLab({ ...options, dir, owned: true }), dir);
  }

  async stop(): Promise<void> {
    if (this.#dir === undefined) return;
    await this.lab.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Name of a node that is as it was enrolled; the one that rested longest. */
  async take(): Promise<string> {
    for (let tries = 0; tries < this.lab.nodes.length; tries++) {
      const name = this.lab.nodes[this.#next++ % this.lab.nodes.length]?.name ?? "";
      if (!isPristine(await this.node(name))) continue;
      this.#pasts.delete(name);
      const past = {
        deploys: await this.deploys(name),
        moves: this.moves(name).length,
        writes: this.writes(name).length,
      };
      this.#pasts.set(name, past);
      return name;
    }
    throw new Error("No node of the lab is as it was enrolled: earlier tests left them all changed");
  }

  uuid(name: string): string {
    const node = this.lab.nodes.find((candidate) => candidate.name === name);
    if (!node) throw new Error(`The lab has no node ${name}`);
    return node.uuid;
  }

  node = (name: string): Promise<IronicNode> => this.lab.node(this.uuid(name));

  /** Sends a request that has to work, waiting for passing locks. */
  async send(method: string, path: string, body?: unknown): Promise<IronicNode> {
    for (const end = Date.now() + 20_000; ; await sleep(100)) {
      const answer = await this.lab.ironicApi(method, path, body);
      if (answer.status < 400) return answer.body;
      const passing =
        answer.status === 503 || (answer.status === 409 && JSON.stringify(answer.body).includes("locked"));
      if (!passing || Date.now() > end)
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
  }

  patch = (name: string, ...ops: Patch[]): Promise<IronicNode> =>
    this.send("PATCH", `/v1/nodes/${this.uuid(name)}`, ops);

  provision = (name: string, target: string, more: object = {}): Promise<IronicNode> =>
    this.send("PUT", `/v1/nodes/${this.uuid(name)}/states/provision`, { target, ...more });

  /** Ironic's own command line client. */
  async baremetal(...args: string[]): Promise<string> {
    const env = { ...process.env, ...this.lab.env };
    const { stdout } = await promisify(execFile)(this.lab.baremetal, args, { env, timeout: 60_000 });
    return stdout;
  }

  /** Sets or lifts the node's lock in Ironic's database, as a conductor that is busy with it does. */
  async lock(name: string, conductor: string | null): Promise<void> {
    const code =
      "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=30); " +
      "db.execute('UPDATE nodes SET reservation = ? WHERE uuid = ?', (sys.argv[3] or None, sys.argv[2])); db.commit()";
    const args = ["-c", code, join(this.lab.dir, "ironic.sqlite"), this.uuid(name), conductor ?? ""];
    await promisify(execFile)(this.lab.python, args, { timeout: 60_000 });
  }

  async until(name: string, state: string, timeoutMs = 30_000): Promise<IronicNode> {
    for (const end = Date.now() + timeoutMs; ; await sleep(100)) {
      const node = await this.node(name);
      if (node.provision_state === state) return node;
      if (Date.now() > end) throw new Error(`${name} is ${node.provision_state} instead of ${state}`);
    }
  }

  /** Lets Ironic find out the node's power state, which it does not know at first: it allocates none before that. */
  async powered(name: string): Promise<void> {
    await this.send("PUT", `/v1/nodes/${this.uuid(name)}/states/power`, { target: "power off" });
    for (const end = Date.now() + 30_000; (await this.node(name)).power_state === null; await sleep(200))
      if (Date.now() > end) throw new Error(`Ironic does not come to know the power state of ${name}`);
  }

  /** How often Ironic began to deploy the node, rebuilds included: its own node history. */
  async deploys(name: string): Promise<number> {
    const { history } = await this.send("GET", `/v1/nodes/${this.uuid(name)}/history?detail=true`);
    const starts = history.filter((event: { event_type: string }) => event.event_type === "deployment_start");
    return starts.length - (this.#pasts.get(name)?.deploys ?? 0);
  }

  #log = (): string[] => readFileSync(join(this.lab.dir, "logs", "ironic.log"), "utf8").split("\n");

  /** Provision states that the conductor moved the node to, in order. */
  moves(name: string): string[] {
    const moved = `Node ${this.uuid(name)} moved to provision state "`;
    const states = this.#log().flatMap((line) => {
      const at = line.indexOf(moved);
      return at === -1 ? [] : [line.slice(at + moved.length).split('"', 1)[0] ?? ""];
    });
    return states.slice(this.#pasts.get(name)?.moves);
  }

  /** Requests of anybody that were meant to change the node, as "PATCH 200". */
  writes(name: string): string[] {
    const request = new RegExp(`(PATCH|PUT|POST|DELETE) /v1/nodes/(?:${this.uuid(name)}|${name})\\S* - (\\d+)`);
    const writes = this.#log().flatMap((line) => {
      const found = request.exec(line);
      return found ? [`${found[1]} ${found[2]}`] : [];
    });
    return writes.slice(this.#pasts.get(name)?.writes);
  }

  /** Runs `work` and tells whether anybody as much as tried to change the node meanwhile. */
  async untouched(name: string, work: () => Promise<unknown>): Promise<void> {
    const [before, writes] = [await this.node(name), this.writes(name).length];
    await work();
    const after = await this.node(name);
    const tried = this.writes(name).slice(writes);
    if (tried.length > 0) throw new Error(`${name} was written to: ${tried.join(", ")}`);
    if (after.updated_at !== before.updated_at) throw new Error(`${name} was changed`);
  }

  /** What a stack may change of a node, to compare before and after. */
  async settings(name: string): Promise<Record<string, unknown>> {
    const node = await this.node(name);
    const keys = ["boot_interface", "deploy_interface", "automated_clean", "driver_info", "properties", "description"];
    const rest = ["extra", "instance_uuid", "instance_info", "protected", "maintenance", "provision_state"];
    return Object.fromEntries([...keys, ...rest].map((key) => [key, node[key]]));
  }
}

const isPristine = (node: IronicNode): boolean =>
  node.provision_state === "available" &&
  node.instance_uuid === null &&
  node.boot_interface === "fake" &&
  node.deploy_interface === "direct" &&
  node.automated_clean === null &&
  !node.maintenance &&
  !node.retired &&
  Object.keys(node.extra).length === 0;

const judges = new Map<string, Promise<LabObserver>>();

/** A lab that test files share, ended with the test run. A lane of files has its own. */
export function sharedObserver(kind: "plain" | "slow"): Promise<LabObserver> {
  const options: LabOptions = kind === "plain" ? { nodes: 8 } : { nodes: 5, delays: { power: 3 } };
  const known = judges.get(kind) ?? LabObserver.ofLane(kind, options);
  judges.set(kind, known);
  return known;
}

/** For suites whose tests stand alone: a failed one leaves nothing to the next, nor to its own second try. */
export function resetAfterFailure(kind: "plain" | "slow"): void {
  afterEach(async function () {
    if (this.currentTest?.state !== "passed") await (await sharedObserver(kind)).lab.reset();
  });
}

// A hook of the whole test run: this module is loaded while mocha reads the test files.
after(async function () {
  this.timeout(60_000);
  for (const judge of judges.values()) await (await judge).stop();
});
