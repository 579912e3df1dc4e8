// The second actor of a run at work: what it does to the requests of a phase, and when it rests.
import type { Lab } from "../lab/lab.ts";
import type { ActorKind, ActorPlan } from "./actors.ts";
import { concealed, type IsHidden, thinned } from "./hiding.ts";
import { lagging, Replica } from "./lag.ts";
import { createLessee, type Deed, type LesseeDeps, type Tampering, UNTOUCHED } from "./lessee.ts";
import type { Phase } from "./plan.ts";
import type { Passage, Rules } from "./proxy.ts";
import { nodeIn } from "./requests.ts";

export type Hands = Pick<Rules, "watch" | "conceal" | "alter">;

export interface Actor {
  /** For the proxy, in one attempt of a phase. */
  hands(phase: Phase, attempt: number): Hands;
  /** Rests from here to the next phase, and takes back what nobody else may. */
  rest(): Promise<void>;
  /** What it has begun is done. */
  settled(): Promise<void>;
  /** Nothing is seen from here on; only of who hides nodes. */
  blind?(): Hands;
  /** Is the node hidden right now? By name. */
  isHidden(name: string): boolean;
  tamperingOf(name: string): Tampering;
  deeds: readonly Deed[];
}

export interface Stagehands extends Pick<LesseeDeps, "nameOf" | "knowsSettings"> {
  seed: number;
  /** As an administrator, beside the spoiled way. */
  lab: Pick<Lab, "node">;
  /** Asks as a member of the lessee's project. */
  lessee: LesseeDeps["api"];
  /** Nodes that the stack wants. */
  nodes: readonly string[];
}

const idle: Actor = {
  hands: () => ({}),
  rest: async () => {},
  settled: async () => {},
  isHidden: () => false,
  tamperingOf: () => UNTOUCHED,
  deeds: [],
};

type PlanOf<K extends ActorKind> = Extract<ActorPlan, { kind: K }>;

function lesseeActor({ acts }: PlanOf<"lessee">, deps: Stagehands): Actor {
  const lessee = createLessee(acts, { ...deps, api: deps.lessee });
  return {
    ...idle,
    deeds: lessee.deeds,
    hands: (phase) => ({ watch: lessee.watch(phase) }),
    rest: () => lessee.retract(),
    settled: () => lessee.settled(),
    tamperingOf: (name) => lessee.tampering.get(name) ?? UNTOUCHED,
  };
}

function lagActor({ share, mostMs }: PlanOf<"lag">, { seed, lab, nameOf }: Stagehands): Actor {
  const replica = new Replica(mostMs);
  const named = (path: string): string => {
    const ident = nodeIn(path);
    return ident === undefined ? path : path.replaceAll(ident, nameOf(ident));
  };
  return {
    ...idle,
    hands: (phase, attempt) => {
      const lag = lagging(seed, `${phase} ${attempt}`, share, mostMs, replica);
      return {
        // What stands there before a write is what a late reader sees after it.
        watch: async (when, { method, path }: Passage) => {
          const node = nodeIn(path);
          if (method === "GET" || when !== "before" || node === undefined) return;
          const body = await lab.node(node).catch(() => undefined);
          if (body !== undefined) replica.note(body, Date.now());
        },
        alter: (passage, body) => {
          const late = lag.answer(named(passage.path), body, Date.now());
          if (late !== undefined) passage.ageMs = late.ageMs;
          return late?.body;
        },
      };
    },
  };
}

function hidingActor({ nodes, windows }: PlanOf<"hiding">, { nameOf }: Stagehands): Actor {
  let isOpen = false;
  const isAmong = (name: string) => nodes === "all" || nodes.includes(name);
  const isHidden: IsHidden = (ident) => isOpen && isAmong(nameOf(ident));
  const conceal = {
    conceal: ({ path }: Passage) => concealed(path, isHidden),
    alter: (_: Passage, body: unknown) => thinned(body, isHidden),
  };
  return {
    ...idle,
    isHidden: (name) => isOpen && isAmong(name),
    hands: (phase, attempt) => {
      isOpen = false;
      const window = windows.find((one) => one.phase === phase && one.attempt === attempt);
      if (window === undefined) return {};
      let count = 0;
      const watch: Hands["watch"] = async (when) => {
        if (when === "before" && ++count >= window.from) isOpen = true;
      };
      return { ...conceal, watch };
    },
    blind: () => {
      isOpen = true;
      return conceal;
    },
    rest: async () => {
      isOpen = false;
    },
  };
}

const MAKE: { readonly [K in ActorKind]: (plan: PlanOf<K>, deps: Stagehands) => Actor } = {
  lessee: lesseeActor,
  lag: lagActor,
  hiding: hidingActor,
};

export const createActor = (plan: ActorPlan | undefined, deps: Stagehands): Actor =>
  plan === undefined ? idle : (MAKE[plan.kind] as (plan: ActorPlan, deps: Stagehands) => Actor)(plan, deps);
