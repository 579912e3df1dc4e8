import { raceAbort } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import type { PatchOp } from "./node.ts";
import { type Node, nodeSchema } from "./node-schema.ts";

export interface PatchQueue {
  /** One PATCH, after those of the same node that came before; the answer is the whole node as saved. */
  patch(uuid: string, body: PatchOp[], operation: string, signal?: AbortSignal, later?: boolean): Promise<Node>;
}

/**
 * Ironic loads the node, applies the patch and saves whole columns: two patches of different keys of `extra` at the same time
 * can lose one of them. Through one client they therefore queue per node. `onSaved` is told of each node as it was saved.
 */
export function createPatchQueue(client: Client, onSaved: (node: Node) => void = () => undefined): PatchQueue {
  const turns = new Map<string, Promise<unknown>>();
  return {
    patch: (uuid, body, operation, signal, later) => {
      const before = turns.get(uuid) ?? Promise.resolve();
      const path = `/nodes/${encodeURIComponent(uuid)}`;
      const turn = raceAbort(before, signal).then(async () => {
        const call = { operation, node: uuid, body, signal, later, shape: nodeSchema };
        const saved = await client.send("PATCH", path, call);
        onSaved(saved);
        return saved;
      });
      // Who leaves the queue does not end the turn of those before it.
      const settled: Promise<void> = Promise.allSettled([before, turn]).then(() => {
        if (turns.get(uuid) === settled) turns.delete(uuid);
      });
      turns.set(uuid, settled);
      return turn;
    },
  };
}
