// A replica that lags: a part of the reads shows a node as it was some moments ago, always as it really was at one moment.
import { chance } from "./dice.ts";
import { record } from "./values.ts";

type Body = Record<string, unknown>;

interface Snapshot {
  at: number;
  body: Body;
}

/** Older ones are never shown; a node is seen often enough. */
const MAX_SNAPSHOTS = 50;

export class Replica {
  readonly #mostMs: number;
  readonly #snapshots = new Map<string, Snapshot[]>();

  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** What Ironic showed of a node just now: all of it or some fields. */
  note(body: Body, at: number): void {
    const uuid = String(body.uuid);
    const known = this.#snapshots.get(uuid) ?? [];
    const kept = known.filter((snapshot) => at - snapshot.at <= this.#mostMs).slice(1 - MAX_SNAPSHOTS);
    this.#snapshots.set(uuid, [...kept, { at, body }]);
  }

  /**
   * The same fields as they were `ageMs` ago, or as long ago as is known; undefined where nothing older is known.
   * They all come from one snapshot: fields of different moments would be a node that never was.
   */
  before(body: Body, now: number, ageMs: number): Snapshot | undefined {
    const fields = Object.keys(body);
    const fit = (this.#snapshots.get(String(body.uuid)) ?? []).filter(
      (snapshot) => now - snapshot.at <= this.#mostMs && fields.every((field) => field in snapshot.body),
    );
    const old = fit.findLast(({ at }) => now - at >= ageMs) ?? fit[0];
    return old && { at: old.at, body: Object.fromEntries(fields.map((field) => [field, old.body[field]])) };
  }
}

export interface Lag {
  /** The answer to a read as the replica gives it, and how old it is; undefined: this read is fresh. */
  answer(key: string, body: unknown, now: number): { body: unknown; ageMs: number } | undefined;
}

const isNode = (value: unknown): value is Body => typeof record(value).uuid === "string" && "uuid" in record(value);

/** Decides by the seed, and by how often the same was asked before, which reads lag. */
export function lagging(seed: number, label: string, share: number, mostMs: number, replica: Replica): Lag {
  const counts = new Map<string, number>();
  return {
    answer(key, body, now) {
      const nth = counts.get(key) ?? 0;
      counts.set(key, nth + 1);
      const list = record(body).nodes;
      const nodes = (Array.isArray(list) ? list : [body]).filter(isNode);
      const isLate = chance(seed, label, key, nth, "lags") < share;
      const ageMs = chance(seed, label, key, nth, "age") * mostMs;
      let oldest = now;
      const shown = (node: unknown): unknown => {
        const snapshot = isLate && isNode(node) ? replica.before(node, now, ageMs) : undefined;
        oldest = Math.min(oldest, snapshot?.at ?? now);
        return snapshot?.body ?? node;
      };
      const answer = Array.isArray(list) ? { ...record(body), nodes: list.map(shown) } : shown(body);
      for (const node of nodes) replica.note(node, now);
      return oldest < now ? { body: answer, ageMs: now - oldest } : undefined;
    },
  };
}
