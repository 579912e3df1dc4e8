/**
 * What a walk is: a stack's life with all that gets in its way, drawn by fast-check, and the program that the stack has at
 * each step. walk.ts carries it out.
 */
import fc from "fast-check";
import { instanceUuidFor } from "../../provider/node/identity.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Fault } from "../fakes/client.ts";
import type { Program } from "../fakes/fake-engine.ts";
import type { NodeBehaviour } from "../fakes/fake-node.ts";
import { deploymentBy, settingsBy } from "../fakes/identities.ts";
import { DEED_NAMES, type DeedName } from "../fakes/operator-actions.ts";

export const STACK = "stack-1";
export const NODES = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
export const INSTANCES = NODES.map((uuid, index) =>
  instanceUuidFor({ ...deploymentBy(STACK, `worker-${index + 1}`), nodeUuid: uuid }),
);
export const DRIVES = [{ meta_data: { name: "a" } }, { meta_data: { name: "b" } }];

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
  /** The program names the node in both resources, so that the engine runs them side by side. */
  together: boolean;
}
export type Step =
  | ({ do: "up"; choice: Choice; replace: boolean } & Trouble)
  | ({ do: "refresh" } & Trouble)
  | ({ do: "destroy"; together: boolean } & Trouble)
  | { do: "deed"; node: number; deed: DeedName }
  | { do: "pass"; ms: number };
export interface Plan {
  nodes: number;
  settings: Settings;
  fate: Partial<NodeBehaviour>;
  cleansByDefault: boolean;
  resolution: "us" | "s";
  steps: Step[];
  last: Choice;
  /** How the walk ends: by the program, or by `claims --release` after the state was lost. */
  ending: "up" | "claims";
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });

const choice = (calm: boolean): fc.Arbitrary<Choice> =>
  fc.record({
    kernel: fc.constantFrom("a" as const, "b" as const),
    args: optional(fc.constant("quiet")),
    drive: optional(fc.constantFrom(0, 1)),
    protect: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    keep: calm
      ? fc.constant(false)
      : fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    strategy: fc.constantFrom("rebuild" as const, "redeploy" as const, undefined),
    boot: fc.constantFrom(undefined, "ipxe", "http"),
    clean: fc.constantFrom(undefined, true, false, false),
    config: calm ? fc.constant(true) : fc.constantFrom(true, true, true, true, true, false),
    deployment: calm ? fc.constant(true) : fc.constantFrom(true, true, true, true, true, false),
    together: fc.boolean(),
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
const deed = fc.constantFrom(...DEED_NAMES);
const at = fc.oneof({ weight: 3, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(60) });
const trouble = {
  faults: fc.array(fc.record({ at, fault: fc.constantFrom(...FAULTS) }), { maxLength: 3 }),
  deeds: fc.array(fc.record({ at, node: fc.nat(1), deed }), { maxLength: 2 }),
  dieAtSleep: rarely(fc.nat(60)),
  abortAt: rarely(fc.nat(20)),
};
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("up" as const),
      choice: choice(false),
      replace: fc.constantFrom(false, false, false, false, true),
      ...trouble,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("destroy" as const), together: fc.boolean(), ...trouble }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("refresh" as const), ...trouble }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("deed" as const), node: fc.nat(1), deed }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(500, 5_000, 60_000) }) },
);
export const plans: fc.Arbitrary<Plan> = fc.record({
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
  steps: fc.array(step, { minLength: 1, maxLength: 7 }),
  last: choice(true),
  ending: fc.constantFrom("up" as const, "up" as const, "claims" as const),
});

/** The program of a walk, as `wanted` has it. */
export function programOf({ nodes }: Plan, wanted: Choice): Program {
  const resources: Program["resources"][number][] = [];
  for (let index = 1; index <= nodes; index++) {
    const node = `worker-${index}`;
    const config: Props = {
      node,
      ...settingsBy(STACK, node),
      ...(wanted.boot !== undefined && { bootInterface: wanted.boot }),
      ...(wanted.clean !== undefined && { automatedCleaning: wanted.clean }),
    };
    const deployment: Props = {
      node,
      ...deploymentBy(STACK, node),
      kernel: `http://images/${wanted.kernel}.kernel`,
      ramdisk: `http://images/${wanted.kernel}.initramfs`,
      timeoutSeconds: 600,
      ...(wanted.args !== undefined && { kernelArguments: wanted.args }),
      ...(wanted.drive !== undefined && { configDrive: DRIVES[wanted.drive] }),
      ...(wanted.protect && { protected: true }),
      ...(wanted.keep && { onDestroy: "keep" }),
      ...(wanted.strategy !== undefined && { updateStrategy: wanted.strategy }),
    };
    const needs = wanted.config && !wanted.together ? { dependsOn: `config-${index}` } : {};
    if (wanted.config) resources.push({ name: `config-${index}`, kind: "config", inputs: config });
    if (wanted.deployment)
      resources.push({ name: `deployment-${index}`, kind: "deployment", inputs: deployment, ...needs });
  }
  return { resources };
}
