/**
 * The end of a walk, when all troubles are over: operators have put nodes in order, and who lagged, hid or lied has stopped.
 * Then nothing may fail, the program must come to stand, stand still, and leave nothing behind.
 */
import { listClaims, releaseClaim } from "../../provider/commands/claims.ts";
import { stateName } from "../../provider/node/states.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Write } from "../fakes/client.ts";
import type { VirtualClock } from "../fakes/clock.ts";
import type { Outcome, Process, Program, Stack } from "../fakes/fake-engine.ts";
import type { FakeIronic } from "../fakes/ironic-model.ts";
import { restoreOrder } from "../fakes/operator-actions.ts";
import { remains, type Track } from "./invariants.ts";
import type { Judge } from "./judge.ts";
import { type Plan, programOf, STACK, TWIN, TWIN_INSTANCES } from "./plan.ts";
import type { Twin } from "./twin.ts";

export interface EndingScene {
  plan: Plan;
  clock: VirtualClock;
  ironic: FakeIronic;
  tracks: readonly Track[];
  judge: Judge;
  stack: Stack;
  twin: Twin;
  /** Runs a command that nothing gets in the way of. */
  peaceful(what: string, work: (process: Process) => Promise<void>): Promise<Outcome[]>;
}

export class Ending {
  readonly #scene: EndingScene;

  constructor(scene: EndingScene) {
    this.#scene = scene;
  }

  async run(): Promise<void> {
    const { plan, judge } = this.#scene;
    judge.step = "calm";
    await this.#calm();
    if (plan.actors.includes("twin")) await this.#endTwin();
    if (plan.ending === "claims") await this.#endByClaims();
    else await this.#endByProgram();
    judge.step = "the end";
    if (judge.violations.length === 0) judge.end(plan.ending);
  }

  async #calm(): Promise<void> {
    const { clock, ironic, stack, tracks } = this.#scene;
    for (const fake of ironic.nodes) fake.hidden = false;
    for (const track of tracks) this.#forgetLies(track);
    for (let round = 0; round < 4; round++) {
      await clock.pass(120_000);
      for (const [index, { fake }] of tracks.entries()) {
        ironic.find(fake.node.uuid);
        restoreOrder(ironic, fake, stack.states.has(`deployment-${index + 1}`));
      }
    }
    for (const track of tracks) {
      track.fake.node.name = `worker-${tracks.indexOf(track) + 1}`;
      track.deeds = 0;
    }
  }

  /** A mark that still stands as the lessee's member left it is removed. */
  #forgetLies(track: Track): void {
    const { node } = track.fake;
    const { forged } = track;
    const lies = [...forged].filter(([key, text]) => JSON.stringify(node.extra[key]) === text).map(([key]) => key);
    node.extra = Object.fromEntries(Object.entries(node.extra).filter(([key]) => !lies.includes(key)));
    // It may be all that told of a deployment, for which its settings wait.
    track.settingsTouched ||= lies.length > 0;
  }

  async #peaceful(what: string, work: (process: Process) => Promise<void>): Promise<Outcome[]> {
    const { judge, peaceful } = this.#scene;
    const outcomes = await peaceful(what, work);
    for (const { name, did, error } of outcomes)
      if (error) judge.violation("I19", `${did} of ${name}: ${error.message}`);
    return outcomes;
  }

  /** The other stack goes: at once, or when ours has gone. */
  async #endTwin(): Promise<void> {
    const { judge, twin, stack, tracks, peaceful } = this.#scene;
    const writes: Write[] = [];
    judge.step = "the other stack leaves";
    let failed = await twin.leave(writes);
    if (failed.length > 0) {
      await peaceful("destroy for the other stack", (process) =>
        stack.destroy(process, [...stack.states.keys()], false),
      );
      // The engine forgets a create that was killed when a destroy comes next.
      await peaceful("release of claims for the other stack", (process) => this.#releaseAll(process, () => true));
      judge.step = "the other stack leaves at last";
      failed = await twin.leave(writes);
    }
    judge.twinWrites(writes);
    // A machine that was to be kept is in the way as long as its user wants it.
    const isTold = tracks.every(({ wiped, kept }) => !wiped && !kept);
    for (const { name, did, error } of failed)
      if (isTold) judge.violation("I35", `${did} of ${name} of the other stack: ${error?.message}`);
    for (const track of tracks) {
      const { fake, kept } = track;
      const left = remains(fake.node, TWIN, TWIN_INSTANCES);
      if (left.length === 0) continue;
      if (isTold && !kept) judge.violation("I35", `${fake.node.name}: ${left.join(", ")} of the other stack is left`);
      await this.#evict(track, left);
    }
  }

  /** Somebody lied about what the other stack has there: an operator removes it. */
  async #evict(track: Track, left: readonly string[]): Promise<void> {
    const { clock, ironic } = this.#scene;
    const { node } = track.fake;
    track.settingsTouched = true;
    node.extra = Object.fromEntries(Object.entries(node.extra).filter(([key]) => !left.includes(key)));
    if (!left.includes("instance_uuid")) return;
    ironic.provision(node.uuid, "others", "deleted");
    await clock.pass(120_000);
    ironic.find(node.uuid);
    node.instance_uuid = null;
  }

  async #endByProgram(): Promise<void> {
    const { plan, clock, ironic, tracks, judge, stack } = this.#scene;
    const { last, fate } = plan;
    // Where no rebuild works the message names this way out.
    const rebuilds = fate.rebuild === "works" || (fate.rebuild === "39.0" && !last.glance);
    const program = programOf(plan, rebuilds ? last : { ...last, strategy: "redeploy" });
    judge.choice = last;
    const all = () => [...stack.states.keys()];
    const destroy = (process: Process) => stack.destroy(process, all(), last.together);
    // An active node's interfaces stay as they are.
    if (this.#wantsInterfaces(program)) {
      await this.#peaceful("destroy for other interfaces", destroy);
      await this.#releaseClaims();
      // What was to be kept is in the way as well.
      for (const { fake } of tracks) {
        fake.node.protected = false;
        ironic.provision(fake.node.uuid, "others", "deleted");
      }
      await clock.pass(120_000);
    }
    const up = (process: Process) => stack.up(program, process, undefined);
    await this.#peaceful("last refresh", (process) => stack.refresh(process));
    await this.#peaceful("last up", up);
    judge.standing(program);
    await this.#peaceful("last refresh again", (process) => stack.refresh(process));
    const still = await this.#peaceful("up with nothing to do", up);
    for (const { name, did } of still) if (did !== "nothing") judge.violation("I21", `${did} of ${name}`);
    await this.#peaceful("last destroy", destroy);
    if (all().length > 0) judge.violation("I22", `the state still has ${all().join(", ")}`);
  }

  #wantsInterfaces({ resources }: Program): boolean {
    const { tracks, stack } = this.#scene;
    return tracks.some(({ fake: { node } }, index) => {
      const { inputs } = resources.find(({ name }) => name === `config-${index + 1}`) ?? {};
      const marker = node.extra.pulumi_ironic as { previous: Props } | undefined;
      const outs = stack.states.get(`config-${index + 1}`)?.stored.outs as { previous?: Props } | undefined;
      const before = (marker ?? outs)?.previous?.boot_interface;
      const wanted = inputs?.bootInterface ?? before ?? node.boot_interface;
      return wanted !== node.boot_interface || node.deploy_interface !== "ramdisk";
    });
  }

  async #endByClaims(): Promise<void> {
    const { tracks, stack } = this.#scene;
    // After a death between a delete and the engine's saving of it, only the state still has what was there before.
    for (const [index, track] of tracks.entries())
      track.settingsTouched ||= stack.states.has(`config-${index + 1}`) && !("pulumi_ironic" in track.fake.node.extra);
    stack.states.clear();
    await this.#releaseClaims();
  }

  async #releaseClaims(): Promise<void> {
    const { tracks, judge } = this.#scene;
    const marked = tracks.filter(({ fake: { node } }) => {
      const marker = node.extra.pulumi_ironic_deployment as { stackId?: string; keep?: boolean } | undefined;
      return (
        marker?.stackId === STACK &&
        marker.keep === true &&
        !["available", "manageable"].includes(stateName(node.provision_state))
      );
    });
    const running = marked.filter(({ fake: { node } }) => stateName(node.provision_state) === "active");
    await this.#peaceful("release of claims", (process) => this.#release(process));
    for (const track of marked) track.kept = true;
    for (const { fake } of running)
      if (fake.node.provision_state !== "active") judge.violation("I23", `${fake.node.name}: it was to be kept`);
    for (const track of tracks) judge.forgetSettings(track);
  }

  /** Of a node that somebody lied about, the release may be refused. */
  #release(process: Process): Promise<void> {
    return this.#releaseAll(process, (isOurs) => !isOurs);
  }

  async #releaseAll({ client, services, newCall }: Process, mayFail: (isOurs: boolean) => boolean): Promise<void> {
    const ours = this.#scene.tracks.map(({ fake }) => fake.node.uuid);
    for (const claim of await listClaims(client, STACK, undefined)) {
      const isOurs = ours.includes(claim.nodeUuid);
      try {
        await releaseClaim(claim, services, newCall(), isOurs);
      } catch (error) {
        if (!mayFail(isOurs)) throw error;
      }
    }
  }
}
