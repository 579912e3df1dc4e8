/** The engine's part in little: which call of a handler follows from a program and a state, and what is stored after. */

import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Handler, Props } from "../../provider/plugin/handler.ts";
import { apply, type FakeCall, fakeCall, fakeServices, refreshed, type Stored } from "./call.ts";
import {
  actor,
  type ClientOptions,
  type FakeClient,
  type Fault,
  fakeClient,
  type Request,
  type Write,
} from "./client.ts";
import type { VirtualClock } from "./clock.ts";
import type { FakeIronic } from "./ironic-model.ts";

export type Kind = "config" | "deployment";
const HANDLERS: Record<Kind, Handler> = { config: nodeConfigHandler, deployment: deploymentHandler };

/** One provider process, with what befalls it. */
export interface InjectedFaults {
  /** By number of the request. */
  faults: readonly { at: number; fault: Fault }[];
  /** The process is killed at this sleep. */
  dieAtSleep?: number | undefined;
  /** The user interrupts at this request. */
  abortAt?: number | undefined;
  /** Runs before each request is handled. */
  onRequest?(request: Request): void;
}

export interface Process {
  client: FakeClient;
  dead(): boolean;
  /** When the user interrupted. */
  abortedAtMs(): number | undefined;
  /** Resolves when the process is killed. */
  death: Promise<void>;
  calls: FakeCall[];
  newCall(): FakeCall;
  services: ReturnType<typeof fakeServices>;
}

export function startProcess(
  ironic: FakeIronic,
  clock: VirtualClock,
  fortune: InjectedFaults,
  writes: Write[],
  more: Pick<ClientOptions, "by" | "latencyMs" | "scope"> = {},
): Process {
  const { clock: own, kill } = clock.fork();
  const { promise: death, resolve } = Promise.withResolvers<void>();
  const calls: FakeCall[] = [];
  let dead = false;
  let sleeps = 0;
  let abortedAtMs: number | undefined;
  const die = (): void => {
    dead = true;
    kill();
    resolve();
  };
  const mortal = {
    now: own.now,
    sleep: (ms: number, signal?: AbortSignal) => {
      if (sleeps++ === fortune.dieAtSleep) die();
      return own.sleep(ms, signal);
    },
  };
  const client = fakeClient({
    ironic,
    clock: mortal,
    writes,
    onDeath: die,
    ...more,
    onRequest: (request) => {
      const { index } = request;
      fortune.onRequest?.(request);
      if (index === fortune.abortAt) {
        abortedAtMs = clock.now();
        for (const call of calls) call.abort();
      }
      return fortune.faults.find(({ at }) => at === index)?.fault;
    },
  });
  return {
    client,
    death,
    dead: () => dead,
    abortedAtMs: () => abortedAtMs,
    calls,
    newCall: () => {
      const call = fakeCall(CALL_TIMEOUT_MS);
      calls.push(call);
      if (abortedAtMs !== undefined) call.abort();
      return call;
    },
    services: fakeServices(client, mortal, { preflight: "off" }),
  };
}

/** `customTimeouts` of every resource. */
const CALL_TIMEOUT_MS = 900_000;

export interface Program {
  resources: readonly { name: string; kind: Kind; inputs: Props; dependsOn?: string }[];
}

/** What came of one resource in one run. */
export interface Outcome {
  name: string;
  kind: Kind;
  did: "create" | "update" | "delete" | "nothing";
  error?: Error;
  stored: Stored | undefined;
  inputs: Props | undefined;
}

export class Stack {
  readonly states = new Map<string, { kind: Kind; stored: Stored }>();
  readonly #report: (outcome: Outcome) => void;

  constructor(report: (outcome: Outcome) => void) {
    this.#report = report;
  }

  #keep(name: string, kind: Kind, stored: Stored | undefined): void {
    if (stored) this.states.set(name, { kind, stored });
    else this.states.delete(name);
  }

  async #delete(name: string, process: Process): Promise<boolean> {
    const state = this.states.get(name);
    if (!state) return true;
    const { kind, stored } = state;
    let error: Error | undefined;
    try {
      await actor.run(name, () => HANDLERS[kind].delete(stored.id, stored.outs, process.services, process.newCall()));
    } catch (thrown) {
      error = thrown as Error;
    }
    if (process.dead()) return false;
    if (!error) this.states.delete(name);
    this.#report({
      name,
      kind,
      did: "delete",
      stored: error && stored,
      inputs: stored.inputs,
      ...(error && { error }),
    });
    return !error;
  }

  async #step(
    { name, kind, inputs }: Program["resources"][number],
    process: Process,
    replace: boolean,
  ): Promise<boolean> {
    const handler = HANDLERS[kind];
    let old = this.states.get(name)?.stored;
    if (old) {
      const diff = await handler.diff(old.id, old.outs, inputs, process.services, process.newCall());
      if (!diff.changes && !old.failed && !replace) {
        this.#keep(name, kind, { ...old, inputs });
        this.#report({ name, kind, did: "nothing", stored: old, inputs });
        return true;
      }
      if (replace || diff.replaces.length > 0) {
        if (!(await this.#delete(name, process))) return false;
        old = undefined;
      }
    }
    const { stored, error } = await actor.run(name, () =>
      apply(handler, old, inputs, process.services, process.newCall()),
    );
    if (process.dead()) return false;
    this.#keep(name, kind, stored);
    this.#report({ name, kind, did: old ? "update" : "create", stored, inputs, ...(error && { error }) });
    return !error;
  }

  /** `pulumi up`. A resource runs after the one it depends on; the rest side by side. */
  async up({ resources }: Program, process: Process, replace: string | undefined): Promise<void> {
    for (const { name, kind, inputs } of resources)
      await HANDLERS[kind].check(this.states.get(name)?.stored.inputs, inputs, process.services, process.newCall());
    const steps = new Map<string, Promise<boolean>>();
    for (const resource of resources) {
      const first = resource.dependsOn === undefined ? undefined : steps.get(resource.dependsOn);
      const run = async () =>
        (first === undefined || (await first)) && this.#step(resource, process, replace === resource.name);
      steps.set(resource.name, run());
    }
    await Promise.all(steps.values());
    const gone = [...this.states.keys()].filter((name) => !resources.some((resource) => resource.name === name));
    await this.destroy(process, gone, false);
  }

  /** Deployments before the settings of their node, or all side by side, as when a program names the node in both. */
  async destroy(process: Process, names: readonly string[], together: boolean): Promise<void> {
    const of = (kind: Kind) => names.filter((name) => this.states.get(name)?.kind === kind);
    const configs = async (deployments: Promise<unknown>[]): Promise<void> => {
      if (!together) await Promise.all(deployments);
      await Promise.all(of("config").map((name) => this.#unlessDeployed(name, process, together)));
      await Promise.all(deployments);
    };
    await configs(of("deployment").map((name) => this.#delete(name, process)));
  }

  /** A resource on which another still depends is not deleted. */
  async #unlessDeployed(name: string, process: Process, together: boolean): Promise<unknown> {
    return together || !this.states.has(name.replace("config", "deployment")) ? this.#delete(name, process) : false;
  }

  async refresh(process: Process): Promise<void> {
    for (const [name, { kind, stored }] of [...this.states]) {
      const seen = await refreshed(HANDLERS[kind], stored, process.services, process.newCall()).catch(() => stored);
      if (process.dead()) return;
      // A read that worked clears what was stored of an earlier failure.
      this.#keep(name, kind, seen);
    }
  }
}
