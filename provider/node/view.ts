/** One node as the loop sees it: the last whole reading, updated with what the poller shows. */
import type { Clock } from "../core/index.ts";
import type { LightNode, Node } from "./node.ts";
import type { Poller } from "./poller.ts";
import type { Readings } from "./readings.ts";
import type { Observation } from "./reconcile.ts";

export interface ViewOptions {
  readings: Readings;
  clock: Clock;
  poller: Poller;
  /** The node as it was just read, to spare the first read. */
  initial: Node;
  /** Completes "Could not …" where a read fails. */
  operation: string;
  /** Told of each observation. */
  onObserved?(node: Node): void;
  /** Does this poll call for a whole reading at once? Default: no, the loop asks for one when it acts. */
  needsWhole?(light: LightNode, last: Node): boolean;
}

export interface View {
  observe(how: "now" | "next", signal: AbortSignal): Promise<Observation>;
  /** The last observation of the node, also after the loop has failed. */
  last(): Node;
  /** Ironic's answer to a write shows the node. */
  see(node: Node): Node;
  /**
   * Ironic has accepted to move the node into another provision state: the next poll is near, and a reading from before is
   * not believed. `seen` is what is known of the change.
   */
  expectChange(seen?: Partial<Node>): void;
}

export function createView(options: ViewOptions): View {
  const { readings, clock, poller, onObserved, needsWhole } = options;
  const { uuid } = options.initial;
  let last = options.initial;
  let isUnused = true;
  let changedAt = clock.now();
  const recency = readings.of(options.initial);

  const see = (node: Node): Node => {
    if (last.provision_state !== node.provision_state || last.provision_updated_at !== node.provision_updated_at)
      changedAt = clock.now();
    last = node;
    recency.seen(node);
    onObserved?.(node);
    return node;
  };
  const read = async (signal: AbortSignal): Promise<Observation> => ({
    node: see(await readings.read(uuid, options.operation, signal)),
    fresh: true,
  });
  const poll = async (signal: AbortSignal): Promise<LightNode> => {
    for (;;) {
      const light = await poller.next(uuid, changedAt, signal);
      if (!recency.isStale(light)) return light;
    }
  };

  return {
    last: () => last,
    see,
    expectChange: (seen) => {
      changedAt = clock.now();
      recency.leaves(last);
      if (seen) last = { ...last, ...seen };
    },
    observe: async (how, signal) => {
      const spares = isUnused && how === "now";
      isUnused = false;
      if (spares) {
        onObserved?.(last);
        return { node: last, fresh: true };
      }
      if (how === "now") return read(signal);
      const light = await poll(signal);
      return needsWhole?.(light, last) ? read(signal) : { node: see({ ...last, ...light }), fresh: false };
    },
  };
}
