/** BaremetalNodeConfig in the provider process. */

import { isNodeGone, ProblemError } from "../core/index.ts";
import {
  type ConfigMarker,
  configMarker,
  fail,
  heldByOther,
  identityOf,
  inMaintenance,
  isMasked,
  isSameNode,
  markOf,
  type Node,
  nodeLabel,
  type ResourceIdentity,
  readNode,
} from "../node/index.ts";
import { type Call, type Handler, PartialFailure, type Services } from "../plugin/index.ts";
import { hasUnknown } from "../schema/index.ts";
import {
  checkNodeConfig,
  configMarkerPatch,
  type Fields,
  fieldsPatch,
  hasOddCapabilities,
  inputsOf,
  type NodeConfigProps,
  readField,
  readFields,
  sameValue,
  wantedFields,
} from "./args.ts";
import { needsOf, settingsPreflight } from "./preflight.ts";
import { restore } from "./restore.ts";
import {
  carryOut,
  isUnwritten,
  keptOf,
  type Outputs,
  openSettingsJournal,
  ownAllocation,
  type State,
  stateBars,
  strangerOn,
  type Work,
} from "./work.ts";

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
  "stackId",
  "stackName",
  "resourceId",
  "resourceName",
] as const satisfies readonly (keyof NodeConfigProps)[];

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
  const { restorePending: _, ...rest } = before;
  return { ...rest, previous, written: wanted };
}

const outputsOf = ({ uuid, name }: Node, marker: ConfigMarker | undefined): Outputs => ({
  nodeUuid: uuid,
  nodeName: name ?? undefined,
  previous: marker?.previous ?? {},
  written: marker?.written ?? {},
});

async function configure(
  found: Node,
  props: NodeConfigProps,
  ours: ResourceIdentity,
  state: State | undefined,
  services: Services,
  call: Call,
): Promise<Outputs> {
  const client = await services.client();
  const wanted = wantedFields(props);
  for (const { path, feature } of needsOf(props)) await client.require(feature, `set ${path} of the node`);
  // The node's marker is the truth; the state's copy stands in when somebody has wiped `extra`.
  const markerOf = (node: Node): ConfigMarker =>
    configMarker(node) ??
    (!state || isUnwritten(node, state)
      ? { ...markOf(ours), previous: {}, written: {} }
      : { ...markOf(ours), previous: state.previous, written: state.written });
  const own = await ownAllocation(client, found, ours, call.signal);
  const journal = openSettingsJournal();
  let sent: ConfigMarker | undefined;
  const work: Work = {
    node: found,
    operation: "set the node's interfaces and settings",
    decide: (seen, attempt) => {
      const who = strangerOn(seen, ours, own ?? keptOf(seen));
      if (who) return heldByOther(seen, who);
      if (attempt.done) return { do: "done" };
      if (seen.maintenance) return inMaintenance(seen);
      const before = markerOf(seen);
      const changes = changesFor(seen, wanted, before);
      const { previous } = nextMarker(seen, wanted, before);
      const hidden = Object.keys(changes).filter((path) => path.startsWith("driver_info/") && isMasked(previous[path]));
      if (hidden.length > 0)
        return fail(
          `Ironic hides what ${hidden.join(" and ")} of node ${nodeLabel(seen)} holds, so it could not be restored`,
          "Nothing was written. Leave it out here, and set it with Ironic's own client",
        );
      if (hasOddCapabilities(seen) && Object.keys(changes).some((path) => path.startsWith("capabilities/")))
        return fail(
          `properties.capabilities of node ${nodeLabel(seen)} is no text of the form key:value,key:value, so nothing can be added to it`,
          "Nothing was written. Correct it with Ironic's own client, or leave capabilities out here",
        );
      return stateBars(seen, Object.keys(changes)) ?? { do: "act", action: "write" };
    },
    patch: (seen) => {
      const before = markerOf(seen);
      const after = nextMarker(seen, wanted, before);
      const ops = fieldsPatch(seen, changesFor(seen, wanted, before));
      sent = after;
      const marked = configMarker(seen);
      return marked && sameValue(marked, after) ? ops : [...ops, configMarkerPatch(after)];
    },
  };
  try {
    const { node } = await carryOut(work, services, call, journal);
    return outputsOf(node, configMarker(node));
  } catch (error) {
    const stood = configMarker(found);
    const begun = stood?.stackId === ours.stackId && stood.resourceId === ours.resourceId;
    // An answer that is lost, or not waited for, does not make the node forget: what was there before must stay known. What a
    // run that was killed had written is ours.
    if (state || !(journal.attempt.writesSent > 0 || begun)) throw error;
    const known = outputsOf(found, journal.attempt.writesSent > 0 ? sent : stood);
    throw new PartialFailure(found.uuid, { ...known, ...(!begun && { unsure: true }) }, error as Error);
  }
}

/** Tells the deployments of this program how the settings of this node went. */
async function settling<T>(nodes: (string | undefined)[], { run }: Services, work: () => Promise<T>): Promise<T> {
  const tell = (error?: Error) => {
    for (const node of nodes) if (node !== undefined) run.settings.settle(node, error);
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

  async check(olds, news, services, call) {
    const { props, failures } = checkNodeConfig(news);
    const changed = !olds || INPUTS.some((key) => !sameValue(olds[key], news[key]));
    if (failures.length === 0 && changed) failures.push(...(await settingsPreflight(props, services, call, olds)));
    if (failures.length === 0 && !hasUnknown(props.node))
      services.run.settings.add({
        node: props.node,
        deployInterface: hasUnknown(props.deployInterface) ? undefined : wantedInterface(props),
        bootInterface: hasUnknown(props.bootInterface) ? undefined : props.bootInterface,
        automatedCleaning: hasUnknown(props.automatedCleaning) ? undefined : props.automatedCleaning,
        uncertain: [props.deployInterface, props.bootInterface, props.automatedCleaning].some(hasUnknown),
      });
    return { inputs: news, failures };
  },

  async diff(_id, olds, news, services, { signal }) {
    const state = olds as unknown as State;
    const props = news as unknown as NodeConfigProps;
    const replaces =
      hasUnknown(props.node) || !(await isSameNode(state, props.node, services.client, signal)) ? ["node"] : [];
    const policies = ["onDestroy", "reenableAutomatedCleaning"] as const;
    const changes =
      replaces.length > 0 ||
      hasUnknown(props) ||
      state.drift !== undefined ||
      !sameValue(wantedFields(props), wantedFields(state)) ||
      policies.some((key) => !sameValue(props[key], state[key]));
    // There will be no update to wait for, whatever others have made of the node since.
    if (!changes) services.run.settings.settle(props.node);
    return { changes, replaces, deleteBeforeReplace: true };
  },

  async create(inputs, services, call) {
    const { props } = checkNodeConfig(inputs);
    return settling([props.node], services, async () => {
      const client = await services.client();
      const node = await readNode(client, props.node, "find the node", call.signal);
      const ours = identityOf(props);
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
      if (isNodeGone(error)) return undefined;
      throw error;
    }
    const declared = Object.fromEntries(
      INPUTS.filter((key) => state[key] !== undefined).map((key) => [key, state[key]]),
    ) as NodeConfigProps;
    const inputs = inputsOf(declared, readFields(node, Object.keys(wantedFields(declared))));
    const ours = identityOf(state);
    const own = await ownAllocation(client, node, ours, call.signal);
    const who = strangerOn(node, ours, own ?? keptOf(node));
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
        ...(isUnwritten(node, state) && { unsure: true }),
        ...(drift !== undefined && { drift }),
      },
    };
  },

  async update(_id, olds, news, services, call) {
    const state = olds as unknown as State;
    const { props } = checkNodeConfig(news);
    const ours = identityOf(state);
    const client = await services.client();
    const found = await readNode(client, state.nodeUuid, "read the node", call.signal);
    return settling([props.node, state.nodeName, state.nodeUuid], services, async () => ({
      outs: {
        ...(await configure(found, props, ours, state, services, call)),
        ...identityOf(state),
      },
    }));
  },

  delete: (_id, props, services, call) => restore(props as unknown as State, services, call),
};

const wantedInterface = (props: NodeConfigProps): string => String(wantedFields(props).deploy_interface);

export { restore } from "./restore.ts";
