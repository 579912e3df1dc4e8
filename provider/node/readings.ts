/** Readings of nodes by one process: what one resource was shown, no other is shown an older reading of. */
import type { Clock } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import { type Node, readNode } from "./node.ts";
import { createRecency, type Moment, type Recency } from "./recency.ts";

export interface Readings {
  /** The node, by name or UUID: read until it is no older than what is known of it. */
  read(ident: string, operation: string, signal: AbortSignal): Promise<Node>;
  /** What is known of the node by all who look at it, from `node` on where nothing is. */
  of(node: Moment & Pick<Node, "uuid">): Recency;
}

/** Before what is older than was seen is read again. */
export const REREAD_MS = 1_000;

export function createReadings(client: Client, clock: Clock): Readings {
  const known = new Map<string, Recency>();
  const of: Readings["of"] = (node) => {
    const recency = known.get(node.uuid) ?? createRecency(clock, node);
    known.set(node.uuid, recency);
    return recency;
  };
  return {
    of,
    read: async (ident, operation, signal) => {
      for (;;) {
        const node = await readNode(client, ident, operation, signal);
        const recency = of(node);
        if (!recency.isStale(node)) {
          recency.seen(node);
          return node;
        }
        await clock.sleep(REREAD_MS, signal);
      }
    },
  };
}
