// What the runs showed, for people: one line a run, and a table at the end.
import { type ActorKind, actorKinds, type Casting, describeActor } from "./actors.ts";
import { type FaultKind, faultKinds } from "./faults.ts";
import type { Deed } from "./lessee.ts";
import { type Kill, type Plan, type Victim, victims } from "./plan.ts";
import type { Result } from "./stage.ts";

const describeKill = ({ victim, phase, request, nth, when }: Kill): string =>
  `${victim} ${when} ${request} ${nth} of ${phase}`;

export function lineOf({ seed, kill, rate, actor }: Plan, result: Result): string {
  const faults = Object.values(result.faults).reduce((sum, count) => sum + count, 0);
  const fate = kill === undefined ? "no kill" : `${describeKill(kill)}${result.kill ? "" : " (not reached)"}`;
  const verdict = result.broken.length > 0 ? "BROKEN" : result.errorsShown.length > 0 ? "errors shown" : "held";
  return [
    `seed ${String(seed).padEnd(6)}`,
    `${result.seconds.toFixed(1).padStart(6)} s`,
    `${String(faults).padStart(3)}/${String(result.requests).padEnd(4)} faults (${rate})`,
    verdict.padEnd(12),
    fate,
    ...(actor === undefined ? [] : [describeActor(actor)]),
  ].join("  ");
}

/** Who may appear where nothing else was asked for. */
export const usual: Casting = { kinds: actorKinds, share: 0.5 };

/** Options that ask for these actors. */
const castingOptions = ({ kinds, share }: Casting): string[] => [
  ...(kinds.join() === usual.kinds.join() ? [] : [`--actors ${kinds.join() || "none"}`]),
  ...(share === usual.share || kinds.length === 0 ? [] : [`--share ${Math.round(share * 100)}`]),
];

/** Which nodes there are to choose from is a part of the plan, and so is who may appear. */
export const reproduction = (seed: number, nodes: number, casting: Casting = usual): string =>
  [`npm run chaos -- --seed ${seed} --runs 1 --nodes ${nodes}`, ...castingOptions(casting)].join(" ");

/** Details of a run that was not as it should be, in a lab of so many nodes. */
export const complaints = (
  { seed, broken, errorsShown, left, deeds }: Pick<Result, "seed" | "broken" | "errorsShown" | "left" | "deeds">,
  nodes: number,
  casting: Casting = usual,
): string[] => [
  ...broken.map((text) => `  broken: ${text}`),
  ...errorsShown.map((text) => `  shown: ${text}`),
  ...(left.length > 0 && broken.length > 0 ? [`  left claimed: ${left.join(", ")}`] : []),
  ...(broken.length > 0 ? deeds.map(describeDeed) : []),
  ...(broken.length + errorsShown.length > 0 ? [`  again: ${reproduction(seed, nodes, casting)}`] : []),
];

const describeDeed = ({ lie, node, phase, status }: Deed): string =>
  `  lessee: ${lie} on ${node} in ${phase} (${status ?? "no answer"})`;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);

export interface Totals {
  runs: number;
  faults: Record<FaultKind, number>;
  kills: Record<Victim, number>;
  actors: Record<ActorKind, number>;
  /** Writes of lessees that Ironic took, reads that were late, requests for nodes that were hidden. */
  deeds: number;
  late: number;
  concealed: number;
  refusals: number;
  broken: number;
  errorsShown: number;
  left: number;
}

export function totalsOf(results: readonly Result[]): Totals {
  const count = <K extends string>(keys: readonly K[], of: (result: Result, key: K) => number) =>
    Object.fromEntries(keys.map((key) => [key, sum(results.map((result) => of(result, key)))])) as Record<K, number>;
  return {
    runs: results.length,
    faults: count(faultKinds, ({ faults }, kind) => faults[kind] ?? 0),
    kills: count(victims, ({ kill }, victim) => (kill === victim ? 1 : 0)),
    actors: count(actorKinds, ({ actor }, kind) => (actor === kind ? 1 : 0)),
    deeds: sum(results.map(({ deeds }) => deeds.filter(({ status }) => status === 200).length)),
    late: sum(results.map(({ late }) => late)),
    concealed: sum(results.map(({ concealed }) => concealed)),
    refusals: sum(results.map(({ refusals }) => refusals.length)),
    broken: sum(results.map(({ broken }) => broken.length)),
    errorsShown: sum(results.map(({ errorsShown }) => errorsShown.length)),
    left: sum(results.map(({ left }) => left.length)),
  };
}

export function summary(results: readonly Result[], seconds: number): string[] {
  const totals = totalsOf(results);
  const commands = sum(results.map((result) => result.commands.length));
  const interrupts = results.map(({ interruptMs }) => interruptMs).filter((ms) => ms !== undefined);
  const row = (label: string, value: string | number) => `${label.padEnd(28)} ${value}`;
  return [
    "",
    row("schedules run", `${totals.runs} in ${Math.round(seconds)} s (${commands} engine commands)`),
    row("requests seen", sum(results.map(({ requests }) => requests))),
    row("faults injected", sum(Object.values(totals.faults))),
    ...faultKinds.map((kind) => row(`  ${kind}`, totals.faults[kind])),
    row("kills", sum(Object.values(totals.kills))),
    ...victims.map((victim) => row(`  ${victim}`, totals.kills[victim])),
    ...(interrupts.length > 0 ? [row("slowest end after Ctrl-C", `${Math.max(...interrupts)} ms`)] : []),
    row("runs with somebody else", sum(Object.values(totals.actors))),
    ...actorKinds.map((kind) => row(`  ${kind}`, totals.actors[kind])),
    row("  writes of lessees", totals.deeds),
    row("  late reads", totals.late),
    row("  requests for hidden nodes", totals.concealed),
    row("  errors meanwhile", totals.refusals),
    row("left claimed, then released", totals.left),
    row("errors shown", totals.errorsShown),
    row("promises broken", totals.broken),
  ];
}
