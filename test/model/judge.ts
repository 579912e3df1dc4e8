/** Holds what a walk does against the promises (invariants.ts), and keeps what was broken, each with the step at which. */
import type { Props } from "../../provider/plugin/handler.ts";
import type { Write } from "../fakes/client.ts";
import type { VirtualClock } from "../fakes/clock.ts";
import type { Outcome, Program } from "../fakes/fake-engine.ts";
import type { FakeNode } from "../fakes/fake-node.ts";
import type { FakeIronic } from "../fakes/ironic-model.ts";
import {
  deploymentViolation,
  endViolations,
  type Invariant,
  isKnownError,
  printedViolation,
  rebootViolation,
  releaseViolation,
  settingsViolation,
  type Track,
  type Violation,
  violated,
  wrongWrite,
} from "./invariants.ts";
import { type Choice, INSTANCES, type Plan, STACK, TWIN, TWIN_INSTANCES } from "./plan.ts";
import {
  cleaningViolation,
  isJudged,
  mistrustedOutcome,
  mistrustedWrite,
  onlyUnmarks,
  restartViolation,
  restoresCleaning,
  setsUpOnOff,
} from "./trust.ts";

/** What a judge looks at. */
export interface Seen {
  plan: Plan;
  ironic: FakeIronic;
  clock: VirtualClock;
  tracks: readonly Track[];
  foreign: FakeNode;
  trace: ((line: string) => void) | undefined;
}

/** What the same run has written before to the node of its write number `index`. */
const earlierOn = (writes: readonly Write[], index: number): Write[] =>
  writes.slice(0, index).filter(({ before }) => before?.uuid === writes[index]?.before?.uuid);

export class Judge {
  readonly violations: string[] = [];
  step = "start";
  /** What the program says now. */
  choice: Choice | undefined;
  readonly #seen: Seen;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  violation(invariant: Invariant, found: string): void {
    this.#judge(violated(invariant, found));
  }

  /** `of` says which resource or node it was. */
  #judge(violation: Violation | undefined, of?: string): void {
    if (violation && isJudged(violation.invariant, this.#seen.plan.actors))
      this.violations.push(printedViolation(violation, of ? `${this.step}: ${of}` : this.step));
  }

  trackOf(name: string): Track {
    return this.#seen.tracks[Number(name.at(-1)) - 1] as Track;
  }

  writes(writes: readonly Write[]): void {
    for (const [index, write] of writes.entries()) {
      const { atMs, method, path, body, before, refusal } = write;
      const state = before?.provision_state ?? "";
      this.#seen.trace?.(
        `${atMs} ${method} ${path} ${JSON.stringify(body)} on ${state}${refusal ? `: ${refusal.status} ${refusal.text}` : ""}`,
      );
      const track = this.#seen.tracks.find(({ fake }) => path.includes(fake.node.uuid));
      const { cleansByDefault } = this.#seen.plan;
      if (track && setsUpOnOff(write)) track.foundOff = true;
      this.#judge(mistrustedWrite(write, { track, turnsCleaningOff: this.choice?.clean === false, cleansByDefault }));
      this.#judge(wrongWrite(write, STACK, INSTANCES, earlierOn(writes, index)));
      if (write.path.includes(this.#seen.foreign.node.uuid) && !onlyUnmarks(write))
        this.violation("I6", `wrote to a node of others: ${write.path}`);
      if (track && restoresCleaning(write, track, earlierOn(writes, index))) track.restoredAtMs ??= atMs;
    }
    for (const track of this.#seen.tracks) this.#judge(cleaningViolation(track));
  }

  /** Those of the other stack: it must not trust us either. */
  twinWrites(writes: readonly Write[]): void {
    for (const [index, write] of writes.entries()) {
      const { atMs, method, path, body, refusal } = write;
      this.#seen.trace?.(
        `${atMs} twin: ${method} ${path} ${JSON.stringify(body)}${refusal ? `: ${refusal.text}` : ""}`,
      );
      this.#judge(wrongWrite(write, TWIN, TWIN_INSTANCES, earlierOn(writes, index)), "twin");
    }
  }

  /** `first`: how many boots there had been before the run, by node. */
  starts(first: readonly number[]): void {
    for (const [index, track] of this.#seen.tracks.entries()) this.#judge(restartViolation(track, first[index] ?? 0));
  }

  outcome(outcome: Outcome): void {
    const { name, kind, did, error, inputs, stored } = outcome;
    const track = this.trackOf(name);
    const text = `${did} of ${name}`;
    this.#seen.trace?.(`${this.#seen.clock.now()} ${this.step}: ${text}${error ? `: ${error.message}` : ""}`);
    if (error && !isKnownError(error)) this.violation("I3", `${text}: ${error.stack}`);
    if (stored && JSON.stringify(stored.outs).includes('"undefined"'))
      this.violation("I11", `${text}: undefined in outs`);
    this.#seen.ironic.find(track.fake.node.uuid);
    this.#judge(mistrustedOutcome(outcome, track), text);
    if (error) return;
    if (kind === "deployment" && did === "delete") {
      // Who deploys anew on a machine that was handed over may reboot it.
      track.touched = true;
    }
    if (kind === "config" && did === "delete") this.forgetSettings(track);
    // What others do after our last look, nobody can know.
    if (track.deeds > 0 || did === "nothing") return;
    if (kind === "config") this.#judge(settingsViolation(did === "delete", track, inputs), text);
    else if (did === "delete") this.#judge(releaseViolation(track), text);
    else this.#judgeDeployment(text, track, inputs as Props);
  }

  /** A machine that runs on keeps its interfaces: the warning said so, and what there is now is what was before. */
  forgetSettings(track: Track): void {
    const { extra, provision_state } = track.fake.node;
    const runsOn = provision_state !== "available" && provision_state !== "manageable";
    if (runsOn && !extra.pulumi_ironic) track.settingsTouched = true;
  }

  #judgeDeployment(text: string, track: Track, inputs: Props): void {
    track.kept = false;
    this.#judge(deploymentViolation(track, inputs), text);
  }

  /** Was a machine booted with what it was running already? */
  boots(wanted: Choice | undefined): void {
    for (const track of this.#seen.tracks) {
      const { boots: all } = track.fake;
      for (; track.seenBoots < all.length; track.seenBoots++) {
        this.#judge(rebootViolation(all[track.seenBoots - 1], all[track.seenBoots], track));
        track.tried = new Set();
        track.touched = track.deeds > 0;
      }
      if (wanted) track.tried.add(JSON.stringify(wanted));
    }
  }

  /** After refresh and up the node says what the program says, whatever others had made of it. */
  standing({ resources }: Program): void {
    for (const { name, kind, inputs } of resources) {
      const track = this.trackOf(name);
      const { kernel, ramdisk, ramdisk_kernel_arguments: args } = track.fake.node.instance_info;
      const says = JSON.stringify([kernel, ramdisk, args]);
      const wanted = JSON.stringify([inputs.kernel, inputs.ramdisk, inputs.kernelArguments]);
      if (kind !== "deployment") continue;
      this.#judgeDeployment(name, track, inputs);
      if (says !== wanted) this.violation("I20", `${name}: the node says ${says}, wanted ${wanted}`);
    }
  }

  end(ending: Plan["ending"]): void {
    for (const track of this.#seen.tracks)
      for (const violation of endViolations(track, ending === "claims" && track.wiped)) this.#judge(violation);
  }
}
