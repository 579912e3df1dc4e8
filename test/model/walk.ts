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
import {
  deploymentViolation,
  endViolations,
  hasCode,
  type Invariant,
  isKnownError,
  printedViolation,
  rebootViolation,
  releaseViolation,
  settingsOf,
  settingsViolation,
  type Track,
  type Violation,
  violated,
  wrongWrite,
} from "./invariants.ts";
import { type Choice, DRIVES, INSTANCES, NODES, type Plan, programOf, STACK, type Step, type Trouble } from "./plan.ts";

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
  readonly violations: string[] = [];
  requests = 0;
  readonly #plan: Plan;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #clock: VirtualClock = virtualClock();
  readonly #ironic: FakeIronic;
  readonly #tracks: Track[];
  readonly #foreign: FakeNode;
  readonly #stack: Stack;
  #step = "start";

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
    this.#foreign = this.#ironic.add({ name: "foreign", instance_uuid: "dddddddd-0000-4000-8000-000000000004" });
    this.#stack = new Stack((outcome) => this.#judgeOutcome(outcome));
  }

  #violation(invariant: Invariant, found: string): void {
    this.#judge(violated(invariant, found));
  }

  /** `of` says which resource or node it was. */
  #judge(violation: Violation | undefined, of?: string): void {
    if (violation) this.violations.push(printedViolation(violation, of ? `${this.#step}: ${of}` : this.#step));
  }

  #trackOf(name: string): Track {
    return this.#tracks[Number(name.at(-1)) - 1] as Track;
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
      if (stored.inputs.onDestroy === "keep") this.#trackOf(name).kept = true;
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
      this.#violation("I1", `${(error as Error).stack}`);
    }
    const abortedAtMs = process.abortedAtMs();
    if (abortedAtMs !== undefined && !process.dead() && this.#clock.now() - abortedAtMs > ABORT_MS)
      this.#violation("I2", `went on for ${this.#clock.now() - abortedAtMs} ms after the interruption`);
    for (const shown of process.calls.flatMap((call) => call.shown))
      if (!hasCode(shown)) this.#violation("I3", `a warning without a code: ${shown}`);
    this.requests += process.client.requests.length;
    this.#judgeWrites(writes);
    this.#tracks.forEach((track, index) => {
      const begun = track.fake.boots.filter(({ by }) => by === "us").length - (boots[index] ?? 0);
      if (begun > 1 + track.deeds) this.#violation("I4", `booted ${begun} times in one run`);
    });
  }

  #judgeWrites(writes: readonly Write[]): void {
    for (const write of writes) {
      const { atMs, method, path, body, before, refusal } = write;
      const state = before?.provision_state ?? "";
      this.#trace?.(
        `${atMs} ${method} ${path} ${JSON.stringify(body)} on ${state}${refusal ? `: ${refusal.status} ${refusal.text}` : ""}`,
      );
      this.#judge(wrongWrite(write, STACK, INSTANCES));
      if (write.path.includes(this.#foreign.node.uuid))
        this.#violation("I6", `wrote to a node of others: ${write.path}`);
    }
  }

  #judgeOutcome(outcome: Outcome): void {
    const { name, kind, did, error, inputs, stored } = outcome;
    const track = this.#trackOf(name);
    const text = `${did} of ${name}`;
    this.#listener?.(outcome);
    this.#trace?.(`${this.#clock.now()} ${this.#step}: ${text}${error ? `: ${error.message}` : ""}`);
    if (error && !isKnownError(error)) this.#violation("I3", `${text}: ${error.stack}`);
    if (stored && JSON.stringify(stored.outs).includes('"undefined"'))
      this.#violation("I11", `${text}: undefined in outs`);
    if (error) return;
    this.#ironic.find(track.fake.node.uuid);
    if (kind === "deployment" && did === "delete") {
      // Who deploys anew on a machine that was handed over may reboot it.
      track.touched = true;
    }
    if (kind === "config" && did === "delete") this.#forgetSettings(track);
    // What others do after our last look, nobody can know.
    if (track.deeds > 0 || did === "nothing") return;
    if (kind === "config") this.#judge(settingsViolation(did === "delete", track, inputs), text);
    else if (did === "delete") this.#judge(releaseViolation(track), text);
    else this.#judgeDeployment(text, track, inputs as Props);
  }

  /** A machine that runs on keeps its interfaces: the warning said so, and what there is now is what was before. */
  #forgetSettings(track: Track): void {
    const { extra, provision_state } = track.fake.node;
    const runsOn = provision_state !== "available" && provision_state !== "manageable";
    if (runsOn && !extra.pulumi_ironic) track.settingsTouched = true;
  }

  #judgeDeployment(text: string, track: Track, inputs: Props): void {
    track.kept = false;
    this.#judge(deploymentViolation(track, inputs), text);
  }

  /** Was a machine booted with what it was running already? */
  #judgeBoots(wanted: Choice | undefined): void {
    for (const track of this.#tracks) {
      const { boots: all } = track.fake;
      for (; track.seenBoots < all.length; track.seenBoots++) {
        this.#judge(rebootViolation(all[track.seenBoots - 1], all[track.seenBoots], track));
        track.tried = new Set();
        track.touched = track.deeds > 0;
      }
      if (wanted) track.tried.add(JSON.stringify(wanted));
    }
  }

  async #do(step: Step): Promise<void> {
    if (step.do === "pass") return this.#clock.pass(step.ms);
    if (step.do === "deed") return this.#deed(step.node, step.deed);
    if (step.do === "refresh") return this.#command(step, (process) => this.#stack.refresh(process));
    if (step.do === "destroy")
      return this.#command(step, (process) =>
        this.#stack.destroy(process, [...this.#stack.states.keys()], step.together),
      );
    this.#judgeBoots(step.choice);
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
    this.#step = what;
    const outcomes: Outcome[] = [];
    this.#listener = (outcome) => outcomes.push(outcome);
    await this.#command({ faults: [], deeds: [], dieAtSleep: undefined, abortAt: undefined }, work);
    this.#listener = undefined;
    for (const { name, did, error } of outcomes)
      if (error) this.#violation("I19", `${did} of ${name}: ${error.message}`);
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
    this.#judgeStanding(program);
    await this.#peaceful("last refresh again", (process) => this.#stack.refresh(process));
    const still = await this.#peaceful("up with nothing to do", (process) =>
      this.#stack.up(program, process, undefined),
    );
    for (const { name, did } of still) if (did !== "nothing") this.#violation("I21", `${did} of ${name}`);
    await this.#peaceful("last destroy", destroy);
    if (all().length > 0) this.#violation("I22", `the state still has ${all().join(", ")}`);
  }

  /** After refresh and up the node says what the program says, whatever others had made of it. */
  #judgeStanding({ resources }: Program): void {
    for (const { name, kind, inputs } of resources) {
      const track = this.#trackOf(name);
      const { kernel, ramdisk, ramdisk_kernel_arguments: args } = track.fake.node.instance_info;
      const says = JSON.stringify([kernel, ramdisk, args]);
      const wanted = JSON.stringify([inputs.kernel, inputs.ramdisk, inputs.kernelArguments]);
      if (kind !== "deployment") continue;
      this.#judgeDeployment(name, track, inputs);
      if (says !== wanted) this.#violation("I20", `${name}: the node says ${says}, wanted ${wanted}`);
    }
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
      if (fake.node.provision_state !== "active") this.#violation("I23", `${fake.node.name}: it was to be kept`);
    for (const track of this.#tracks) this.#forgetSettings(track);
  }

  #judgeEnd(): void {
    for (const track of this.#tracks)
      for (const violation of endViolations(track, this.#plan.ending === "claims" && track.wiped))
        this.#judge(violation);
  }

  async run(): Promise<void> {
    for (const [index, step] of this.#plan.steps.entries()) {
      this.#step = `step ${index + 1} (${step.do})`;
      await this.#do(step);
      this.#judgeBoots(undefined);
      if (this.violations.length > 0) return;
    }
    this.#step = "calm";
    await this.#calm();
    if (this.#plan.ending === "claims") await this.#endByClaims();
    else await this.#endByProgram();
    this.#step = "the end";
    if (this.violations.length === 0) this.#judgeEnd();
  }
}

export interface Report {
  violations: string[];
  requests: number;
}

/** `trace` gets a line for each thing that happens. */
export async function walk(plan: Plan, trace?: (line: string) => void): Promise<Report> {
  await ready;
  const one = new Walk(plan, trace);
  await one.run();
  return { violations: one.violations, requests: one.requests };
}
