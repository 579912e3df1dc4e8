// The second actor of a run, made from the seed alone: who else is there, and what it does when.
import { between, chance, pick, some } from "./dice.ts";
import { harmlessLies, type Lie, lies } from "./lies.ts";
import type { Kill, Machine, Phase, Plan } from "./plan.ts";

/**
 * `lessee`: a member of the project to which the nodes are lent, who writes to `extra`. `lag`: a part of the reads shows what
 * was there some seconds ago. `hiding`: nodes cannot be found for a while, as for an account that may not see them.
 */
export const actorKinds = ["lessee", "lag", "hiding"] as const;
export type ActorKind = (typeof actorKinds)[number];

/** Accounts that a stack may use: the administrator of the system, or of the project that owns the nodes. */
export type Account = "system" | "project";

/** A moment: before or after the nth request of a sort in a phase; later where there is nothing yet to lie about. */
type Moment = Pick<Kill, "phase" | "request" | "nth" | "when">;

export interface Act extends Moment {
  lie: Lie;
  node: string;
}

/** In this attempt of the phase nodes are hidden from its nth request on. */
export interface Window {
  phase: Phase;
  attempt: number;
  from: number;
}

export type ActorPlan =
  | { kind: "lessee"; acts: Act[] }
  /** A share of the reads is answered from a snapshot up to so many milliseconds old. */
  | { kind: "lag"; share: number; mostMs: number }
  | {
      kind: "hiding";
      account: Account;
      /** Which nodes are hidden; an account of the system loses sight of all, one of a project also of some. */
      nodes: string[] | "all";
      windows: Window[];
      /** The user refreshes and destroys while nothing is seen, and comes up again afterwards. */
      blind: boolean;
    };

/** Which actors may appear, and in which share of the runs. */
export interface Casting {
  kinds: readonly ActorKind[];
  share: number;
}
export const nobody: Casting = { kinds: [], share: 0 };

type Scene = Pick<Plan, "seed" | "up" | "update" | "kill">;

const phasesOf = ({ update }: Scene): Phase[] => ["up", "up", ...(update ? (["update"] as const) : []), "destroy"];

/** A create that the engine forgets is found by its marks alone: who removes them then leaves nothing to find it by. */
const isForgetful = ({ kill }: Scene): boolean => kill !== undefined && kill.reaction !== "again";

function act(scene: Scene, index: number): Act {
  const { seed, up } = scene;
  const key = [seed, "act", index] as const;
  const request = pick(["GET", "POLL", "PATCH", "PUT"] as const, ...key, "request");
  return {
    lie: pick(isForgetful(scene) ? harmlessLies : lies, ...key, "lie"),
    node: pick(up.machines, ...key, "node").node,
    phase: pick(phasesOf(scene), ...key, "phase"),
    request,
    nth: between(1, request === "POLL" ? 6 : 2, ...key, "nth"),
    when: pick(["before", "after"] as const, ...key, "when"),
  };
}

const LAG_SHARES = [0.3, 0.5, 0.7];
const MOST_LAG_MS = 3_000;
const MAX_WINDOW_ATTEMPT = 3;

function windowsOf(scene: Scene): Window[] {
  const { seed } = scene;
  return [...new Set(phasesOf(scene))].flatMap((phase) =>
    Array.from({ length: MAX_WINDOW_ATTEMPT }, (_, index) => index + 1)
      .filter((attempt) => chance(seed, "window", phase, attempt) < 0.4)
      .map((attempt) => ({ phase, attempt, from: between(1, 60, seed, "window from", phase, attempt) })),
  );
}

const MAKE: Readonly<Record<ActorKind, (scene: Scene) => ActorPlan>> = {
  lessee: (scene) => ({
    kind: "lessee",
    acts: Array.from({ length: between(2, 5, scene.seed, "acts") }, (_, index) => act(scene, index)),
  }),
  lag: ({ seed }) => ({ kind: "lag", share: pick(LAG_SHARES, seed, "lag share"), mostMs: MOST_LAG_MS }),
  hiding: (scene) => {
    const { seed, up } = scene;
    const names = up.machines.map(({ node }) => node);
    const account = pick(["system", "project"] as const, seed, "account");
    const isPart = account === "project" && chance(seed, "part") < 0.7;
    return {
      kind: "hiding",
      account,
      nodes: isPart ? some(names, between(1, names.length - 1, seed, "hidden"), seed, "which hidden") : "all",
      windows: windowsOf(scene),
      blind: chance(seed, "blind") < 0.7,
    };
  },
};

export function actorFor(scene: Scene, { kinds, share }: Casting): ActorPlan | undefined {
  if (kinds.length === 0 || chance(scene.seed, "actor") >= share) return undefined;
  return MAKE[pick(kinds, scene.seed, "actor kind")](scene);
}

export const accountOf = (actor: ActorPlan | undefined): Account =>
  actor?.kind === "hiding" ? actor.account : "system";

/** Ironic lets only administrators of the system turn cleaning off (`baremetal:node:disable_cleaning`). */
export const withCleaning = ({ config, deployment, ...rest }: Machine): Machine => {
  const { automatedCleaning: _, ...others } = config;
  return { ...rest, config: others, deployment: { ...deployment, updateStrategy: "redeploy" } };
};

/** In a sentence. */
const DESCRIBE: {
  readonly [K in ActorKind]: (actor: Extract<ActorPlan, { kind: K }>) => string;
} = {
  lessee: ({ acts }) => `a lessee with ${acts.length} acts`,
  lag: ({ share, mostMs }) => `${share * 100} % of the reads up to ${mostMs / 1000} s old`,
  hiding: ({ nodes, account, blind }) =>
    `${nodes === "all" ? "all nodes" : nodes.join(" and ")} hidden from the account of the ${account}${blind ? ", refresh and destroy meanwhile" : ""}`,
};

export const describeActor = (actor: ActorPlan): string =>
  (DESCRIBE[actor.kind] as (actor: ActorPlan) => string)(actor);
