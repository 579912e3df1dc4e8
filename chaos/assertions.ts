// Whether the promises held, asked of Ironic itself: neither the provider's code nor the spoiled way is used here.
import type { Lab } from "../lab/lab.ts";
import type { Machine } from "./plan.ts";
import type { StateResource } from "./pulumi-process.ts";

export interface HistoryEvent {
  uuid: string;
  event_type: string;
  event: string;
  severity: string;
}

/** A node and all that Ironic remembers of it. */
export interface View {
  body: Record<string, unknown>;
  /** Oldest first. */
  history: HistoryEvent[];
}
export type Views = ReadonlyMap<string, View>;

const CONFIG_MARKER = "pulumi_ironic";
const DEPLOYMENT_MARKER = "pulumi_ironic_deployment";

const record = (value: unknown): Record<string, unknown> => (value ?? {}) as Record<string, unknown>;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : value !== null && typeof value === "object"
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => [key, sorted(item)]),
        )
      : (value ?? null);

export async function look(lab: Lab, names: readonly string[]): Promise<Views> {
  const views = new Map<string, View>();
  for (const name of names) {
    const { body } = await lab.ironicApi("GET", `/v1/nodes/${name}/history?detail=true`);
    views.set(name, { body: await lab.node(name), history: body.history });
  }
  return views;
}

/** Events of the later view that the earlier does not have. */
export function since(before: View, after: View): HistoryEvent[] {
  const known = new Set(before.history.map(({ uuid }) => uuid));
  return after.history.filter(({ uuid }) => !known.has(uuid));
}

/**
 * Was the node deployed once per wanted change? What was cut off by a dead conductor may be begun again, but not before
 * Ironic has written down that it is dead.
 */
export function judgeStarts(events: readonly HistoryEvent[], wanted: number, conductorDied: boolean): string[] {
  let running = false;
  let ends = 0;
  const broken: string[] = [];
  for (const { event_type, severity } of events) {
    if (event_type === "deployment_start") {
      if (running) broken.push("a deployment began while another one was under way");
      running = true;
    } else if (severity === "ERROR") {
      // Ended, but died before the node was active.
      if (!running && ends > 0 && conductorDied) ends--;
      running = false;
    } else if (event_type === "deployment_end") {
      running = false;
      ends++;
    }
  }
  if (ends !== wanted) broken.push(`${ends} deployments ended well, ${wanted} wanted`);
  return [...broken, ...judgeMost(events, wanted, conductorDied)];
}

/** Did no more deployments begin than were wanted? Of what was given up, or only has to end, no more is certain. */
export function judgeMost(events: readonly HistoryEvent[], wanted: number, conductorDied: boolean): string[] {
  const starts = events.filter(({ event_type }) => event_type === "deployment_start").length;
  const aborts = events.filter(({ severity }) => severity === "ERROR").length;
  if (starts <= wanted + (conductorDied ? aborts : 0)) return [];
  return [`${starts} deployments began, ${wanted} wanted${aborts > 0 ? `, ${aborts} aborted` : ""}`];
}

/** Nothing about it has changed, not even the time of its last change. */
export function judgeUntouched(before: View, after: View): string[] {
  const keys = [...new Set([...Object.keys(before.body), ...Object.keys(after.body)])];
  return keys
    .filter((key) => !same(before.body[key], after.body[key]))
    .map((key) => `${key} was ${JSON.stringify(before.body[key])} and is ${JSON.stringify(after.body[key])}`);
}

/** What belongs to its operator, and has to be after a destroy what it was. */
const RESTORED = [
  "provision_state",
  "instance_uuid",
  "instance_info",
  "deploy_interface",
  "boot_interface",
  "automated_clean",
  "description",
  "properties",
  "driver_info",
  "extra",
  "maintenance",
  "protected",
  "name",
  "resource_class",
  "traits",
  "retired",
] as const;

export const judgeRestored = (before: View, after: View): string[] =>
  RESTORED.filter((key) => !same(before.body[key], after.body[key])).map(
    (key) => `${key} was ${JSON.stringify(before.body[key])} and is ${JSON.stringify(after.body[key])}`,
  );

/** Identities of the stacks whose marks are on the node. */
export const stackIdsOn = ({ body }: View): string[] =>
  [CONFIG_MARKER, DEPLOYMENT_MARKER]
    .map((key) => record(record(body.extra)[key]).stackId)
    .filter((stackId) => typeof stackId === "string");

/** Of a node that a forgotten create left behind: marked as `stackId`'s, and what was there before is written down truly. */
export function judgeLeft(before: View, after: View, stackId: string | undefined): string[] {
  const extra = record(after.body.extra);
  const stackIds = stackIdsOn(after);
  const broken: string[] = [];
  if (stackIds.length === 0)
    broken.push(`changed, but nothing on it says by whom: ${judgeRestored(before, after).join("; ")}`);
  for (const other of stackIds) if (other !== stackId) broken.push(`marked as ${other}'s, not ${stackId}'s`);
  const { previous } = record(extra[CONFIG_MARKER]);
  for (const [path, value] of Object.entries(record(previous))) {
    const was = readPath(before.body, path);
    if (!same(was, value))
      broken.push(`remembers ${path} as ${JSON.stringify(value)}, but it was ${JSON.stringify(was)}`);
  }
  return broken;
}

/** The provider's field paths: `driver_info.x`, `properties.capabilities.y`, or a field of the node. */
function readPath(body: Record<string, unknown>, path: string): unknown {
  const capability = /^(?:properties[./])?capabilities[./](.+)$/.exec(path)?.[1];
  if (capability !== undefined) {
    const text = String(record(body.properties).capabilities ?? "");
    const pairs = new Map(text.split(",").map((pair) => pair.split(/:(.*)/s) as [string, string]));
    return pairs.get(capability) ?? null;
  }
  return path
    .split(/[./]/)
    .reduce<unknown>((value, key) => (value !== null && typeof value === "object" ? record(value)[key] : null), body);
}

/** Does the node run what the program says, held by who the state says? */
export function judgeRunning(machine: Machine, view: View, state: readonly StateResource[]): string[] {
  const { body } = view;
  const resource = state.find(({ urn }) => urn.endsWith(`RamdiskDeployment::${machine.node}`));
  if (resource === undefined) return ["the state does not know its deployment"];
  const { instanceUuid, nodeUuid, provisionState, stackId } = resource.outputs ?? {};
  const info = record(body.instance_info);
  const { kernelArguments } = machine.deployment;
  const expectations: [string, unknown, unknown][] = [
    ["provision_state", body.provision_state, "active"],
    ["uuid", body.uuid, nodeUuid],
    ["instance_uuid", body.instance_uuid, instanceUuid],
    ["provisionState in the state", provisionState, "active"],
    ["stackId", stackIdsOn(view).every((one) => one === stackId), true],
    ["ramdisk_kernel_arguments", info.ramdisk_kernel_arguments ?? null, kernelArguments ?? null],
    ["protected", body.protected ?? false, machine.deployment.protected ?? false],
    ...(machine.settings === "none"
      ? []
      : ([
          ["boot_interface", body.boot_interface, machine.config.bootInterface],
          ...(machine.config.description === undefined
            ? []
            : [["description", body.description, machine.config.description]]),
        ] as [string, unknown, unknown][])),
  ];
  return [
    ...expectations
      .filter(([, actual, wanted]) => !same(actual, wanted))
      .map(([what, actual, wanted]) => `${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(wanted)}`),
    ...(resource.initErrors?.length ? [`the state holds errors: ${resource.initErrors.join("; ")}`] : []),
  ];
}
