import type { Clock } from "../../provider/core/clock.ts";
import { withCode } from "../../provider/core/codes.ts";
import { createSlowHash } from "../../provider/core/slow-hash.ts";
import type { Client } from "../../provider/http/client.ts";
import type { Call, Handler, Props, Services } from "../../provider/plugin/handler.ts";
import { PartialFailure } from "../../provider/plugin/handler.ts";
import { createServices } from "../../provider/plugin/services.ts";
import { createConnectionContext } from "../../provider/run/connection-context.ts";
import { createRunContext, type RunContext } from "../../provider/run/context.ts";

export interface FakeCall extends Call {
  /** Their texts. */
  readonly warnings: string[];
  /** As the engine gets them. */
  readonly shown: string[];
  readonly progressed: string[];
  abort(reason?: unknown): void;
}

export function fakeCall(timeoutMs?: number): FakeCall {
  const controller = new AbortController();
  const warnings: string[] = [];
  const shown: string[] = [];
  const progressed: string[] = [];
  return {
    signal: controller.signal,
    warnings,
    shown,
    progressed,
    progress: (text) => progressed.push(text),
    warn: (code, text) => {
      warnings.push(text);
      shown.push(withCode(text, code));
    },
    abort: (reason = new Error("the user interrupts")) => controller.abort(reason),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** Hashes depend on nothing but what is hashed; computing them again for each test would take most of its time. */
export const slowHash = createSlowHash();

export const fakeRun = (clock: Clock): RunContext => ({
  ...createRunContext({ clock, random: () => 0.5, env: {} }),
  slowHash,
});

/** Of a provider process of its own. */
export function fakeServices(client: Client, clock: Clock, settings: Record<string, string> = {}): Services {
  const run = fakeRun(clock);
  const connection = createConnectionContext(client, clock, run.random);
  return createServices(
    run,
    (key) => settings[key],
    async () => connection,
  );
}

/** What the engine keeps of a resource. */
export interface Stored {
  id: string;
  inputs: Props;
  outs: Props;
  /** The last create or update failed in part: the next run updates whatever diff says. */
  failed?: string;
}

// What cannot be said in JSON does not reach the state.
const stored = (props: Props): Props => JSON.parse(JSON.stringify(props)) as Props;

/** Runs create or update as the engine does, with what it stores afterwards and the error that the user sees. */
export async function apply(
  handler: Handler,
  olds: Stored | undefined,
  inputs: Props,
  services: Services,
  call: Call,
): Promise<{ stored: Stored | undefined; error?: Error }> {
  try {
    if (olds) {
      const { outs } = await handler.update(olds.id, olds.outs, inputs, services, call);
      return { stored: { id: olds.id, inputs, outs: stored({ ...inputs, ...outs }) } };
    }
    const { id, outs } = await handler.create(inputs, services, call);
    return { stored: { id, inputs, outs: stored({ ...inputs, ...outs }) } };
  } catch (error) {
    if (!(error instanceof PartialFailure)) return { stored: olds, error: error as Error };
    const { id, outs, message } = error;
    const base = olds?.outs ?? inputs;
    return {
      stored: { id, inputs: olds?.inputs ?? inputs, outs: stored({ ...base, ...outs }), failed: message },
      error: error.cause as Error,
    };
  }
}

/** What refresh stores; `undefined` when the resource is gone. */
export async function refreshed(handler: Handler, olds: Stored, services: Services, call: Call) {
  const result = await handler.read(olds.id, olds.outs, services, call);
  if (!result) return undefined;
  return { id: result.id, inputs: stored(result.inputs ?? olds.inputs), outs: stored(result.props) } satisfies Stored;
}
