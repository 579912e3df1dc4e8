/** The other stack of a walk: the same names, an identity and runs of its own, beside ours. It has no troubles of its own. */
import type { Node } from "../../provider/node/node.ts";
import type { Write } from "../fakes/client.ts";
import type { VirtualClock } from "../fakes/clock.ts";
import { type Outcome, type Process, Stack, startProcess } from "../fakes/fake-engine.ts";
import type { FakeIronic } from "../fakes/ironic-model.ts";
import type { Replicas } from "../fakes/replicas.ts";
import { sightOf } from "../fakes/sight.ts";
import { type Beside, type Plan, programOf, TWIN } from "./plan.ts";

export interface TwinScene {
  plan: Plan;
  ironic: FakeIronic;
  clock: VirtualClock;
  replicas: Replicas;
  /** Told of each write that Ironic took. */
  onWritten(node: Node): void;
}

export class Twin {
  readonly #scene: TwinScene;
  readonly #stack: Stack;
  #outcomes: Outcome[] = [];

  constructor(scene: TwinScene) {
    this.#scene = scene;
    this.#stack = new Stack((outcome) => this.#outcomes.push(outcome));
  }

  #start(lagsMs: readonly number[], writes: Write[]): Process {
    const { plan, ironic, clock, replicas, onWritten } = this.#scene;
    const sight = sightOf(ironic, { lagsMs, replicas, onWritten, seesAll: true });
    const fortune = { faults: [], onRequest: sight.onRequest };
    return startProcess(sight.ironic, clock, fortune, writes, { by: "twin", latencyMs: plan.latencyMs });
  }

  async run({ do: what, choice, afterMs }: Beside, writes: Write[]): Promise<void> {
    const { plan, clock } = this.#scene;
    const process = this.#start(plan.lagsMs, writes);
    await clock.sleep(afterMs);
    if (what === "up") await this.#stack.up(programOf(plan, choice, TWIN), process, undefined);
    else await this.#stack.destroy(process, [...this.#stack.states.keys()], choice.together);
  }

  /** Destroys all that it has, when nothing is in its way; what failed. */
  async leave(writes: Write[]): Promise<Outcome[]> {
    this.#outcomes = [];
    const process = this.#start([], writes);
    await this.#scene.clock.run(this.#stack.destroy(process, [...this.#stack.states.keys()], false));
    return this.#outcomes.filter(({ error }) => error);
  }
}
