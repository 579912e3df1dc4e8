// One run: a stack comes up, changes and goes, while its way to Ironic is spoiled and somebody may be killed.
import { type Assassin, assassin } from "./assassin.ts";
import {
  judgeLeft,
  judgeMost,
  judgeRestored,
  judgeRunning,
  judgeStarts,
  judgeUntouched,
  look,
  since,
  stackIdsOn,
  type View,
  type Views,
} from "./assertions.ts";
import { type FaultKind, schedule } from "./faults.ts";
import { giveBack } from "./leftovers.ts";
import { bootsIn, type Machine, type Phase, type Plan, type Program, type Victim } from "./plan.ts";
import type { ChaosProxy, Passage, Rules } from "./proxy.ts";
import type { Outcome, Stack } from "./pulumi-process.ts";
import type { Site } from "./site.ts";

export interface Result {
  seed: number;
  broken: string[];
  /** Errors that a user saw in commands in which nobody was killed and all that was asked for could be had. */
  errorsShown: string[];
  faults: Partial<Record<FaultKind, number>>;
  kill: Victim | undefined;
  /** Nodes that a forgotten create left claimed: marked truly, listed and released. */
  left: string[];
  requests: number;
  commands: Outcome[];
  passages: Passage[];
  seconds: number;
  /** Milliseconds from Ctrl-C to the end of the command. */
  interruptMs?: number;
}

/** From here on the way is clear: a run that does not succeed then never will. */
const CLEAR_ATTEMPT = 4;
const MAX_ATTEMPTS = 6;
const INTERRUPT_MS = 10_000;

interface Stage {
  plan: Plan;
  site: Site;
  proxy: ChaosProxy;
  stack: Stack;
  result: Result;
  /** Did a conductor die in this run? */
  conductorDied: boolean;
  stackId: string | undefined;
}

/** Errors that only say that there is another one. */
const FOLLOWS = /^update failed|^\d+ errors? occurred|resource .* failed to register/;

/** Error lines of a command, each with the resource at which it stands. */
export function errorsIn(output: string): { resource: string; text: string }[] {
  const found: { resource: string; text: string }[] = [];
  let resource = "";
  for (const line of output.split("\n")) {
    const heading = /^ {2}\S+ \((.+)\):\s*$/.exec(line)?.[1];
    if (heading !== undefined) resource = heading;
    // Of a resource that is kept as failed, the errors are a list below a heading.
    const text = /^\s*error: (.+)$/.exec(line)?.[1] ?? /^\s+\* (.+)$/.exec(line)?.[1];
    if (text !== undefined) found.push({ resource, text });
  }
  return found;
}

/** Errors and warnings at resources of ours whose last line does not end with a code: each of them has to. */
export function uncodedIn(output: string): string[] {
  const messages: string[] = [];
  let ours = false;
  for (const line of output.split("\n")) {
    const type = /^ {2}(\S+) \(.+\):\s*$/.exec(line)?.[1];
    if (type !== undefined) ours = type.includes("ironic:");
    const begun = /^\s*(?:error|warning): (.+)$/.exec(line)?.[1] ?? /^\s+\* (.+)$/.exec(line)?.[1];
    if (type !== undefined || line.trim() === "") continue;
    if (!ours) continue;
    if (begun !== undefined) messages.push(begun);
    // Of several failures each is a line of its own.
    else if (messages.at(-1)?.endsWith(":") || /\]$/.test(line))
      messages.push(`${messages.pop() ?? ""} ${line.trim()}`);
  }
  return messages.filter((text) => !FOLLOWS.test(text) && !/ \[[a-z0-9-]+\]$/.test(text));
}

/** Names instead of UUIDs, which differ from lab to lab, so that the schedule is the same wherever a seed runs. */
function renamed(site: Site, path: string): string {
  const bare = path.split("?")[0] ?? path;
  return site.lab.nodes.reduce((text, { uuid, name }) => text.replaceAll(uuid, name), bare);
}

function rulesFor(stage: Stage, label: string, attempt: number, killer: Assassin | undefined): Rules {
  const { plan, site } = stage;
  const clear = attempt >= CLEAR_ATTEMPT;
  const faults = schedule(plan.seed, `${label} ${attempt}`, clear ? 0 : plan.rate);
  return {
    fault: (method, path) => faults.next(method, renamed(site, path)),
    ...(killer && { watch: killer.watch }),
    outage: () => plan.kill?.outage ?? "reset",
  };
}

function noteErrors(stage: Stage, outcome: Outcome): void {
  const errors = errorsIn(outcome.output);
  const telling = errors.filter(({ text }) => !FOLLOWS.test(text));
  for (const { resource, text } of telling) stage.result.errorsShown.push(`${outcome.command}, ${resource}: ${text}`);
  if (errors.length === 0)
    stage.result.errorsShown.push(
      `${outcome.command} ended with ${outcome.code} and said: ${outcome.output.slice(-300)}`,
    );
}

/** Identities on nodes after a kill must be known to the state: it is made before any node is touched. */
async function judgeStackId(stage: Stage): Promise<void> {
  const { site, stack, plan, result } = stage;
  const known = stackIdOf(stack) ?? stage.stackId;
  for (const [name, view] of await look(site.lab, namesOf(plan.up)))
    for (const stackId of stackIdsOn(view))
      if (stackId !== known)
        result.broken.push(`${name}: marked as ${stackId}'s, whom the state does not know (${known})`);
}

const stackIdOf = (stack: Stack): string | undefined => {
  const resource = stack.state().resources.find(({ type }) => type.endsWith("/ironic:StackIdentity"));
  const stackId = resource?.outputs?.stackId;
  return typeof stackId === "string" ? stackId : undefined;
};

const namesOf = ({ machines }: Program): string[] => machines.map(({ node }) => node);

/** What a user does after a command in which somebody was killed. True: goes on; false: gives up and destroys. */
async function recover(stage: Stage, killer: Assassin, outcome: Outcome, after: Promise<string[]>[]): Promise<boolean> {
  const { plan, stack, result } = stage;
  const { kill } = plan;
  if (kill === undefined) return true;
  result.kill = killer.done();
  if (kill.victim === "interrupt") {
    result.interruptMs = Date.now() - (killer.at() ?? Date.now());
    if (result.interruptMs > INTERRUPT_MS) result.broken.push(`Ctrl-C took ${result.interruptMs} ms`);
  }
  if (kill.victim === "conductor") stage.conductorDied = true;
  if (kill.victim === "engine" && !kill.patient) after.push(killer.settled());
  else result.broken.push(...(await killer.settled()));
  if (outcome.code === 0) return true;
  if (kill.victim === "engine") {
    await judgeStackId(stage);
    result.commands.push(await stack.cancel());
  }
  if (kill.reaction === "clear") result.commands.push(await stack.clearPending());
  return kill.reaction !== "destroy";
}

/** Repeats a command until it succeeds, as a user would. False: given up after a kill. */
async function carryOut(stage: Stage, phase: Phase, command: (attempt: number) => Promise<Outcome>): Promise<boolean> {
  const { plan, site, proxy, stack, result } = stage;
  const after: Promise<string[]>[] = [];
  try {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const armed = attempt === 1 && plan.kill?.phase === phase ? assassin(plan.kill, stack, site.lab) : undefined;
      proxy.obey(rulesFor(stage, phase, attempt, armed));
      const outcome = await command(attempt);
      result.commands.push(outcome);
      stage.stackId = stackIdOf(stack) ?? stage.stackId;
      if (outcome.timedOut) result.broken.push(`${phase}: the command did not end`);
      const killed = armed?.done() !== undefined;
      if (killed && armed && !(await recover(stage, armed, outcome, after)) && phase !== "destroy") return false;
      if (!killed)
        for (const text of uncodedIn(outcome.output)) result.broken.push(`${phase}: a message without a code: ${text}`);
      if (outcome.code === 0) return true;
      // A program that wants somebody else's node is refused, and what else it wanted may fail with it.
      if (!killed && !(phase === "up" && attempt === 1 && plan.foreign !== undefined)) noteErrors(stage, outcome);
    }
    result.broken.push(`${phase} does not succeed, however often it is repeated`);
    return false;
  } finally {
    for (const problems of await Promise.all(after)) result.broken.push(...problems);
  }
}

const blame = (stage: Stage, phase: string, name: string, problems: readonly string[]): void => {
  for (const problem of problems) stage.result.broken.push(`${phase}, ${name}: ${problem}`);
};

const viewOf = (views: Views, name: string): View => {
  const view = views.get(name);
  if (view === undefined) throw new Error(`${name} was not looked at`);
  return view;
};

/** After a successful up: each machine runs what is wanted, booted as often as wanted; what was dropped, not at all. */
function judgeUp(stage: Stage, phase: Phase, program: Program, before: Views, now: Views): void {
  const { resources } = stage.stack.state();
  for (const machine of program.machines) {
    const view = viewOf(now, machine.node);
    blame(stage, phase, machine.node, judgeRunning(machine, view, resources));
    const events = since(viewOf(before, machine.node), view);
    blame(
      stage,
      phase,
      machine.node,
      judgeStarts(events, bootsIn(stage.plan, phase, machine.node), stage.conductorDied),
    );
  }
  const kept = namesOf(program);
  const dropped = namesOf(stage.plan.up).filter((name) => !kept.includes(name));
  judgeMostOf(stage, phase, dropped, before, now);
}

/** Whatever became of the phase: it booted no node more often than it had to. */
function judgeMostOf(stage: Stage, phase: Phase, names: readonly string[], before: Views, now: Views): void {
  for (const name of names) {
    const events = since(viewOf(before, name), viewOf(now, name));
    blame(stage, phase, name, judgeMost(events, bootsIn(stage.plan, phase, name), stage.conductorDied));
  }
}

async function comeUp(stage: Stage, before: Views): Promise<Views | undefined> {
  const { plan, stack, site } = stage;
  const foreigner: Machine[] =
    plan.foreign === undefined
      ? []
      : [
          {
            node: plan.foreign,
            settings: "aside",
            config: { bootInterface: "ipxe", description: "taken" },
            deployment: { kernel: "/kernel", ramdisk: "/ramdisk" },
          },
        ];
  let refusals = foreigner.length;
  const done = await carryOut(stage, "up", (attempt) => {
    const wanted = attempt === 1 ? { machines: [...plan.up.machines, ...foreigner] } : plan.up;
    if (attempt > 1) refusals = 0;
    return stack.up(variables(site, wanted), ...(attempt === 1 && refusals > 0 ? ["--continue-on-error"] : []));
  });
  if (!done) return undefined;
  const now = await look(site.lab, [...before.keys()]);
  judgeUp(stage, "up", plan.up, before, now);
  return now;
}

/** For program.ts: the machines, with the addresses of this lab's images. */
function variables({ lab }: Site, { machines }: Program): Record<string, string> {
  const absolute = (path: unknown) => (typeof path === "string" ? `${lab.images.url}${path}` : undefined);
  const program: Program = {
    machines: machines.map((machine) => {
      const { kernel, ramdisk, bootIso } = machine.deployment;
      const images = Object.entries({ kernel, ramdisk, bootIso }).filter(([, path]) => path !== undefined);
      const addresses = Object.fromEntries(images.map(([key, path]) => [key, absolute(path)]));
      return { ...machine, deployment: { ...machine.deployment, ...addresses } };
    }),
  };
  return { CHAOS_PROGRAM: JSON.stringify(program) };
}

async function change(stage: Stage, then: Views): Promise<Views | undefined> {
  const { plan, stack, site } = stage;
  const { update } = plan;
  if (update === undefined) return then;
  if (!(await carryOut(stage, "update", () => stack.up(variables(site, update))))) return undefined;
  const now = await look(site.lab, [...then.keys()]);
  judgeUp(stage, "update", update, then, now);
  return now;
}

/** After the stack has gone: everything is as it was, or a create that the engine forgot is marked as such. */
async function judgeEnd(stage: Stage, before: Views, forgetful: boolean): Promise<Views> {
  const { plan, site, stack, result } = stage;
  const mine = namesOf(plan.up);
  const { resources } = stack.state();
  if (resources.length > 0) result.broken.push(`destroy left ${resources.length} resources in the state`);
  const now = await look(site.lab, mine);
  const remains = mine.filter((name) => judgeRestored(viewOf(before, name), viewOf(now, name)).length > 0);
  if (forgetful && remains.length > 0) await judgeLeftovers(stage, before, now, remains);
  const end = await look(site.lab, [...before.keys()]);
  for (const [name, view] of end) {
    const was = viewOf(before, name);
    if (mine.includes(name)) blame(stage, "destroy", name, judgeRestored(was, view));
    else blame(stage, "not ours", name, judgeUntouched(was, view));
  }
  return end;
}

/** What a forgotten create left must be marked truly, be listed by `pulumi-ironic claims`, and be released by it. */
async function judgeLeftovers(stage: Stage, before: Views, now: Views, names: readonly string[]): Promise<void> {
  const { result, stackId, site } = stage;
  result.left.push(...names);
  for (const name of names)
    blame(stage, "left behind", name, judgeLeft(viewOf(before, name), viewOf(now, name), stackId));
  const { listed, outcomes } = await giveBack(stage.stack.env, site.lab.url, stackId ?? "");
  result.commands.push(...outcomes);
  for (const name of names) if (!listed.has(name)) result.broken.push(`${name} is left claimed, but not listed`);
  for (const { code, output } of outcomes) if (code !== 0) result.broken.push(`claims ended with ${code}: ${output}`);
}

/** Whatever was written went to the run's own nodes. */
function judgeWrites(stage: Stage, passages: readonly Passage[]): void {
  const allowed = new Set(namesOf(stage.plan.up));
  for (const { method, path } of passages) {
    const node = /^\/v1\/nodes\/([^/?]+)/.exec(renamed(stage.site, path))?.[1];
    if (method !== "GET" && (node === undefined || !allowed.has(node)))
      stage.result.broken.push(`${method} ${path} is not this stack's to send`);
  }
}

export async function playRun(plan: Plan, site: Site, proxy: ChaosProxy, stack: Stack): Promise<Result> {
  const started = Date.now();
  const result: Result = {
    seed: plan.seed,
    broken: [],
    errorsShown: [],
    faults: {},
    kill: undefined,
    left: [],
    requests: 0,
    commands: [],
    passages: [],
    seconds: 0,
  };
  const stage: Stage = { plan, site, proxy, stack, result, conductorDied: false, stackId: undefined };
  const before = await look(site.lab, [...site.free.map(({ name }) => name), ...site.foreign]);
  proxy.take();
  result.commands.push(await stack.init());
  const up = await comeUp(stage, before);
  const forgetful = up === undefined;
  const changed = up && (await change(stage, up));
  await carryOut(stage, "destroy", () => stack.destroy());
  proxy.obey();
  result.passages = proxy.take();
  const end = await judgeEnd(stage, before, forgetful);
  // What was given up was not judged yet; after what succeeded only the destroy was not.
  const unjudged: Phase = changed ? "destroy" : up ? "update" : "up";
  judgeMostOf(stage, unjudged, namesOf(plan.up), changed ?? up ?? before, end);
  judgeWrites(stage, result.passages);
  result.requests = result.passages.length;
  for (const { fault } of result.passages) if (fault) result.faults[fault] = (result.faults[fault] ?? 0) + 1;
  result.seconds = (Date.now() - started) / 1000;
  return result;
}
