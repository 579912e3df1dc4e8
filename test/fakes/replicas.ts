/** Replicas of Ironic's database that lag: what nodes were like at any moment before. */
import { isDeepStrictEqual } from "node:util";
import type { Node } from "../../provider/node/node.ts";
import type { FakeNode } from "./fake-node.ts";
import { stampOf } from "./transitions.ts";

interface Reading {
  atMs: number;
  node: Node;
  /** How many events its history had. */
  events: number;
}

export interface Replicas {
  /** Saves what a node is like since `atMs`, with the `updated_at` that shows it. */
  save(fake: FakeNode, atMs: number): void;
  /** The node as it was at `atMs`. */
  at(fake: FakeNode, atMs: number): FakeNode;
}

export function replicas(): Replicas {
  const readings = new Map<string, Reading[]>();
  return {
    save(fake, atMs) {
      const all = readings.get(fake.node.uuid) ?? [];
      readings.set(fake.node.uuid, all);
      if (isDeepStrictEqual(all.at(-1)?.node, fake.node)) return;
      Object.assign(fake.node, { updated_at: stampOf(atMs) });
      while ((all.at(-1)?.atMs ?? -1) >= atMs) all.pop();
      all.push({ atMs, node: structuredClone(fake.node), events: fake.history.length });
    },
    at(fake, atMs) {
      const all = readings.get(fake.node.uuid) ?? [];
      const reading = all.findLast((each) => each.atMs <= atMs) ?? all[0];
      return reading ? { ...fake, node: reading.node, history: fake.history.slice(0, reading.events) } : fake;
    },
  };
}
