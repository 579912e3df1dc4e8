/**
 * What a walk is: a stack's life with all that gets in its way, drawn by fast-check, and the program that the stack has at
 * each step. walk.ts carries it out. Without an actor (actors.ts) a plan has nothing of what that one does.
 */
import fc from "fast-check";
import { instanceUuidFor } from "../../provider/node/identity.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Fault } from "../fakes/client.ts";
import type { Program } from "../fakes/fake-engine.ts";
import type { NodeBehaviour } from "../fakes/fake-node.ts";
import { deploymentBy, settingsBy } from "../fakes/identities.ts";
import { DEED_NAMES } from "../fakes/operator-actions.ts";
import { type Actor, type DeedName, deedsOf } from "./actors.ts";

export const STACK = "stack-1";
export const NODES = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
/** Another stack whose resources have the same names. */
export const TWIN = "stack-1-twin";
const instancesOf = (stackId: string): string[] =>
  NODES.map((uuid, index) => instanceUuidFor({ ...deploymentBy(stackId, `worker-${index + 1}`), nodeUuid: uuid }));
export const INSTANCES = instancesOf(STACK);
export const TWIN_INSTANCES = instancesOf(TWIN);
export const DRIVES = [{ meta_data: { name: "a" } }, { meta_data: { name: "b" } }];

/** The one key of driver_info that programs of walks write. */
export const PERSISTENT_KEY = "force_persistent_boot_device";

/** What BaremetalNodeConfig manages of a node. */
export interface Settings {
  deploy_interface: string | null;
  boot_interface: string | null;
  automated_clean: boolean | null;
}
export interface Trouble {
  faults: { at: number; fault: Fault }[];
  deeds: { at: number; node: number; deed: DeedName }[];
  dieAtSleep: number | undefined;
  abortAt: number | undefined;
}
export interface Choice {
  kernel: "a" | "b";
  args: string | undefined;
  drive: number | undefined;
  protect: boolean;
  keep: boolean;
  strategy: "rebuild" | "redeploy" | undefined;
  boot: string | undefined;
  clean: boolean | undefined;
  config: boolean;
  deployment: boolean;
  /** The images come from Glance. */
  glance: boolean;
  /** `powerPolicy: "on"`. */
  powersOn: boolean;
  /** driver_info/force_persistent_boot_device */
  persistent: string | undefined;
  /** The program names the node in both resources, so that the engine runs them side by side. */
  together: boolean;
}
export type Step =
  | ({ do: "up"; choice: Choice; replace: boolean } & Trouble)
  | ({ do: "refresh" } & Trouble)
  | ({ do: "destroy"; together: boolean } & Trouble)
  | { do: "deed"; node: number; deed: DeedName }
  | { do: "pass"; ms: number };
/** What the other stack does at the same time, `afterMs` later. */
export interface Beside {
  do: "up" | "destroy";
  choice: Choice;
  afterMs: number;
}
export interface Plan {
  actors: readonly Actor[];
  nodes: number;
  settings: Settings;
  fate: Partial<NodeBehaviour>;
  cleansByDefault: boolean;
  resolution: "us" | "s";
  steps: Step[];
  /** By step. */
  beside: (Beside | undefined)[];
  /** By how much reads lag, one after the other and over again. */
  lagsMs: number[];
  latencyMs: number;
  last: Choice;
  /** How the walk ends: by the program, or by `claims --release` after the state was lost. */
  ending: "up" | "claims";
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });

/** Drawn where the actor is there; else `nothing`. */
const by = <T>(actors: readonly Actor[], actor: Actor, arbitrary: fc.Arbitrary<T>, nothing: T): fc.Arbitrary<T> =>
  actors.includes(actor) ? arbitrary : fc.constant(nothing);
const LAGS = fc.array(fc.constantFrom(0, 0, 1_000, 5_000), { maxLength: 5 });

const choice = (calm: boolean, actors: readonly Actor[]): fc.Arbitrary<Choice> =>
  fc.record({
    kernel: fc.constantFrom("a" as const, "b" as const),
    args: optional(fc.constant("quiet")),
    drive: optional(fc.constantFrom(0, 1)),
    protect: fc.oneof(
      { weight: actors.includes("hands") ? 1 : 4, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    keep: calm
      ? fc.constant(false)
      : fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    strategy: fc.constantFrom("rebuild" as const, "redeploy" as const, undefined),
    boot: fc.constantFrom(undefined, "ipxe", "http"),
    clean: fc.constantFrom(undefined, true, false, false),
    config: calm ? fc.constant(true) : fc.constantFrom(true, true, true, true, true, false),
    deployment: calm ? fc.constant(true) : fc.constantFrom(true, true, true, true, true, false),
    together: fc.boolean(),
    glance: by(actors, "glance", fc.boolean(), false),
    powersOn: by(actors, "hands", fc.boolean(), false),
    persistent: by(actors, "lessee", optional(fc.constantFrom("Default", "Always")), undefined),
  });

const FAULTS: Fault[] = [
  "loseAfter",
  "loseBefore",
  "hangAfter",
  "hangBefore",
  "locked",
  "overloaded",
  "serverError",
  "unavailableAfter",
  "unavailableBefore",
  "noConductor",
  "unreachable",
  "dieBefore",
  "dieAfter",
];
const at = fc.oneof({ weight: 3, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(60) });

/** Half of the deeds are those of the actors, if there are any. */
function deedBy(actors: readonly Actor[]): fc.Arbitrary<DeedName> {
  const usual = fc.constantFrom<DeedName[]>(...DEED_NAMES);
  const theirs = deedsOf(actors);
  return theirs.length > 0 ? fc.oneof(usual, fc.constantFrom(...theirs)) : usual;
}

function stepBy(actors: readonly Actor[]): fc.Arbitrary<Step> {
  const deed = deedBy(actors);
  // What actors do is seen best by runs that nothing else disturbs.
  const more = deedsOf(actors).length > 0 ? 2 : 1;
  const trouble = {
    faults: fc.array(fc.record({ at, fault: fc.constantFrom(...FAULTS) }), { maxLength: 3 }),
    deeds: fc.array(fc.record({ at, node: fc.nat(1), deed }), { maxLength: 2 }),
    dieAtSleep: rarely(fc.nat(60)),
    abortAt: rarely(fc.nat(20)),
  };
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("up" as const),
        choice: choice(false, actors),
        replace: fc.constantFrom(false, false, false, false, true),
        ...trouble,
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("destroy" as const), together: fc.boolean(), ...trouble }) },
    { weight: more, arbitrary: fc.record({ do: fc.constant("refresh" as const), ...trouble }) },
    { weight: 2 * more, arbitrary: fc.record({ do: fc.constant("deed" as const), node: fc.nat(1), deed }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(500, 5_000, 60_000) }) },
  );
}

const MAX_STEPS = 7;
const besideBy = (actors: readonly Actor[]): fc.Arbitrary<Beside | undefined> =>
  optional(
    fc.record({
      do: fc.constantFrom("up" as const, "up" as const, "destroy" as const),
      choice: choice(false, actors).map((each) => ({ ...each, keep: false, protect: false })),
      afterMs: fc.constantFrom(0, 0, 20, 3_000),
    }),
  );

/** All plans in which no others have a part than `actors`. */
export const plansWith = (actors: readonly Actor[]): fc.Arbitrary<Plan> =>
  fc.record({
    actors: fc.constant(actors),
    nodes: fc.constantFrom(1, 1, 2),
    settings: fc.record({
      deploy_interface: fc.constantFrom("ramdisk", "direct"),
      boot_interface: fc.constantFrom("ipxe", "redfish-virtual-media"),
      automated_clean: fc.constantFrom(null, true, false),
    }),
    fate: fc.record({
      deployMs: fc.constantFrom(300, 5_000, 60_000),
      undeployMs: fc.constantFrom(100, 2_000),
      cleanMs: fc.constantFrom(500, 30_000),
      silent: fc.boolean(),
      calls: fc.boolean(),
      rebuild: fc.constantFrom("works" as const, "39.0" as const, "never" as const),
    }),
    cleansByDefault: fc.boolean(),
    resolution: fc.constantFrom("us" as const, "s" as const),
    steps: fc.array(stepBy(actors), { minLength: 1, maxLength: MAX_STEPS }),
    last: choice(true, actors),
    ending: fc.constantFrom("up" as const, "up" as const, "claims" as const),
    beside: by(actors, "twin", fc.array(besideBy(actors), { maxLength: MAX_STEPS }), []),
    lagsMs: by(actors, actors.includes("trail") ? "trail" : "lag", LAGS, []),
    latencyMs: by(actors, "twin", fc.constantFrom(0, 20, 500), 0),
  });

/** The program of a walk, as `wanted` has it. */
export function programOf({ nodes }: Plan, wanted: Choice, stackId = STACK): Program {
  const images = `${wanted.glance ? "glance://" : "http://images/"}${wanted.kernel}`;
  const resources: Program["resources"][number][] = [];
  for (let index = 1; index <= nodes; index++) {
    const node = `worker-${index}`;
    const config: Props = {
      node,
      ...settingsBy(stackId, node),
      ...(wanted.boot !== undefined && { bootInterface: wanted.boot }),
      ...(wanted.clean !== undefined && { automatedCleaning: wanted.clean }),
      ...(wanted.persistent !== undefined && { driverInfo: { [PERSISTENT_KEY]: wanted.persistent } }),
    };
    const deployment: Props = {
      node,
      ...deploymentBy(stackId, node),
      kernel: `${images}.kernel`,
      ramdisk: `${images}.initramfs`,
      timeoutSeconds: 600,
      ...(wanted.args !== undefined && { kernelArguments: wanted.args }),
      ...(wanted.drive !== undefined && { configDrive: DRIVES[wanted.drive] }),
      ...(wanted.protect && { protected: true }),
      ...(wanted.keep && { onDestroy: "keep" }),
      ...(wanted.strategy !== undefined && { updateStrategy: wanted.strategy }),
      ...(wanted.powersOn && { powerPolicy: "on" }),
    };
    const needs = wanted.config && !wanted.together ? { dependsOn: `config-${index}` } : {};
    if (wanted.config) resources.push({ name: `config-${index}`, kind: "config", inputs: config });
    if (wanted.deployment)
      resources.push({ name: `deployment-${index}`, kind: "deployment", inputs: deployment, ...needs });
  }
  return { resources };
}
