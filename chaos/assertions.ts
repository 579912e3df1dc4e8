// Whether the promises held, asked of Ironic itself: neither the provider's code nor the spoiled way is used here.
import type { Lab } from "../lab/lab.ts";
import type { Tampering } from "./lessee.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER, LESSEE_KEY } from "./lies.ts";
import type { Machine } from "./plan.ts";
import type { StateResource } from "./pulumi-process.ts";
import { record, same } from "./values.ts";

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
 * Was the node deployed once per wanted change, and at most `spare` times beyond? What was cut off by a dead conductor may be begun again, but not before
 * Ironic has written down that it is dead.
 */
export function judgeStarts(
  events: readonly HistoryEvent[],
  wanted: number,
  conductorDied: boolean,
  spare = 0,
): string[] {
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
  if (ends < wanted || ends > wanted + spare) broken.push(`${ends} deployments ended well, ${wanted} wanted`);
  return [...broken, ...judgeMost(events, wanted + spare, conductorDied)];
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

/** What a mark may bring back where no state knows better; of `driver_info` one key, and of cleaning only that it is on. */
const BY_MARKS: readonly string[] = [
  "deploy_interface",
  "boot_interface",
  "automated_clean",
  "description",
  "properties",
];
const BY_MARKS_IN_DRIVER_INFO = "force_persistent_boot_device";

const without = (value: unknown, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record(value)).filter(([key]) => !keys.includes(key)));

/** As far as the stack can restore what a lessee lied about: what is in `extra` is not the stack's to mend. */
export function judgeRestoredFrom(before: View, after: View, { isTouched, isLoose }: Tampering): string[] {
  if (!isTouched) return judgeRestored(before, after);
  const judged = ({ body }: View): View => {
    const { extra, driver_info, ...rest } = body;
    const lies = [CONFIG_MARKER, DEPLOYMENT_MARKER, LESSEE_KEY];
    const strict = { ...rest, driver_info, extra: without(extra, lies) };
    const loose = { ...without(rest, BY_MARKS), driver_info: without(driver_info, [BY_MARKS_IN_DRIVER_INFO]) };
    return { body: isLoose ? loose : strict, history: [] };
  };
  const isOff = after.body.automated_clean === false && before.body.automated_clean !== false;
  return [
    ...judgeRestored(judged(before), judged(after)),
    ...(isLoose && isOff ? ["automated_clean is off, and was not"] : []),
  ];
}

const isOfNode = (name: string) => (resource: StateResource) => resource.urn.endsWith(`::${name}`);
const isDeployment = ({ type }: StateResource): boolean => type.endsWith(":RamdiskDeployment");

/** Does anything of a stack run on the node, which was free before? */
export const isBusy = ({ body }: View): boolean => body.instance_uuid != null || body.provision_state !== "available";

/** Would somebody find out that the machine runs: by the state, or by the mark that `claims` reads? */
export function judgeKnown(
  name: string,
  view: View,
  state: readonly StateResource[],
  stackId: string | undefined,
): string[] {
  if (!isBusy(view) || state.some((resource) => isDeployment(resource) && isOfNode(name)(resource))) return [];
  const mark = record(record(view.body.extra)[DEPLOYMENT_MARKER]);
  if (mark.stackId !== undefined && mark.stackId === stackId) return [];
  return [`is ${view.body.provision_state}, and neither the state nor a mark knows it`];
}

/** What is not undone yet where a resource of this type has left the state. */
const UNDONE: Readonly<Record<string, (before: View, now: View) => boolean>> = {
  RamdiskDeployment: (_, now) => isBusy(now),
  BaremetalNodeConfig: (before, now) => judgeRestored(before, now).length > 0,
};

/** Of a node that could not be seen while a command ran: what the state knew of it stays, unless it was undone before. */
export function judgeHidden(
  name: string,
  [was, is]: readonly [readonly StateResource[], readonly StateResource[]],
  [before, now]: readonly [View, View],
): string[] {
  const typesIn = (state: readonly StateResource[]) =>
    state.filter(isOfNode(name)).map(({ type }) => type.split(":").at(-1) ?? type);
  const kept = typesIn(is);
  return typesIn(was)
    .filter((type) => !kept.includes(type) && UNDONE[type]?.(before, now))
    .map((type) => `its ${type} left the state while it was hidden, with the node ${now.body.provision_state}`);
}

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
export function judgeRunning(
  machine: Machine,
  view: View,
  state: readonly StateResource[],
  areMarksTrue = true,
): string[] {
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
    ["stackId", !areMarksTrue || stackIdsOn(view).every((one) => one === stackId), true],
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
