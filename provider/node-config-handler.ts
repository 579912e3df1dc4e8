/** BaremetalNodeConfig in the provider process. */
import { type ConfigMarker, configMarker, deploymentMarker, instanceUuidFor } from "./claim.ts";
import type { Client } from "./client.ts";
import {
  adviceFor,
  type Decision,
  fail,
  heldByOther,
  inMaintenance,
  nodeLabel,
  unknownState,
  wait,
} from "./decision.ts";
import { isAnswer, ProblemError } from "./errors.ts";
import type { Call, Handler, Props, Services } from "./handler.ts";
import { type Node, type PatchOp, patchNode, readNode } from "./node.ts";
import {
  checkNodeConfig,
  configMarkerPatch,
  type Fields,
  fieldsPatch,
  inputsOf,
  isInterface,
  type NodeConfigProps,
  readField,
  readFields,
  removeConfigMarker,
  sameValue,
  wantedFields,
} from "./node-config-args.ts";
import { pollerOf } from "./poller.ts";
import { type Machine, reconcile } from "./reconcile.ts";
import { hasUnknown } from "./schema.ts";
import { planSettings, settleSettings } from "./settings.ts";
import { stateFacts, stateName } from "./states.ts";

interface Outputs {
  nodeUuid: string;
  nodeName?: string | undefined;
  /** What the managed fields were before this resource, and what it wrote: a copy of the marker on the node. */
  previous: Fields;
  written: Fields;
  drift?: string | undefined;
}
type State = NodeConfigProps & Outputs;

const INPUTS = [
  "node",
  "deployInterface",
  "bootInterface",
  "automatedCleaning",
  "driverInfo",
  "capabilities",
  "description",
  "extra",
  "onDestroy",
  "reenableAutomatedCleaning",
  "owner",
  "resourceName",
] as const satisfies readonly (keyof NodeConfigProps)[];

/** Passing states are waited for this long; cleaning is the longest of them. */
const WAIT_MS = 3 * 3600 * 1000;
/** A deployment of ours that does not begin to go within this time is there to stay. */
const STAYING_MS = 60_000;

interface Owned {
  owner: string;
  resource: string;
}

/** Who, if anybody, keeps this stack from writing to the node's settings. */
function strangerOn(node: Node, ours: Owned, keptInstance: unknown): string | undefined {
  const config = configMarker(node);
  const deployment = deploymentMarker(node);
  if (config && config.owner !== ours.owner) return `BaremetalNodeConfig "${config.resource}" of owner ${config.owner}`;
  if (config && config.resource !== ours.resource) return `BaremetalNodeConfig "${config.resource}" of this same stack`;
  if (deployment && deployment.owner !== ours.owner)
    return `deployment "${deployment.resource}" of owner ${deployment.owner}`;
  if (!node.instance_uuid) return undefined;
  // Where somebody wiped its marker, a deployment of the same name as these settings is still known by its claim.
  const known = [deployment?.instanceUuid, keptInstance, instanceUuidFor(ours.owner, ours.resource, node.uuid)];
  return known.includes(node.instance_uuid) ? undefined : `instance ${node.instance_uuid}`;
}

/** An allocation of this stack has set instance_uuid before any deployment marked the node. */
async function isOwnAllocation(client: Client, node: Node, ours: Owned): Promise<boolean> {
  if (!node.allocation_uuid || node.allocation_uuid !== node.instance_uuid) return false;
  const { extra } = await client.get<{ extra: Props }>(`/allocations/${node.allocation_uuid}`, {
    tried: "see whose allocation is on the node",
    node: node.uuid,
  });
  return (extra.pulumi_ironic as Props | undefined)?.owner === ours.owner;
}

interface Mind {
  done: boolean;
  /** When the deployment on the node was first seen standing still. */
  stillSince?: number;
  warnings: string[];
}
type Action = "write";

interface Work {
  /** As it was just read. */
  node: Node;
  what: string;
  decide(node: Node, mind: Mind): Decision<Action>;
  operations(node: Node, mind: Mind): PatchOp[];
}

/** Reads, decides and writes through the common loop; the node as last seen. */
async function carryOut(work: Work, services: Services, call: Call): Promise<{ node: Node; mind: Mind }> {
  const client = await services.client();
  const { clock, random } = services;
  const poller = pollerOf(client, clock, random);
  const changedAt = clock.now();
  const { uuid } = work.node;
  let last = work.node;
  let unused = true;
  const read = async (signal: AbortSignal) => {
    if (!unused) last = await readNode(client, uuid, "read the node's settings", signal);
    unused = false;
    return last;
  };
  const machine: Machine<Action, Mind> = {
    async observe(how, signal) {
      if (how === "now") return { node: await read(signal), fresh: true };
      const light = await poller.next(uuid, changedAt, signal);
      const moved = light.provision_updated_at !== last.provision_updated_at;
      if (moved || stateFacts(light.provision_state)?.kind !== "moving")
        return { node: await read(signal), fresh: true };
      last = { ...last, ...light };
      return { node: last, fresh: false };
    },
    async act(_action, node, mind, signal) {
      const ops = work.operations(node, mind);
      const saved = ops.length > 0 ? await patchNode(client, uuid, ops, work.what, signal) : node;
      last = saved;
      mind.done = true;
      return saved;
    },
  };
  const mind: Mind = { done: false, warnings: [] };
  const { node } = await reconcile({
    machine,
    decide: (seen, memory) => work.decide(seen, memory),
    memory: mind,
    clock,
    random,
    signal: call.signal,
    timeoutMs: call.timeoutMs ?? WAIT_MS,
    onProgress: call.progress,
    cause: async (seen) => seen.last_error ?? "no reason given",
    trouble: poller.trouble,
  });
  return { node, mind };
}

/** May `paths` be written in the node's present state? A decision if not, or if not yet. */
function stateBars(node: Node, paths: readonly string[]): Decision<Action> | undefined {
  const facts = stateFacts(node.provision_state);
  if (!facts) return unknownState(node);
  if (facts.kind === "moving") return wait(stateName(node.provision_state));
  // Ironic takes no PATCH there, and only an operator moves the node on.
  if (facts.kind === "held")
    return fail(
      `The settings of node ${nodeLabel(node)} cannot change while it is "${stateName(node.provision_state)}"`,
      adviceFor(facts, node),
    );
  const interfaces = paths.filter((path) => isInterface(path));
  if (interfaces.length === 0 || facts.interfaces || node.maintenance) return undefined;
  return fail(
    `${interfaces.join(" and ")} of node ${nodeLabel(node)} cannot change while it is "${stateName(node.provision_state)}"`,
    adviceFor(facts, node),
  );
}

/** What has to change on the node so that it shows `wanted`, and so that fields no longer wanted are as they were. */
function changesFor(node: Node, wanted: Fields, marker: ConfigMarker): Fields {
  const changes: Fields = {};
  for (const [path, value] of Object.entries(wanted))
    if (!sameValue(readField(node, path), value)) changes[path] = value;
  for (const [path, value] of Object.entries(marker.written)) {
    const before = marker.previous[path] ?? null;
    if (path in wanted || sameValue(value, before)) continue;
    if (sameValue(readField(node, path), value)) changes[path] = before;
  }
  return changes;
}

function nextMarker(node: Node, wanted: Fields, before: ConfigMarker): ConfigMarker {
  const previous: Fields = {};
  // What was there before we first wrote is remembered once and never overwritten.
  for (const path of Object.keys(wanted))
    previous[path] = path in before.previous ? before.previous[path] : readField(node, path);
  return { ...before, previous, written: wanted };
}

async function requireFields(client: Client, wanted: Fields): Promise<void> {
  if ("automated_clean" in wanted) await client.require("automatedClean", "set automated cleaning of the node");
  if ("description" in wanted) await client.require("description", "set the node's description");
}

async function configure(
  found: Node,
  props: NodeConfigProps,
  ours: Owned,
  state: State | undefined,
  services: Services,
  call: Call,
): Promise<Outputs> {
  const client = await services.client();
  const wanted = wantedFields(props);
  await requireFields(client, wanted);
  // The node's marker is the truth; the state's copy stands in when somebody has wiped `extra`.
  const markerOf = (node: Node): ConfigMarker =>
    configMarker(node) ?? { ...ours, previous: state?.previous ?? {}, written: state?.written ?? {} };
  const ownAllocation = await isOwnAllocation(client, found, ours);
  const { node } = await carryOut(
    {
      node: found,
      what: "set the node's interfaces and settings",
      decide: (seen, mind) => {
        const who = strangerOn(seen, ours, ownAllocation ? seen.instance_uuid : keptOf(seen));
        if (who) return heldByOther(seen, who);
        if (mind.done) return { do: "done" };
        if (seen.maintenance) return inMaintenance(seen);
        const changes = changesFor(seen, wanted, markerOf(seen));
        return stateBars(seen, Object.keys(changes)) ?? { do: "act", action: "write" };
      },
      operations: (seen) => {
        const before = markerOf(seen);
        const after = nextMarker(seen, wanted, before);
        const ops = fieldsPatch(seen, changesFor(seen, wanted, before));
        const marked = configMarker(seen);
        return marked && sameValue(marked, after) ? ops : [...ops, configMarkerPatch(after)];
      },
    },
    services,
    call,
  );
  const marker = configMarker(node);
  return {
    nodeUuid: node.uuid,
    nodeName: node.name ?? undefined,
    previous: marker?.previous ?? {},
    written: marker?.written ?? {},
  };
}

/** A deployment that was handed over when it left the state: its machine is still the stack's doing. */
const keptOf = (node: Node): string | undefined => configMarker(node)?.kept;

/** What to put back: only what still has the value that we wrote. */
function restoration(node: Node, state: State): { changes: Fields; foreign: string[] } {
  const marker = configMarker(node);
  const written = marker?.written ?? state.written;
  const previous = { ...(marker?.previous ?? state.previous) };
  if (state.reenableAutomatedCleaning === true) previous.automated_clean = true;
  if (state.reenableAutomatedCleaning === false) previous.automated_clean = written.automated_clean ?? null;
  const changes: Fields = {};
  const foreign: string[] = [];
  for (const [path, value] of Object.entries(written)) {
    const now = readField(node, path);
    const before = previous[path] ?? null;
    if (sameValue(now, before)) continue;
    if (sameValue(now, value)) changes[path] = before;
    else foreign.push(path);
  }
  return { changes, foreign };
}

/** Is a deployment of ours on the node, and is it going or staying? */
function deploymentStays(node: Node, mind: Mind, now: number): "gone" | "going" | "stays" {
  const marker = deploymentMarker(node);
  // Without its marker, which somebody may have wiped, a deployment is still told by the instance_uuid.
  if (!marker && node.instance_uuid === null) return "gone";
  if (marker?.keep || (!marker && keptOf(node) === node.instance_uuid)) return "stays";
  if (stateFacts(node.provision_state)?.kind === "moving") {
    delete mind.stillSince;
    return "going";
  }
  mind.stillSince ??= now;
  return now - mind.stillSince < STAYING_MS ? "going" : "stays";
}

function decideRestore(node: Node, state: State, ours: Owned, mind: Mind, now: number): Decision<Action> {
  if (mind.done) return { do: "done" };
  const who = strangerOn(node, ours, keptOf(node));
  if (who) return heldByOther(node, who);
  if (!configMarker(node) && Object.keys(restoration(node, state).changes).length === 0) return { do: "done" };
  if (state.onDestroy === "keep") return { do: "act", action: "write" };
  const deployment = deploymentStays(node, mind, now);
  if (deployment === "going") return wait("the deployment on the node ends first");
  const { changes } = restoration(node, state);
  const bar = stateBars(node, deployment === "stays" ? [] : Object.keys(changes));
  return bar ?? { do: "act", action: "write" };
}

function restoreOperations(node: Node, state: State, mind: Mind): PatchOp[] {
  const unmark = configMarker(node) ? [removeConfigMarker] : [];
  if (state.onDestroy === "keep") return unmark;
  const { changes, foreign } = restoration(node, state);
  if (foreign.length > 0)
    mind.warnings.push(`${foreign.join(", ")} had been changed by somebody else since, and were left as they are`);
  if (stateFacts(node.provision_state)?.interfaces || node.maintenance)
    return [...fieldsPatch(node, changes), ...unmark];
  const deployment = deploymentMarker(node);
  const stranded = deployment !== undefined && !deployment.keep;
  // Whether the node is cleaned when that deployment ends is settled by automated_clean, so it has to wait as well.
  const barred = Object.keys(changes).filter((path) => isInterface(path) || (stranded && path === "automated_clean"));
  const held = Object.fromEntries(barred.map((path) => [path, changes[path] ?? null]));
  for (const path of barred) delete changes[path];
  if (barred.length === 0) return [...fieldsPatch(node, changes), ...unmark];
  const what = `${barred.join(", ")} could not be restored while the node is "${stateName(node.provision_state)}"`;
  const marker = configMarker(node);
  if (!stranded || !marker) {
    mind.warnings.push(`${what}; set them when it is available`);
    return [...fieldsPatch(node, changes), ...unmark];
  }
  // A create that the engine forgot: what was there before stays written down for the one who ends it.
  mind.warnings.push(
    `${what} with deployment "${deployment.resource}". If no state knows that deployment any more, \`pulumi-ironic claims --owner ${deployment.owner}\` lists it, and its --release ends it and then restores them`,
  );
  const written = Object.fromEntries(barred.map((path) => [path, marker.written[path] ?? null]));
  const left = { ...marker, previous: held, written };
  return [...fieldsPatch(node, changes), configMarkerPatch(left)];
}

async function restore(state: State, services: Services, call: Call): Promise<void> {
  const ours = { owner: state.owner, resource: state.resourceName };
  try {
    const client = await services.client();
    const found = await readNode(client, state.nodeUuid, "read the node", call.signal);
    const { node, mind } = await carryOut(
      {
        node: found,
        what: "restore the node's interfaces and settings",
        decide: (seen, memory) => decideRestore(seen, state, ours, memory, services.clock.now()),
        operations: (seen, memory) => restoreOperations(seen, state, memory),
      },
      services,
      call,
    );
    for (const warning of mind.warnings) call.warn(`Node ${nodeLabel(node)}: ${warning}.`);
  } catch (error) {
    if (!isAnswer(error, "nodeGone")) throw error;
  }
}

async function isSameNode(state: State, name: string, services: Services): Promise<boolean> {
  if ([state.node, state.nodeUuid, state.nodeName].includes(name)) return true;
  try {
    const client = await services.client();
    return (await readNode(client, name, "see whether it is the same node")).uuid === state.nodeUuid;
  } catch {
    return false;
  }
}

/** Tells the deployments of this program how the settings of this node went. */
async function settling<T>(nodes: (string | undefined)[], work: () => Promise<T>): Promise<T> {
  const tell = (error?: Error) => {
    for (const node of nodes) if (node !== undefined) settleSettings(node, error);
  };
  try {
    const result = await work();
    tell();
    return result;
  } catch (error) {
    tell(
      new ProblemError({
        problem: `The BaremetalNodeConfig of node ${nodes[0]} failed`,
        advice: "Its own message says why; the deployment was not begun.",
      }),
    );
    throw error;
  }
}

export const nodeConfigHandler: Handler = {
  secretOutputs: [],

  async check(_olds, news) {
    const { props, failures } = checkNodeConfig(news);
    if (failures.length === 0 && !hasUnknown(props.node))
      planSettings({
        node: props.node,
        deployInterface: hasUnknown(props.deployInterface) ? undefined : wantedInterface(props),
        bootInterface: hasUnknown(props.bootInterface) ? undefined : props.bootInterface,
        automatedCleaning: hasUnknown(props.automatedCleaning) ? undefined : props.automatedCleaning,
        uncertain: [props.deployInterface, props.bootInterface, props.automatedCleaning].some(hasUnknown),
      });
    return { inputs: news, failures };
  },

  async diff(_id, olds, news, services) {
    const state = olds as unknown as State;
    const props = news as unknown as NodeConfigProps;
    const replaces = hasUnknown(props.node) || !(await isSameNode(state, props.node, services)) ? ["node"] : [];
    const policies = ["onDestroy", "reenableAutomatedCleaning"] as const;
    const changes =
      replaces.length > 0 ||
      hasUnknown(props) ||
      state.drift !== undefined ||
      !sameValue(wantedFields(props), wantedFields(state)) ||
      policies.some((key) => !sameValue(props[key], state[key]));
    // There will be no update to wait for, whatever others have made of the node since.
    if (!changes) settleSettings(props.node);
    return { changes, replaces, deleteBeforeReplace: true };
  },

  async create(inputs, services, call) {
    const { props } = checkNodeConfig(inputs);
    return settling([props.node], async () => {
      const client = await services.client();
      const node = await readNode(client, props.node, "find the node", call.signal);
      const ours = { owner: props.owner, resource: props.resourceName };
      const outputs = await configure(node, props, ours, undefined, services, call);
      return { id: node.uuid, outs: { ...outputs } };
    });
  },

  async read(id, props, services, call) {
    const state = props as unknown as State;
    const client = await services.client();
    let node: Node;
    try {
      node = await readNode(client, state.nodeUuid, "refresh the node's settings", call.signal);
    } catch (error) {
      if (isAnswer(error, "nodeGone")) return undefined;
      throw error;
    }
    const declared = Object.fromEntries(
      INPUTS.filter((key) => state[key] !== undefined).map((key) => [key, state[key]]),
    ) as NodeConfigProps;
    const inputs = inputsOf(declared, readFields(node, Object.keys(wantedFields(declared))));
    const ours = { owner: state.owner, resource: state.resourceName };
    const who = strangerOn(node, ours, keptOf(node));
    const drift = who ? `held by ${who}` : configMarker(node) ? undefined : "the marker in extra was removed";
    const { previous, written, nodeUuid } = state;
    return {
      id,
      inputs,
      props: {
        ...inputs,
        nodeUuid,
        nodeName: node.name ?? undefined,
        previous,
        written,
        ...(drift !== undefined && { drift }),
      },
    };
  },

  async update(_id, olds, news, services, call) {
    const state = olds as unknown as State;
    const { props } = checkNodeConfig(news);
    const ours = { owner: state.owner, resource: state.resourceName };
    const client = await services.client();
    const found = await readNode(client, state.nodeUuid, "read the node", call.signal);
    return settling([props.node, state.nodeName, state.nodeUuid], async () => ({
      outs: {
        ...(await configure(found, props, ours, state, services, call)),
        owner: state.owner,
        resourceName: state.resourceName,
      },
    }));
  },

  delete: (_id, props, services, call) => restore(props as unknown as State, services, call),
};

const wantedInterface = (props: NodeConfigProps): string => String(wantedFields(props).deploy_interface);
