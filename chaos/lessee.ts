// A member of the project to which the nodes are lent: writes to `extra` with an account of its own, at certain requests.
import { setTimeout as sleep } from "node:timers/promises";
import type { IronicApi } from "../lab/session.ts";
import type { Act } from "./actors.ts";
import { type Lie, type Op, opsOf, touchedBy, withoutForeignLies } from "./lies.ts";
import type { Phase } from "./plan.ts";
import type { Passage } from "./proxy.ts";
import { countdown, nodeIn } from "./requests.ts";

/** What was spoiled on a node. */
export interface Tampering {
  /** Something was written to `extra`. */
  isTouched: boolean;
  /** The mark of the settings was spoiled before the state knew what it says. */
  isLoose: boolean;
  /** How often marks of the deployment were spoiled: each may cost one more reboot. */
  deploymentLies: number;
}

export const UNTOUCHED: Tampering = { isTouched: false, isLoose: false, deploymentLies: 0 };

/** One act that was done, or that Ironic refused. */
export interface Deed {
  lie: Lie;
  node: string;
  phase: Phase;
  at: number;
  /** Ironic's status; undefined where it did not answer. */
  status: number | undefined;
}

export interface Lessee {
  watch(phase: Phase): (when: "before" | "after", passage: Passage) => Promise<void>;
  /** Takes away what names other stacks. */
  retract(): Promise<void>;
  settled(): Promise<void>;
  readonly tampering: ReadonlyMap<string, Tampering>;
  readonly deeds: readonly Deed[];
}

export interface LesseeDeps {
  api: IronicApi;
  nodes: readonly string[];
  /** Name of a node whose name or UUID this is. */
  nameOf(ident: string): string;
  /** Does the state hold the settings of the node, so that their mark is not needed? */
  knowsSettings(node: string, phase: Phase): boolean;
}

/** A client waits this long for its request to go on; who is locked out longer goes on trying beside it. */
const HOLD_MS = 800;
const PATIENCE_MS = 8_000;
const NOTHING_THERE = 0;

export function createLessee(acts: readonly Act[], { api, nodes, nameOf, knowsSettings }: LesseeDeps): Lessee {
  const tampering = new Map<string, Tampering>();
  const deeds: Deed[] = [];
  const busy = new Set<Promise<void>>();

  /** Reads and writes until the node is not locked. */
  async function write(node: string, opsFor: (body: Record<string, unknown>) => Op[] | undefined): Promise<number> {
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(150)) {
      const read = await api("GET", `/v1/nodes/${node}`);
      const ops = read.status === 200 ? opsFor(read.body) : undefined;
      if (ops === undefined || ops.length === 0) return read.status === 200 ? NOTHING_THERE : read.status;
      const { status } = await api("PATCH", `/v1/nodes/${node}`, ops);
      if ((status !== 409 && status !== 503) || Date.now() > end) return status;
    }
  }

  /** False: there is nothing yet that the lie could begin with. */
  async function carryOut({ lie, node, phase }: Act): Promise<boolean> {
    const isKnown = knowsSettings(node, phase);
    const status = await write(node, (body) => opsOf(lie, body)).catch(() => undefined);
    if (status === NOTHING_THERE) return false;
    deeds.push({ lie, node, phase, at: Date.now(), status });
    if (status !== 200) return true;
    const before = tampering.get(node) ?? UNTOUCHED;
    const touched = touchedBy(lie);
    tampering.set(node, {
      isTouched: true,
      isLoose: before.isLoose || (touched.includes("settings") && !isKnown),
      deploymentLies: before.deploymentLies + Number(touched.includes("deployment")),
    });
    return true;
  }

  const due = acts.map((act) => ({ act, isTime: countdown(act), isDue: false, isBusy: false }));

  const begin = (one: (typeof due)[number]): Promise<void> => {
    one.isBusy = true;
    const work = carryOut(one.act).then((isDone) => {
      one.isDue = !isDone;
      one.isBusy = false;
      busy.delete(work);
    });
    busy.add(work);
    return work;
  };

  return {
    tampering,
    deeds,
    watch: (phase) => async (when, passage) => {
      const ident = nodeIn(passage.path);
      const name = ident === undefined ? undefined : nameOf(ident);
      // Lists are about every node.
      const concerned = due.filter(({ act }) => act.phase === phase && (name === undefined || name === act.node));
      for (const one of concerned) if (one.isTime(when, passage)) one.isDue = true;
      const now = concerned.filter(({ isDue, isBusy }) => isDue && !isBusy);
      if (now.length > 0) await Promise.race([Promise.all(now.map(begin)), sleep(HOLD_MS)]);
    },
    async settled() {
      await Promise.all(busy);
    },
    async retract() {
      await Promise.all(busy);
      for (const node of nodes) await write(node, withoutForeignLies);
    },
  };
}
