/** An object that has the provider's methods, and what it says to the engine. */
import type { About, Bridge } from "../../provider/plugin/bridge.ts";
import type { Handler, Props } from "../../provider/plugin/handler.ts";
import { createServices } from "../../provider/plugin/services.ts";
import { attach } from "../../provider/runtime.ts";
import { fakeRun } from "./call.ts";

interface Attached {
  check(olds: Props, news: Props): Promise<{ inputs: Props; failures: unknown[] }>;
  diff(id: string, olds: Props, news: Props): Promise<unknown>;
  create(inputs: Props): Promise<{ id: string; outs: Props }>;
  read(id: string, props: Props): Promise<{ id?: string; props?: Props; inputs?: Props }>;
  update(id: string, olds: Props, news: Props): Promise<{ outs: Props }>;
  delete(id: string, props: Props): Promise<void>;
}

const unused = (): never => {
  throw new Error("this method is not expected to be called");
};

const quiet: Handler = {
  secretOutputs: ["password"],
  check: async (_olds, inputs) => ({ inputs, failures: [] }),
  diff: unused,
  create: unused,
  read: unused,
  update: unused,
  delete: unused,
};

/** A clock that stands until it is set forward. */
const manualClock = () => {
  let nowMs = 0;
  const sleepers: { untilMs: number; wake(): void }[] = [];
  return {
    now: () => nowMs,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        sleepers.push({ untilMs: nowMs + ms, wake: resolve });
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
    forward: async (ms: number) => {
      nowMs += ms;
      for (const { untilMs, wake } of sleepers) if (untilMs <= nowMs) wake();
      await new Promise(setImmediate);
    },
  };
};

export const attached = (own: Partial<Handler>, about: About = { urn: "urn:x", timeoutMs: 5 }) => {
  const logs: { severity: string; text: string; ephemeral: boolean }[] = [];
  const clock = manualClock();
  const bridge: Bridge = {
    signal: new AbortController().signal,
    about: () => about,
    log: (severity, text, { ephemeral = false }) => logs.push({ severity, text, ephemeral }),
    begin: () => async () => {},
  };
  const services = createServices(fakeRun(clock), () => undefined, unused);
  const self = {} as Attached;
  attach(
    self,
    "deployment",
    { config: { get: () => undefined } },
    {
      handler: async () => ({ ...quiet, ...own }),
      services,
      bridge,
    },
  );
  return { self, logs, clock, bridge };
};

export const thrown = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    return error as Error & { id?: string; properties?: Props; reasons?: string[] };
  }
  throw new Error("it did not fail");
};
