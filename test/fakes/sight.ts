/**
 * An Ironic as one account sees it: without the nodes that are hidden from it, through replicas that lag, and with an account
 * of what it wrote. Ironic conceals a node that an account may not see: 404 "could not be found", and missing in lists
 * (ironic/api/controllers/v1/utils.py, check_node_policy_and_retrieve).
 */
import type { Node } from "../../provider/node/node.ts";
import type { Request } from "./client.ts";
import type { FakeNode } from "./fake-node.ts";
import type { FakeIronic } from "./ironic-model.ts";
import type { Refusal } from "./node-rules.ts";
import type { Deed } from "./operator-actions.ts";
import type { Replicas } from "./replicas.ts";

/** Roles that an account loses, and gets back. */
export const SIGHT_DEEDS = {
  hide: (_ironic, fake) => {
    fake.hidden = true;
  },
  hideAll: ({ nodes }) => {
    for (const fake of nodes) fake.hidden = true;
  },
  show: ({ nodes }) => {
    for (const fake of nodes) fake.hidden = false;
  },
} satisfies Record<string, Deed>;

/** What a conductor answers: it sees what it has written itself. */
const CONDUCTORS = "/validate";

export interface SightOptions {
  /** By how much reads lag, one after the other and over again. */
  lagsMs: readonly number[];
  replicas: Replicas;
  /** An account from which nothing is hidden. */
  seesAll?: boolean;
  /** Told of each write that Ironic took. */
  onWritten?(node: Node): void;
}

export interface Sight {
  ironic: FakeIronic;
  /** A request is about to be handled. */
  onRequest(request: Pick<Request, "index" | "method" | "path">): void;
}

export function sightOf(ironic: FakeIronic, { lagsMs, replicas, seesAll = false, onWritten }: SightOptions): Sight {
  let lagMs = 0;
  const find = (ident: string): FakeNode | undefined => {
    const fake = ironic.find(ident);
    if (!fake || (fake.hidden && !seesAll)) return undefined;
    return lagMs > 0 ? replicas.at(fake, ironic.clock.now() - lagMs) : fake;
  };
  const written = (ident: string, write: () => Refusal | undefined): Refusal | undefined => {
    const fake = find(ident);
    if (!fake) return { status: 404, text: `Node ${ident} could not be found.` };
    const refusal = write();
    if (!refusal) onWritten?.(fake.node);
    return refusal;
  };
  return {
    ironic: {
      ...ironic,
      get nodes() {
        return ironic.nodes.filter(({ hidden }) => !hidden || seesAll);
      },
      find,
      patch: (ident, ops) => written(ident, () => ironic.patch(ident, ops)),
      provision: (ident, by, target, drive) => written(ident, () => ironic.provision(ident, by, target, drive)),
      power: (ident, target) => written(ident, () => ironic.power(ident, target)),
    },
    onRequest({ index, method, path }) {
      lagMs = method === "GET" && !path.endsWith(CONDUCTORS) ? (lagsMs[index % lagsMs.length] ?? 0) : 0;
      // Others changed nodes in ways that nobody was told of.
      if (lagsMs.length > 0) for (const fake of ironic.nodes) replicas.save(fake, ironic.clock.now());
    },
  };
}
