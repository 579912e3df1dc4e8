/**
 * Carries a plan out (plan.ts): a stack over an Ironic in memory, with runs that are killed, interrupted and met by faults,
 * operators and other clients in between. What must hold (invariants.ts, trust.ts) is asked of Ironic after each step, and at
 * the end (ending.ts).
 */
import type { Write } from "../fakes/client.ts";
import { type VirtualClock, virtualClock } from "../fakes/clock.ts";
import { type InjectedFaults, type Outcome, type Process, Stack, startProcess } from "../fakes/fake-engine.ts";
import type { FakeNode } from "../fakes/fake-node.ts";
import { type FakeIronic, fakeIronic } from "../fakes/ironic-model.ts";
import { ADDRESS_KEY } from "../fakes/lessee.ts";
import type { Deed } from "../fakes/operator-actions.ts";
import { type Replicas, replicas } from "../fakes/replicas.ts";
import { sightOf } from "../fakes/sight.ts";
import { ACTORS, ALL_DEEDS, type DeedName } from "./actors.ts";
import { Ending } from "./ending.ts";
import { hashesFor } from "./hashes.ts";
import { hasCode, newTrack, type Track } from "./invariants.ts";
import { Judge } from "./judge.ts";
import { type Beside, NODES, type Plan, programOf, type Step, type Trouble } from "./plan.ts";
import { Twin } from "./twin.ts";

/** What the program manages, or what restores it, is changed by them. */
const SETTINGS_DEEDS: readonly DeedName[] = [
  "setBoot",
  "setClean",
  "wipeExtra",
  "takeAndDeploy",
  "forgeAddress",
  "forgeCleaningOff",
  "replayMarks",
  "removeSettingsMark",
];
const MARK_DEEDS: readonly string[] = ["wipeExtra", "takeAndDeploy", ...Object.keys(ACTORS.lessee.deeds)];
const LIMIT_MS = 4 * 3600 * 1000;
const ABORT_MS = 1_000;

class Walk {
  #requests = 0;
  #isCalm = false;
  #listener: ((outcome: Outcome) => void) | undefined;
  #process: Process | undefined;
  readonly #plan: Plan;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #clock: VirtualClock = virtualClock();
  readonly #replicas: Replicas = replicas();
  readonly #ironic: FakeIronic;
  readonly #tracks: Track[];
  readonly #judge: Judge;
  readonly #stack: Stack;
  readonly #twin: Twin;

  constructor(plan: Plan, trace: ((line: string) => void) | undefined) {
    this.#trace = trace;
    this.#plan = plan;
    const { cleansByDefault, resolution, lagsMs } = plan;
    this.#ironic = fakeIronic({
      clock: this.#clock,
      cleansByDefault,
      resolution,
      ...(lagsMs.length > 0 && { onChange: this.#replicas.save }),
    });
    // Where Ironic keeps whole seconds, no machine boots within one.
    const deployMs = Math.max(plan.fate.deployMs ?? 0, resolution === "s" ? 2_000 : 0);
    const fate = { ...plan.fate, deployMs };
    const hasLessee = plan.actors.includes("lessee");
    const driver_info = hasLessee ? { [ADDRESS_KEY]: "https://bmc.test" } : {};
    this.#tracks = NODES.slice(0, plan.nodes).map(() =>
      newTrack(this.#ironic.add({ ...plan.settings, driver_info }, fate)),
    );
    const foreign = this.#ironic.add({
      name: "foreign",
      instance_uuid: "dddddddd-0000-4000-8000-000000000004",
      ...(hasLessee && { provision_state: "active" }),
    });
    const seen = { plan, ironic: this.#ironic, clock: this.#clock, tracks: this.#tracks, foreign, trace };
    this.#judge = new Judge(seen);
    this.#stack = new Stack((outcome) => {
      if (this.#process) this.#noteHandWork(this.#process);
      this.#listener?.(outcome);
      this.#judge.outcome(outcome);
    });
    const onWritten = (node: { uuid: string }) => {
      const track = this.#tracks.find(({ fake }) => fake.node.uuid === node.uuid);
      if (track) this.#touch(track);
    };
    const world = { plan, ironic: this.#ironic, clock: this.#clock, replicas: this.#replicas };
    this.#twin = new Twin({ ...world, onWritten });
  }

  /** Others did something to the node. */
  #touch(track: Track): void {
    track.deeds++;
    track.touched = true;
    track.deedsAtBoots.add(track.fake.boots.length);
  }

  /** Whom was it told of that a person has to turn its cleaning off again? */
  #noteHandWork({ calls }: Pick<Process, "calls">): void {
    const told = calls
      .flatMap(({ shown }) => shown)
      .filter((shown) => /automated_clean.*\[settings-(mark-not-trusted|not-restored)\]$/.test(shown));
    for (const track of this.#tracks) track.leftToHand ||= told.some((shown) => shown.includes(track.fake.node.uuid));
  }

  #deed(index: number, name: DeedName): void {
    const track = this.#tracks[index % this.#tracks.length] as Track;
    this.#ironic.find(track.fake.node.uuid);
    const { fake } = track;
    const [before, extra] = [JSON.stringify(fake.node), fake.node.extra];
    const deeds: Record<string, Deed> = ALL_DEEDS;
    (deeds[name] as (ironic: FakeIronic, fake: FakeNode) => unknown)(this.#ironic, fake);
    if (name in ACTORS.sight.deeds) this.#trace?.(`${this.#clock.now()} sight: ${name} ${fake.node.name}`);
    if (before === JSON.stringify(fake.node)) return;
    this.#trace?.(`${this.#clock.now()} others: ${name} on ${fake.node.name}`);
    this.#touch(track);
    if (name in ACTORS.lessee.deeds)
      for (const [key, value] of Object.entries(fake.node.extra))
        if (value !== extra[key]) track.forged.set(key, JSON.stringify(value));
    if (MARK_DEEDS.includes(name)) track.wiped = true;
    if (SETTINGS_DEEDS.includes(name)) track.settingsTouched = true;
  }

  #start(trouble: Trouble, writes: Write[]): Process {
    const lagsMs = this.#isCalm ? [] : this.#plan.lagsMs;
    const sight = sightOf(this.#ironic, { lagsMs, replicas: this.#replicas });
    const fortune: InjectedFaults = {
      ...trouble,
      onRequest: (request) => {
        for (const { at, node, deed } of trouble.deeds) if (at === request.index) this.#deed(node, deed);
        sight.onRequest(request);
      },
    };
    const latencyMs = this.#isCalm ? 0 : this.#plan.latencyMs;
    const scope = this.#plan.actors.includes("sight") ? "project:p" : "none";
    return startProcess(sight.ironic, this.#clock, fortune, writes, { latencyMs, scope });
  }

  /** Runs one command of the engine in a process of its own. */
  async #command(trouble: Trouble, work: (process: Process) => Promise<void>, beside?: Beside): Promise<void> {
    const { actors, lagsMs } = this.#plan;
    if (lagsMs.length > 0 && !actors.includes("trail")) await this.#clock.pass(Math.max(...lagsMs));
    const writes: Write[] = [];
    const twinWrites: Write[] = [];
    for (const track of this.#tracks) track.deeds = 0;
    for (const [name, { stored }] of this.#stack.states)
      if (stored.inputs.onDestroy === "keep") this.#judge.trackOf(name).kept = true;
    const process = this.#start(trouble, writes);
    this.#process = process;
    const first = this.#tracks.map(({ fake }) => fake.boots.length);
    let endedAtMs: number | undefined;
    const run = Promise.race([work(process), process.death]).finally(() => {
      endedAtMs = this.#clock.now();
    });
    const twin = beside && this.#twin.run(beside, twinWrites);
    try {
      await this.#clock.run(Promise.all([run, twin]), LIMIT_MS);
    } catch (error) {
      this.#judge.violation("I1", `${(error as Error).stack}`);
    }
    const abortedAtMs = process.abortedAtMs();
    const wentOnMs = (endedAtMs ?? this.#clock.now()) - (abortedAtMs ?? Infinity);
    if (!process.dead() && wentOnMs > ABORT_MS)
      this.#judge.violation("I2", `went on for ${wentOnMs} ms after the interruption`);
    for (const shown of process.calls.flatMap((call) => call.shown))
      if (!hasCode(shown)) this.#judge.violation("I3", `a warning without a code: ${shown}`);
    this.#noteHandWork(process);
    this.#requests += process.client.requests.length;
    this.#judgeTwin(twinWrites);
    this.#judge.writes(writes);
    this.#judge.starts(first);
    this.#tracks.forEach((track, index) => {
      const begun = track.fake.boots.slice(first[index]).filter(({ by }) => by === "us").length;
      if (begun > 1 + track.deeds) this.#judge.violation("I4", `booted ${begun} times in one run`);
    });
  }

  #judgeTwin(writes: readonly Write[]): void {
    this.#judge.twinWrites(writes);
    // What each takes for what was there before may be what the other wrote.
    for (const { path, body, applied } of writes)
      if (applied && JSON.stringify(body ?? null).includes('"/extra/pulumi_ironic"'))
        for (const track of this.#tracks) track.settingsTouched ||= path.includes(track.fake.node.uuid);
  }

  async #do(step: Step, beside: Beside | undefined): Promise<void> {
    this.#judge.choice = undefined;
    if (step.do === "pass") return this.#clock.pass(step.ms);
    if (step.do === "deed") return this.#deed(step.node, step.deed);
    if (step.do === "refresh") {
      const names = [...this.#stack.states.keys()];
      await this.#command(step, (process) => this.#stack.refresh(process), beside);
      for (const name of names)
        if (!this.#stack.states.has(name)) this.#judge.violation("I30", `refresh took ${name} out of the state`);
      return;
    }
    if (step.do === "destroy") {
      const all = [...this.#stack.states.keys()];
      return this.#command(step, (process) => this.#stack.destroy(process, all, step.together), beside);
    }
    this.#judge.choice = step.choice;
    this.#judge.boots(step.choice);
    const replace = step.replace ? "deployment-1" : undefined;
    const program = programOf(this.#plan, step.choice);
    await this.#command(step, (process) => this.#stack.up(program, process, replace), beside);
  }

  /** A command that nothing gets in the way of. */
  async #peaceful(what: string, work: (process: Process) => Promise<void>): Promise<Outcome[]> {
    this.#judge.step = what;
    const outcomes: Outcome[] = [];
    this.#listener = (outcome) => outcomes.push(outcome);
    await this.#command({ faults: [], deeds: [], dieAtSleep: undefined, abortAt: undefined }, work);
    this.#listener = undefined;
    return outcomes;
  }

  async run(): Promise<Report> {
    for (const [index, step] of this.#plan.steps.entries()) {
      this.#judge.step = `step ${index + 1} (${step.do})`;
      await this.#do(step, this.#plan.beside[index]);
      this.#judge.boots(undefined);
      if (this.#judge.violations.length > 0) return this.#report();
    }
    this.#isCalm = true;
    await new Ending({
      plan: this.#plan,
      clock: this.#clock,
      ironic: this.#ironic,
      tracks: this.#tracks,
      judge: this.#judge,
      stack: this.#stack,
      twin: this.#twin,
      peaceful: (what, work) => this.#peaceful(what, work),
    }).run();
    return this.#report();
  }

  #report(): Report {
    return { violations: this.#judge.violations, requests: this.#requests };
  }
}

export interface Report {
  violations: string[];
  requests: number;
}

/** `trace` gets a line for each thing that happens. */
export async function walk(plan: Plan, trace?: (line: string) => void): Promise<Report> {
  await hashesFor(plan.actors);
  return new Walk(plan, trace).run();
}
