// All that one run has at hand, and what it has shown so far.
import type { Accounts } from "./accounts.ts";
import type { ActorKind } from "./actors.ts";
import type { View, Views } from "./assertions.ts";
import type { Actor } from "./cast.ts";
import type { FaultKind } from "./faults.ts";
import type { Deed } from "./lessee.ts";
import type { Plan, Program, Victim } from "./plan.ts";
import type { ChaosProxy, Passage } from "./proxy.ts";
import type { Outcome, Stack } from "./pulumi-process.ts";
import type { Site } from "./site.ts";

export interface Result {
  seed: number;
  broken: string[];
  /** Errors that a user saw in commands in which nobody was killed and all that was asked for could be had. */
  errorsShown: string[];
  /** Errors that a user saw while somebody else was at work: a refusal is what that may cost. */
  refusals: string[];
  faults: Partial<Record<FaultKind, number>>;
  kill: Victim | undefined;
  actor: ActorKind | undefined;
  /** Reads that a lagging replica answered, and requests for nodes that were hidden. */
  late: number;
  concealed: number;
  /** What the lessee did. */
  deeds: readonly Deed[];
  /** Nodes that a forgotten create left claimed: marked truly, listed and released. */
  left: string[];
  /** Nodes on which somebody else's lies have left something that is not the stack's to mend. */
  spoiled: string[];
  requests: number;
  commands: Outcome[];
  passages: Passage[];
  seconds: number;
  /** Milliseconds from Ctrl-C to the end of the command. */
  interruptMs?: number;
}

export const emptyResult = (seed: number): Result => ({
  seed,
  broken: [],
  errorsShown: [],
  refusals: [],
  faults: {},
  kill: undefined,
  actor: undefined,
  late: 0,
  concealed: 0,
  deeds: [],
  left: [],
  spoiled: [],
  requests: 0,
  commands: [],
  passages: [],
  seconds: 0,
});

export interface Stage {
  plan: Plan;
  site: Site;
  proxy: ChaosProxy;
  stack: Stack;
  accounts: Accounts;
  actor: Actor;
  result: Result;
  /** The nodes as they were when the run began. */
  before: Views;
  /** Did a conductor die in this run? */
  conductorDied: boolean;
  /** The first that the state held. */
  stackId: string | undefined;
}

/** Names instead of UUIDs, which differ from lab to lab, so that the schedule is the same wherever a seed runs. */
export function renamed({ lab }: Pick<Site, "lab">, path: string): string {
  const bare = path.split("?")[0] ?? path;
  return lab.nodes.reduce((text, { uuid, name }) => text.replaceAll(uuid, name), bare);
}

/** The identity that the state holds. */
export const stackIdOf = (stack: Stack): string | undefined => {
  const resource = stack.state().resources.find(({ type }) => type.endsWith("/ironic:StackIdentity"));
  const stackId = resource?.outputs?.stackId;
  return typeof stackId === "string" ? stackId : undefined;
};

export const namesOf = ({ machines }: Program): string[] => machines.map(({ node }) => node);

/** Once, however often it is seen. */
export function blame({ result: { broken } }: Stage, phase: string, name: string, problems: readonly string[]): void {
  const texts = problems.map((problem) => `${phase}, ${name}: ${problem}`);
  broken.push(...texts.filter((text) => !broken.includes(text)));
}

export const viewOf = (views: Views, name: string): View => {
  const view = views.get(name);
  if (view === undefined) throw new Error(`${name} was not looked at`);
  return view;
};
