import { type Clock, createSlowHash, type SlowHash } from "../core/index.ts";
import { type Connections, createConnections } from "./connections.ts";
import { createKnownInstances, type KnownInstances } from "./known-instances.ts";
import { createSettingsPlan, type SettingsPlan } from "./settings-plan.ts";

/** What a state knew of a node's settings: values by field path, before the stack and as it wrote them. */
interface SettingsLeft {
  previous: Record<string, unknown>;
  written: Record<string, unknown>;
}

export interface RunOptions {
  clock: Clock;
  /** From 0 to 1, as `Math.random`. */
  random: () => number;
  /** Where `OS_*` and the like are looked up. */
  env: NodeJS.ProcessEnv;
}

/**
 * All that calls of the engine share. A provider process has one, made where it starts: the engine starts a process for each
 * preview, update, refresh and destroy. What belongs to one connection is in its ConnectionContext, what belongs to one call
 * in its Call.
 */
export interface RunContext {
  // For the whole process.
  readonly clock: Clock;
  random(): number;
  /** By what they were configured with. */
  readonly connections: Connections;
  /** Secret values of all connections; nothing that leaves the process may hold one. */
  readonly secrets: Set<string>;
  /** What the program wants of its nodes' settings, and how that went. By node, not by connection: two may lead to one Ironic. */
  readonly settings: SettingsPlan;
  /** Of deployments that handlers have met in the states. */
  readonly instances: KnownInstances;
  /** Of settings that left the state in this run and wait for a deployment; by UUID of the node and `resourceId`. */
  readonly settingsLeft: Map<string, SettingsLeft>;
  readonly slowHash: SlowHash;
  /** Value of the stack's identity that this run has deleted: what replaces it goes on with it. A stack has one. */
  readonly stackIdentity: { left?: string };
  /** URLs of images that were asked for, with what is wrong with them. */
  readonly imageTroubles: Map<string, Promise<string | undefined>>;

  // For as long as the calls that they hold.
  /** Calls under way: the more there are, the less often each shows its progress. */
  readonly calls: Set<object>;

  // For one operation of the engine: by the signal that all of its calls share.
  /** Operations whose user was told that the program cannot be checked. */
  readonly uncheckedTold: WeakSet<AbortSignal>;
}

/** Synchronous, without I/O, and does not fail: see `attach` in runtime.ts. */
export function createRunContext({ clock, random, env }: RunOptions): RunContext {
  const secrets = new Set<string>();
  return {
    clock,
    random,
    connections: createConnections({ clock, random, env, secrets }),
    secrets,
    settings: createSettingsPlan(),
    instances: createKnownInstances(),
    settingsLeft: new Map(),
    slowHash: createSlowHash(),
    stackIdentity: {},
    imageTroubles: new Map(),
    calls: new Set(),
    uncheckedTold: new WeakSet(),
  };
}
