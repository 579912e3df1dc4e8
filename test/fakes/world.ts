/** All that a test of handlers needs: a clock, an Ironic, a client, and the engine's way with a resource. */

import type { Node } from "../../provider/node/node.ts";
import type { Handler, Props, Services } from "../../provider/plugin/handler.ts";
import { apply, type FakeCall, fakeCall, fakeServices, refreshed, type Stored } from "./call.ts";
import { type ClientOptions, type FakeClient, type Fault, fakeClient, type Request } from "./client.ts";
import { type VirtualClock, virtualClock } from "./clock.ts";
import type { FakeNode } from "./fake-node.ts";
import { type FakeIronic, fakeIronic, type IronicOptions } from "./ironic-model.ts";
import { replicas } from "./replicas.ts";
import { sightOf } from "./sight.ts";

export interface World {
  clock: VirtualClock;
  ironic: FakeIronic;
  client: FakeClient;
  services: Services;
  /** The call that the next operation gets; a new one after each. */
  call: FakeCall;
  /** Warnings of the last operation. */
  warnings(): string[];
  fake: FakeNode;
  node(): Node;
  /** Faults of the requests still to come: by method and part of the path, each used once. */
  fault(method: string, part: string, ...faults: Fault[]): void;
  /** Runs before each request. */
  before(hook: (request: Request) => void): void;
  /** Method and path of each request since the last call of this. */
  asked(): string[];
  up(olds: Stored | undefined, inputs: Props): Promise<{ stored: Stored | undefined; error?: Error }>;
  /** As `up`, for what must not fail. */
  made(olds: Stored | undefined, inputs: Props): Promise<Stored>;
  refresh(olds: Stored): Promise<Stored | undefined>;
  diff(olds: Stored, inputs: Props): Promise<{ changes: boolean; replaces: string[] }>;
  /** The error, if it failed. */
  destroy(olds: Stored): Promise<Error | undefined>;
}

export interface WorldOptions {
  ironic?: Partial<IronicOptions>;
  client?: Partial<ClientOptions>;
  /** By how much reads lag, one request after the other and over again. */
  lagsMs?: readonly number[];
  node?: Partial<Node>;
  settings?: Record<string, string>;
}

export function world(handler: Handler, options: WorldOptions = {}): World {
  const clock = virtualClock();
  const { lagsMs = [] } = options;
  const past = replicas();
  const ironic = fakeIronic({ clock, ...(lagsMs.length > 0 && { onChange: past.save }), ...options.ironic });
  const sight = sightOf(ironic, { lagsMs, replicas: past });
  const faults: { method: string; part: string; fault: Fault }[] = [];
  const hooks: ((request: Request) => void)[] = [];
  let seen = 0;
  const client = fakeClient({
    ironic: sight.ironic,
    clock,
    ...options.client,
    onRequest: (request) => {
      for (const hook of hooks) hook(request);
      sight.onRequest(request);
      const index = faults.findIndex(({ method, part }) => method === request.method && request.path.includes(part));
      return index < 0 ? undefined : faults.splice(index, 1)[0]?.fault;
    },
  });
  const services = fakeServices(client, clock, options.settings);
  const fake = ironic.add(options.node);
  let warned: string[] = [];

  const run = async <T>(work: (call: FakeCall) => Promise<T>): Promise<T> => {
    const { call } = self;
    try {
      return await clock.run(work(call));
    } finally {
      warned = call.warnings;
      self.call = fakeCall();
    }
  };

  const self: World = {
    clock,
    ironic,
    client,
    services,
    call: fakeCall(),
    warnings: () => warned,
    fake,
    node: () => ironic.find(fake.node.uuid)?.node ?? fake.node,
    fault: (method, part, ...list) => faults.push(...list.map((fault) => ({ method, part, fault }))),
    before: (hook) => hooks.push(hook),
    asked: () => {
      const list = client.requests
        .slice(seen)
        .map(({ method, path }) => `${method} ${path.replace(fake.node.uuid, "N")}`);
      seen = client.requests.length;
      return list;
    },
    up: (olds, inputs) => run((call) => apply(handler, olds, inputs, services, call)),
    made: async (olds, inputs) => {
      const { stored, error } = await self.up(olds, inputs);
      if (error || !stored) throw error ?? new Error("nothing is stored");
      return stored;
    },
    refresh: (olds) => run((call) => refreshed(handler, olds, services, call)),
    diff: (olds, inputs) => run((call) => handler.diff(olds.id, olds.outs, inputs, services, call)),
    destroy: (olds) =>
      run(async (call) => {
        try {
          await handler.delete(olds.id, olds.outs, services, call);
          return undefined;
        } catch (error) {
          return error as Error;
        }
      }),
  };
  return self;
}
