/**
 * Carries a plan out (plan.ts): a stack over an Ironic in memory, with runs that are killed, interrupted and met by faults,
 * operators and other clients in between. What must hold (invariants.ts) is asked of Ironic after each step, and at the end,
 * when all troubles are over: then the program must come to stand, stand still, and leave nothing behind.
 */
import { listClaims, releaseClaim } from "../../provider/commands/claims.ts";
import { driveHashOf } from "../../provider/deployment/args.ts";
import type { InstanceInfo } from "../../provider/node/instance-info.ts";
import { bootHashOf, saltedDriveHash } from "../../provider/node/slow-hash.ts";
import { stateName } from "../../provider/node/states.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { fakeCall, slowHash } from "../fakes/call.ts";
import type { Write } from "../fakes/client.ts";
import { type VirtualClock, virtualClock } from "../fakes/clock.ts";
import {
  type InjectedFaults,
  type Outcome,
  type Process,
  type Program,
  Stack,
  startProcess,
} from "../fakes/fake-engine.ts";
import type { FakeNode } from "../fakes/fake-node.ts";
import { type FakeIronic, fakeIronic } from "../fakes/ironic-model.ts";
import { DEEDS, type DeedName, restoreOrder } from "../fakes/operator-actions.ts";
import { hasCode, settingsOf, type Track } from "./invariants.ts";
import { Judge } from "./judge.ts";
import { DRIVES, INSTANCES, NODES, type Plan, programOf, STACK, type Step, type Trouble } from "./plan.ts";

/** Computed before the first walk: real work in another thread would make walks differ. */
export const ready = Promise.all(
  INSTANCES.flatMap((instance) => [
    ...DRIVES.map((drive) => saltedDriveHash(slowHash, driveHashOf(drive), instance)),
    ...bootable().map((info) => bootHashOf(slowHash, info, instance)),
  ]),
);

/** Whatever a node may say that it boots, be it by others. */
function bootable(): InstanceInfo[] {
  const kernels = ["http://images/a.kernel", "http://images/b.kernel", "http://theirs/k", undefined];
  const ramdisks = ["http://images/a.initramfs", "http://images/b.initramfs", "http://theirs/r", undefined];
  return kernels.flatMap((kernel) =>
    ramdisks.flatMap((ramdisk) =>
      ["quiet", undefined].map((ramdisk_kernel_arguments) => ({
        ...(kernel && { kernel }),
        ...(ramdisk && { ramdisk }),
        ...(ramdisk_kernel_arguments && { ramdisk_kernel_arguments }),
      })),
    ),
  );
}

const SETTINGS_DEEDS: readonly DeedName[] = ["setBoot", "setClean", "wipeExtra", "takeAndDeploy"];
const LIMIT_MS = 4 * 3600 * 1000;
const ABORT_MS = 1_000;

class Walk {
  #requests = 0;
  readonly #plan: Plan;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #clock: VirtualClock = virtualClock();
  readonly #ironic: FakeIronic;
  readonly #tracks: Track[];
  readonly #judge: Judge;
  readonly #stack: Stack;

  constructor(plan: Plan, trace: ((line: string) => void) | undefined) {
    this.#trace = trace;
    this.#plan = plan;
    const { cleansByDefault, resolution } = plan;
    this.#ironic = fakeIronic({ clock: this.#clock, cleansByDefault, resolution });
    // Where Ironic keeps whole seconds, no machine boots within one.
    const deployMs = Math.max(plan.fate.deployMs ?? 0, resolution === "s" ? 2_000 : 0);
    const fate = { ...plan.fate, deployMs };
    this.#tracks = NODES.slice(0, plan.nodes).map(() => {
      const fake = this.#ironic.add(plan.settings, fate);
      return {
        fake,
        original: settingsOf(fake.node),
        settingsTouched: false,
        touched: false,
        tried: new Set(),
        deeds: 0,
        seenBoots: 0,
        wiped: false,
        kept: false,
      };
    });
    const foreign = this.#ironic.add({ name: "foreign", instance_uuid: "dddddddd-0000-4000-8000-000000000004" });
    this.#judge = new Judge({ ironic: this.#ironic, clock: this.#clock, tracks: this.#tracks, foreign, trace });
    this.#stack = new Stack((outcome) => {
      this.#listener?.(outcome);
      this.#judge.outcome(outcome);
    });
  }

  #deed(index: number, name: DeedName): void {
    const track = this.#tracks[index % this.#tracks.length] as Track;
    this.#ironic.find(track.fake.node.uuid);
    const before = JSON.stringify(track.fake.node);
    (DEEDS[name] as (ironic: FakeIronic, fake: FakeNode) => unknown)(this.#ironic, track.fake);
    if (before === JSON.stringify(track.fake.node)) return;
    this.#trace?.(`${this.#clock.now()} others: ${name} on ${track.fake.node.name}`);
    track.deeds++;
    track.touched = true;
    if (name === "wipeExtra" || name === "takeAndDeploy") track.wiped = true;
    if (SETTINGS_DEEDS.includes(name)) track.settingsTouched = true;
  }

  /** Runs one command of the engine in a process of its own. */
  async #command(trouble: Trouble, work: (process: Process) => Promise<void>): Promise<void> {
    const writes: Write[] = [];
    for (const track of this.#tracks) track.deeds = 0;
    for (const [name, { stored }] of this.#stack.states)
      if (stored.inputs.onDestroy === "keep") this.#judge.trackOf(name).kept = true;
    const fortune: InjectedFaults = {
      ...trouble,
      onRequest: (index) => {
        for (const { at, node, deed } of trouble.deeds) if (at === index) this.#deed(node, deed);
      },
    };
    const process = startProcess(this.#ironic, this.#clock, fortune, writes);
    const boots = this.#tracks.map(({ fake }) => fake.boots.filter(({ by }) => by === "us").length);
    try {
      await this.#clock.run(Promise.race([work(process), process.death]), LIMIT_MS);
    } catch (error) {
      this.#judge.violation("I1", `${(error as Error).stack}`);
    }
    const abortedAtMs = process.abortedAtMs();
    if (abortedAtMs !== undefined && !process.dead() && this.#clock.now() - abortedAtMs > ABORT_MS)
      this.#judge.violation("I2", `went on for ${this.#clock.now() - abortedAtMs} ms after the interruption`);
    for (const shown of process.calls.flatMap((call) => call.shown))
      if (!hasCode(shown)) this.#judge.violation("I3", `a warning without a code: ${shown}`);
    this.#requests += process.client.requests.length;
    this.#judge.writes(writes);
    this.#tracks.forEach((track, index) => {
      const begun = track.fake.boots.filter(({ by }) => by === "us").length - (boots[index] ?? 0);
      if (begun > 1 + track.deeds) this.#judge.violation("I4", `booted ${begun} times in one run`);
    });
  }

  async #do(step: Step): Promise<void> {
    if (step.do === "pass") return this.#clock.pass(step.ms);
    if (step.do === "deed") return this.#deed(step.node, step.deed);
    if (step.do === "refresh") return this.#command(step, (process) => this.#stack.refresh(process));
    if (step.do === "destroy")
      return this.#command(step, (process) =>
        this.#stack.destroy(process, [...this.#stack.states.keys()], step.together),
      );
    this.#judge.boots(step.choice);
    const replace = step.replace ? "deployment-1" : undefined;
    await this.#command(step, (process) => this.#stack.up(programOf(this.#plan, step.choice), process, replace));
  }

  /** The troubles are over: from here on nothing may fail. */
  async #calm(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await this.#clock.pass(120_000);
      for (const { fake } of this.#tracks) {
        this.#ironic.find(fake.node.uuid);
        restoreOrder(this.#ironic, fake);
      }
    }
    for (const track of this.#tracks) {
      track.fake.node.name = `worker-${this.#tracks.indexOf(track) + 1}`;
      track.deeds = 0;
    }
  }

  async #peaceful(what: string, work: (process: Process) => Promise<void>): Promise<Outcome[]> {
    this.#judge.step = what;
    const outcomes: Outcome[] = [];
    this.#listener = (outcome) => outcomes.push(outcome);
    await this.#command({ faults: [], deeds: [], dieAtSleep: undefined, abortAt: undefined }, work);
    this.#listener = undefined;
    for (const { name, did, error } of outcomes)
      if (error) this.#judge.violation("I19", `${did} of ${name}: ${error.message}`);
    return outcomes;
  }

  #listener: ((outcome: Outcome) => void) | undefined;

  async #endByProgram(): Promise<void> {
    const { last, fate } = this.#plan;
    // Where no rebuild works the message names this way out.
    const program = programOf(this.#plan, fate.rebuild === "never" ? { ...last, strategy: "redeploy" } : last);
    const all = () => [...this.#stack.states.keys()];
    const destroy = (process: Process) => this.#stack.destroy(process, all(), last.together);
    // An active node's interfaces stay as they are.
    if (this.#wantsInterfaces(program)) {
      await this.#peaceful("destroy for other interfaces", destroy);
      await this.#releaseClaims();
      // What was to be kept is in the way as well.
      for (const { fake } of this.#tracks) {
        fake.node.protected = false;
        this.#ironic.provision(fake.node.uuid, "others", "deleted");
      }
      await this.#clock.pass(120_000);
    }
    await this.#peaceful("last refresh", (process) => this.#stack.refresh(process));
    await this.#peaceful("last up", (process) => this.#stack.up(program, process, undefined));
    this.#judge.standing(program);
    await this.#peaceful("last refresh again", (process) => this.#stack.refresh(process));
    const still = await this.#peaceful("up with nothing to do", (process) =>
      this.#stack.up(program, process, undefined),
    );
    for (const { name, did } of still) if (did !== "nothing") this.#judge.violation("I21", `${did} of ${name}`);
    await this.#peaceful("last destroy", destroy);
    if (all().length > 0) this.#judge.violation("I22", `the state still has ${all().join(", ")}`);
  }

  #wantsInterfaces({ resources }: Program): boolean {
    return this.#tracks.some(({ fake: { node } }, index) => {
      const { inputs } = resources.find(({ name }) => name === `config-${index + 1}`) ?? {};
      const marker = node.extra.pulumi_ironic as { previous: Props } | undefined;
      const outs = this.#stack.states.get(`config-${index + 1}`)?.stored.outs as { previous?: Props } | undefined;
      const before = (marker ?? outs)?.previous?.boot_interface;
      const wanted = inputs?.bootInterface ?? before ?? node.boot_interface;
      return wanted !== node.boot_interface || node.deploy_interface !== "ramdisk";
    });
  }

  async #endByClaims(): Promise<void> {
    // After a death between a delete and the engine's saving of it, only the state still has what was there before.
    for (const [index, track] of this.#tracks.entries())
      track.settingsTouched ||=
        this.#stack.states.has(`config-${index + 1}`) && !("pulumi_ironic" in track.fake.node.extra);
    this.#stack.states.clear();
    await this.#releaseClaims();
  }

  async #releaseClaims(): Promise<void> {
    const marked = this.#tracks.filter(({ fake: { node } }) => {
      const marker = node.extra.pulumi_ironic_deployment as { stackId?: string; keep?: boolean } | undefined;
      return (
        marker?.stackId === STACK &&
        marker.keep === true &&
        !["available", "manageable"].includes(stateName(node.provision_state))
      );
    });
    const running = marked.filter(({ fake: { node } }) => stateName(node.provision_state) === "active");
    await this.#peaceful("release of claims", async (process) => {
      for (const claim of await listClaims(process.client, STACK, undefined))
        await releaseClaim(claim, process.services, fakeCall(900_000));
    });
    for (const track of marked) track.kept = true;
    for (const { fake } of running)
      if (fake.node.provision_state !== "active") this.#judge.violation("I23", `${fake.node.name}: it was to be kept`);
    for (const track of this.#tracks) this.#judge.forgetSettings(track);
  }

  async run(): Promise<Report> {
    for (const [index, step] of this.#plan.steps.entries()) {
      this.#judge.step = `step ${index + 1} (${step.do})`;
      await this.#do(step);
      this.#judge.boots(undefined);
      if (this.#judge.violations.length > 0) return this.#report();
    }
    this.#judge.step = "calm";
    await this.#calm();
    if (this.#plan.ending === "claims") await this.#endByClaims();
    else await this.#endByProgram();
    this.#judge.step = "the end";
    if (this.#judge.violations.length === 0) this.#judge.end(this.#plan.ending);
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
  await ready;
  return new Walk(plan, trace).run();
}
