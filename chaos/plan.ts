// What one run does, made from its seed alone: the programs, the faults' density, who is killed when.
import type { BaremetalNodeConfigArgs, RamdiskDeploymentArgs } from "pulumi-ironic";
import { type ActorPlan, accountOf, actorFor, type Casting, nobody, withCleaning } from "./actors.ts";
import { between, chance, pick, some } from "./dice.ts";

type Plain<T> = { [K in keyof T]?: T[K] extends infer V ? Exclude<V, PromiseLike<unknown>> : never };

export interface Machine {
  node: string;
  /**
   * How the node's settings are written: the deployment takes the node from them, or both name it (then the engine runs
   * them side by side), or not at all.
   */
  settings: "chained" | "aside" | "none";
  config: Plain<Omit<BaremetalNodeConfigArgs, "node">>;
  /** Paths of images below the lab's image server instead of addresses: ports differ from lab to lab. */
  deployment: Plain<Omit<RamdiskDeploymentArgs, "node">>;
}

export interface Program {
  machines: Machine[];
}

/** `again`: the same program once more, after a time in which nothing was seen. */
export type Phase = "up" | "update" | "again" | "destroy";

export const victims = ["engine", "provider", "conductor", "interrupt"] as const;
export type Victim = (typeof victims)[number];

export interface Kill {
  victim: Victim;
  phase: Phase;
  /** The request at which it happens: the nth of its sort in the phase. */
  request: "GET" | "POLL" | "PATCH" | "PUT";
  nth: number;
  when: "before" | "after";
  delayMs: number;
  /** What the user does next: the command again, after clearing what is pending, or giving up. */
  reaction: "again" | "clear" | "destroy";
  /** Does the user wait until the provider of a dead engine has ended? */
  patient: boolean;
  /** How long the conductor stays away, and how clients see that. */
  outageMs: number;
  outage: "reset" | "502";
}

export interface Plan {
  seed: number;
  /** Share of requests that meet a fault. */
  rate: number;
  up: Program;
  update: Program | undefined;
  /** A node of somebody else's that the first program wants as well. */
  foreign: string | undefined;
  kill: Kill | undefined;
  /** Who else is at work. */
  actor: ActorPlan | undefined;
}

/** What a seed has to choose from. */
export interface Choice {
  /** Nodes that nobody holds; `ready` ones can be deployed as they are. */
  free: readonly { name: string; ready: boolean }[];
  /** Nodes that others hold or marked. */
  foreign: readonly string[];
}

/** By the seed's last digit, so that any two hundred runs in a row have each kind of kill at least twenty times. */
const CAST: readonly (Victim | undefined)[] = [
  undefined,
  "engine",
  "provider",
  "conductor",
  undefined,
  "engine",
  "provider",
  "conductor",
  undefined,
  "interrupt",
];
const RATES = [0.05, 0.12, 0.25];

const CONFIG_EXTRAS: readonly Machine["config"][] = [
  {},
  {},
  { description: "claimed by chaos" },
  { capabilities: { boot_mode: "bios", chaos: "yes" } },
  { extra: { chaos: { level: 3 } }, driverInfo: { force_persistent_boot_device: "Never" } },
];

function machine(seed: number, node: string, ready: boolean): Machine {
  const settings =
    ready && chance(seed, node, "bare") < 0.3 ? "none" : pick(["chained", "aside"] as const, seed, node, "order");
  const cleans = settings !== "none" && chance(seed, node, "clean") < 0.12;
  const images = chance(seed, node, "iso") < 0.1 ? { bootIso: "/iso" } : { kernel: "/kernel", ramdisk: "/ramdisk" };
  return {
    node,
    settings,
    config: {
      bootInterface: "ipxe",
      ...(!cleans && { automatedCleaning: false }),
      ...pick(CONFIG_EXTRAS, seed, node, "extras"),
    },
    deployment: {
      ...images,
      timeoutSeconds: 90,
      undeployTimeoutSeconds: 90,
      ...(images.bootIso === undefined && { kernelArguments: "console=ttyS0 round=1" }),
      ...(chance(seed, node, "drive") < 0.25 && { configDrive: { meta_data: { hostname: node } } }),
      ...(chance(seed, node, "protected") < 0.1 && { protected: true }),
      ...(cleans && { updateStrategy: "redeploy" as const }),
    },
  };
}

type Change = (machine: Machine) => Machine;
const CHANGES: readonly Change[] = [
  (same) => same,
  (old) =>
    old.deployment.bootIso === undefined
      ? { ...old, deployment: { ...old.deployment, kernelArguments: "console=ttyS0 round=2" } }
      : { ...old, deployment: { ...old.deployment, configDrive: { meta_data: { hostname: "other" } } } },
  (old) => ({ ...old, deployment: { ...old.deployment, configDrive: { meta_data: { hostname: "second" } } } }),
  (old) => ({ ...old, deployment: { ...old.deployment, timeoutSeconds: 120 } }),
  (old) => ({ ...old, config: { ...old.config, description: "changed by chaos" } }),
];

function updated(seed: number, program: Program): Program {
  const machines = program.machines.map((old) => pick(CHANGES, seed, old.node, "change")(old));
  const dropped = chance(seed, "drop") < 0.2 ? between(0, machines.length - 1, seed, "dropped") : -1;
  return { machines: machines.filter((_, index) => index !== dropped) };
}

function killFor(seed: number, victim: Victim, hasUpdate: boolean): Kill {
  const wanted = pick(["up", "up", "update", "destroy"] as const, seed, "kill phase");
  const phase = wanted === "update" && !hasUpdate ? "up" : wanted;
  const request = pick(["GET", "POLL", "PATCH", "PATCH", "PUT", "PUT"] as const, seed, "kill request");
  return {
    victim,
    phase,
    request,
    nth: between(1, request === "GET" ? 6 : 3, seed, "kill nth"),
    when: pick(["before", "after"], seed, "kill when"),
    delayMs: chance(seed, "kill at once") < 0.5 ? 0 : between(0, 400, seed, "kill delay"),
    reaction: pick(["again", "again", "clear", "destroy"], seed, "kill then"),
    patient: chance(seed, "patient") < 0.5,
    outageMs: between(0, 2_500, seed, "outage"),
    outage: pick(["reset", "502"], seed, "outage kind"),
  };
}

const mapped = ({ machines }: Program, change: Change): Program => ({ machines: machines.map(change) });

export function planFor(seed: number, { free, foreign }: Choice, casting: Casting = nobody): Plan {
  const victim = CAST[seed % CAST.length];
  const chosen = some(free, between(3, Math.min(6, free.length), seed, "count"), seed, "nodes");
  const up = { machines: chosen.map(({ name, ready }) => machine(seed, name, ready)) };
  const update = chance(seed, "update") < 0.7 ? updated(seed, up) : undefined;
  const kill = victim && killFor(seed, victim, update !== undefined);
  const actor = actorFor({ seed, up, update, kill }, casting);
  const allowed: Change = accountOf(actor) === "system" ? (same) => same : withCleaning;
  return {
    seed,
    rate: pick(RATES, seed, "rate"),
    up: mapped(up, allowed),
    update: update && mapped(update, allowed),
    foreign: foreign.length > 0 && chance(seed, "foreign") < 0.25 ? pick(foreign, seed, "which foreign") : undefined,
    kill,
    actor,
  };
}

/** Must the machine boot anew to get from the one description to the other? */
export function reboots(before: Machine, after: Machine): boolean {
  const booted = ({ deployment: { kernel, ramdisk, bootIso, kernelArguments, configDrive } }: Machine) =>
    JSON.stringify([kernel, ramdisk, bootIso, kernelArguments, configDrive]);
  return booted(before) !== booted(after);
}

const machineOf = (program: Program | undefined, name: string) => program?.machines.find(({ node }) => node === name);

const BOOTS: Readonly<Record<Phase, (plan: Plan, node: string) => boolean>> = {
  up: ({ up }, node) => machineOf(up, node) !== undefined,
  update: ({ up, update }, node) => {
    const before = machineOf(up, node);
    const after = machineOf(update, node);
    return before !== undefined && after !== undefined && reboots(before, after);
  },
  // What a destroy of that time could see, it may have undeployed.
  again: ({ actor }, node) => actor?.kind === "hiding" && actor.nodes !== "all" && !actor.nodes.includes(node),
  destroy: () => false,
};

/** How often the phase boots this node of the stack: once where what it runs is new, else never. */
export const bootsIn = (plan: Plan, phase: Phase, node: string): number => Number(BOOTS[phase](plan, node));
