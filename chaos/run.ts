// One run: a stack comes up, changes and goes, while its way to Ironic is spoiled, somebody may be killed, and somebody else
// may be at work.
import type { Accounts } from "./accounts.ts";
import { type Assassin, assassin } from "./assassin.ts";
import { look, type Views } from "./assertions.ts";
import { createActor } from "./cast.ts";
import { schedule } from "./faults.ts";
import { judgeAgain, judgeEnd, judgeMemory, judgeMostOf, judgeStackId, judgeUp } from "./judges.ts";
import { errorsIn, FOLLOWS, uncodedIn } from "./messages.ts";
import type { Machine, Phase, Plan, Program } from "./plan.ts";
import type { ChaosProxy, Rules } from "./proxy.ts";
import type { Outcome, Stack } from "./pulumi-process.ts";
import type { Site } from "./site.ts";
import { emptyResult, namesOf, type Result, renamed, type Stage, stackIdOf } from "./stage.ts";
import { judgeWrites } from "./writes.ts";

/** From here on the way is clear: a run that does not succeed then never will. */
const CLEAR_ATTEMPT = 4;
const MAX_ATTEMPTS = 6;
const INTERRUPT_MS = 10_000;

function rulesFor(stage: Stage, phase: Phase, attempt: number, killer: Assassin | undefined): Rules {
  const { plan, site, actor } = stage;
  const isClear = attempt >= CLEAR_ATTEMPT;
  const faults = schedule(plan.seed, `${phase} ${attempt}`, isClear ? 0 : plan.rate);
  const hands = isClear ? {} : actor.hands(phase, attempt);
  return {
    ...hands,
    fault: (method, path) => faults.next(method, renamed(site, path)),
    watch: async (when, passage) => {
      await hands.watch?.(when, passage);
      await killer?.watch(when, passage);
    },
    outage: () => plan.kill?.outage ?? "reset",
  };
}

/** Somebody else's work may cost a refusal, as long as it goes on. */
function noteErrors({ plan, result }: Stage, outcome: Outcome, attempt: number): void {
  const shown = plan.actor !== undefined && attempt < CLEAR_ATTEMPT ? result.refusals : result.errorsShown;
  const errors = errorsIn(outcome.output);
  const telling = errors.filter(({ text }) => !FOLLOWS.test(text));
  for (const { resource, text } of telling) shown.push(`${outcome.command}, ${resource}: ${text}`);
  if (errors.length === 0)
    shown.push(`${outcome.command} ended with ${outcome.code} and said: ${outcome.output.slice(-300)}`);
}

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

type Command = (attempt: number) => Promise<Outcome>;

/** One command, and what is to be said of it whoever else was there. */
async function attemptOnce(
  stage: Stage,
  phase: Phase,
  attempt: number,
  killer: Assassin | undefined,
  command: Command,
) {
  const { plan, proxy, stack, result, actor } = stage;
  proxy.obey(rulesFor(stage, phase, attempt, killer));
  const was = stack.state().resources;
  const outcome = await command(attempt);
  await actor.settled();
  result.commands.push(outcome);
  stage.stackId ??= stackIdOf(stack);
  if (outcome.timedOut) result.broken.push(`${phase}: the command did not end`);
  const isKilled = killer?.done() !== undefined;
  if (isKilled) return { outcome, isKilled };
  for (const text of uncodedIn(outcome.output)) result.broken.push(`${phase}: a message without a code: ${text}`);
  if (plan.actor !== undefined) await judgeMemory(stage, phase, was);
  return { outcome, isKilled };
}

/** Repeats a command until it succeeds, as a user would. False: given up after a kill. */
async function carryOut(stage: Stage, phase: Phase, command: Command): Promise<boolean> {
  const { plan, site, stack, result, actor } = stage;
  const after: Promise<string[]>[] = [];
  try {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      if (attempt === CLEAR_ATTEMPT) await actor.rest();
      const armed = attempt === 1 && plan.kill?.phase === phase ? assassin(plan.kill, stack, site.lab) : undefined;
      const { outcome, isKilled } = await attemptOnce(stage, phase, attempt, armed, command);
      if (isKilled && armed && !(await recover(stage, armed, outcome, after)) && phase !== "destroy") return false;
      if (outcome.code === 0) return true;
      // A program that wants somebody else's node is refused, and what else it wanted may fail with it.
      if (!isKilled && !(phase === "up" && attempt === 1 && plan.foreign !== undefined))
        noteErrors(stage, outcome, attempt);
    }
    result.broken.push(`${phase} does not succeed, however often it is repeated`);
    return false;
  } finally {
    for (const problems of await Promise.all(after)) result.broken.push(...problems);
  }
}

async function comeUp(stage: Stage): Promise<Views | undefined> {
  const { plan, stack, site, before } = stage;
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

/** The user refreshes and destroys while nothing is seen, and comes up again when it is. */
async function loseSight(stage: Stage, then: Views): Promise<Views | undefined> {
  const { plan, stack, site, proxy, result, actor } = stage;
  if (plan.actor?.kind !== "hiding" || !plan.actor.blind || actor.blind === undefined) return then;
  const program = plan.update ?? plan.up;
  const brokenBefore = result.broken.length;
  proxy.obey({ fault: () => undefined, ...actor.blind() });
  for (const command of [() => stack.refresh(), () => stack.destroy()]) {
    const was = stack.state().resources;
    const outcome = await command();
    result.commands.push(outcome);
    await judgeMemory(stage, `${outcome.command} without sight`, was);
    const hidden = namesOf(program).filter((name) => actor.isHidden(name));
    if (outcome.command === "destroy" && outcome.code === 0 && hidden.length > 0)
      result.broken.push(`destroy ended well, though ${hidden.join(", ")} could not be seen`);
  }
  await actor.rest();
  // What was forgotten makes all that follows fail.
  if (result.broken.length > brokenBefore) return undefined;
  if (!(await carryOut(stage, "again", () => stack.up(variables(site, program))))) return undefined;
  const now = await look(site.lab, [...then.keys()]);
  judgeAgain(stage, program, then, now);
  return now;
}

/** The last phase that was judged. */
type Judged = "none" | "up" | "update" | "again";

/** All phases before the destroy, one after the other; gives what was seen at the end of the last that was judged. */
async function play(stage: Stage): Promise<{ judged: Judged; views: Views }> {
  const up = await comeUp(stage);
  if (up === undefined) return { judged: "none", views: stage.before };
  const changed = await change(stage, up);
  if (changed === undefined) return { judged: "up", views: up };
  const again = await loseSight(stage, changed);
  return again === undefined ? { judged: "update", views: changed } : { judged: "again", views: again };
}

/** What was given up was not judged yet; after what succeeded only the destroy was not. */
const UNJUDGED: Readonly<Record<Judged, Phase>> = { none: "up", up: "update", update: "again", again: "destroy" };

/** May the state alone tell how the settings of the node were? What an update writes for the first time, it does not know yet. */
const knowsSettings =
  ({ up }: Plan, stack: Stack) =>
  (node: string, phase: Phase): boolean =>
    up.machines.some((machine) => machine.node === node && machine.settings === "none") ||
    (phase !== "update" &&
      stack.state().resources.some(({ urn }) => urn.endsWith(`ironic:BaremetalNodeConfig::${node}`)));

export async function playRun(
  plan: Plan,
  site: Site,
  proxy: ChaosProxy,
  stack: Stack,
  accounts: Accounts,
): Promise<Result> {
  const started = Date.now();
  const result = emptyResult(plan.seed);
  const before = await look(site.lab, [...site.free.map(({ name }) => name), ...site.foreign]);
  const { lab } = site;
  const nodes = namesOf(plan.up);
  const nameOf = (ident: string) => lab.nodes.find(({ uuid }) => uuid === ident)?.name ?? ident;
  const actor = createActor(plan.actor, {
    seed: plan.seed,
    lab,
    lessee: accounts.lessee,
    nodes,
    nameOf,
    knowsSettings: knowsSettings(plan, stack),
  });
  result.deeds = actor.deeds;
  result.actor = plan.actor?.kind;
  const stage: Stage = {
    plan,
    site,
    proxy,
    stack,
    accounts,
    actor,
    result,
    before,
    conductorDied: false,
    stackId: undefined,
  };
  proxy.take();
  result.commands.push(await stack.init());
  const { judged, views } = await play(stage);
  await carryOut(stage, "destroy", () => stack.destroy());
  proxy.obey();
  result.passages = proxy.take();
  const end = await judgeEnd(stage, judged === "none");
  judgeMostOf(stage, UNJUDGED[judged], nodes, views, end);
  result.broken.push(...judgeWrites(result.passages, plan, before, nameOf));
  result.requests = result.passages.length;
  result.late = result.passages.filter(({ ageMs }) => ageMs !== undefined).length;
  result.concealed = result.passages.filter(({ concealed }) => concealed).length;
  for (const { fault } of result.passages) if (fault) result.faults[fault] = (result.faults[fault] ?? 0) + 1;
  result.seconds = (Date.now() - started) / 1000;
  return result;
}
