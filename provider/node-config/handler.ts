/** BaremetalNodeConfig in the provider process. */

import { ProblemError, withCode } from "../core/index.ts";
import {
  type Claimant,
  type ConfigMarker,
  configMarker,
  fail,
  heldByOther,
  heldCode,
  identityOf,
  inMaintenance,
  isMasked,
  isOfNamesake,
  isSameNode,
  markOf,
  type Node,
  nodeLabel,
  type OtherHolder,
  readNode,
} from "../node/index.ts";
import { type Call, changedArguments, defineHandler, needsIn, PartialFailure, type Services } from "../plugin/index.ts";
import { type Draft, isUnknown, known } from "../schema/index.ts";
import {
  configMarkerPatch,
  type Fields,
  fieldsPatch,
  hasOddCapabilities,
  hasOtherSettings,
  inputsOf,
  parseNodeConfig,
  readField,
  readFields,
  sameValue,
  wantedFields,
} from "./args.ts";
import { DEFAULT_DEPLOY_INTERFACE, NODE_CONFIG_ARGUMENTS, type NodeConfigProps } from "./arguments.ts";
import { settingsPreflight } from "./preflight.ts";
import { restore } from "./restore.ts";
import {
  carryOut,
  isUnwritten,
  keptOf,
  type Outputs,
  openSettingsJournal,
  otherHolderOn,
  ownAllocation,
  type State,
  stateBars,
  stateSchema,
  type Work,
} from "./work.ts";

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

const isOwn = (mark: ConfigMarker | undefined, ours: Claimant): boolean =>
  mark?.stackId === ours.stackId && mark.resourceId === ours.resourceId && !isOfNamesake(mark, ours);

async function configure(
  found: Node,
  props: NodeConfigProps,
  ours: Claimant,
  state: State | undefined,
  services: Services,
  call: Call,
): Promise<Outputs> {
  const client = await services.client();
  const wanted = wantedFields(props);
  for (const { path, feature } of needsIn(NODE_CONFIG_ARGUMENTS, props))
    await client.require(feature, `set ${path} of the node`);
  // The node's marker counts; the copy in the state is used when somebody has removed it from `extra`.
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
      const stranger = otherHolderOn(seen, ours, own ?? keptOf(seen));
      if (stranger) return heldByOther(seen, stranger);
      if (attempt.done) return { do: "done" };
      if (seen.maintenance) return inMaintenance(seen);
      const before = markerOf(seen);
      const changes = changesFor(seen, wanted, before);
      const { previous } = nextMarker(seen, wanted, before);
      const hidden = Object.keys(changes).filter((path) => path.startsWith("driver_info/") && isMasked(previous[path]));
      if (hidden.length > 0)
        return fail(
          "driver-info-hidden",
          `Ironic hides the value of ${hidden.join(" and ")} of node ${nodeLabel(seen)}, so it could not be restored`,
          "Nothing was written. Remove it here, and set it with Ironic's own client",
        );
      if (hasOddCapabilities(seen) && Object.keys(changes).some((path) => path.startsWith("capabilities/")))
        return fail(
          "capabilities-malformed",
          `properties.capabilities of node ${nodeLabel(seen)} does not have the form key:value,key:value, so nothing can be added to it`,
          "Nothing was written. Correct it with Ironic's own client, or remove capabilities here",
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
    const begun = isOwn(stood, ours);
    // An answer that is lost, or not waited for, does not make the node forget: what was there before must stay known. What a
    // run that was killed had written is ours.
    if (state || !(journal.attempt.writesSent > 0 || begun)) throw error;
    const known = outputsOf(found, journal.attempt.writesSent > 0 ? sent : stood);
    throw new PartialFailure(found.uuid, { ...known, ...(!begun && { unsure: true }) }, error as Error);
  }
}

/** Tells the deployments of this program how the settings of this node went. */
async function settling<T>(nodes: (string | undefined)[], { run }: Services, work: () => Promise<T>): Promise<T> {
  for (const node of nodes) if (node !== undefined) run.settings.begin(node);
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
        code: "settings-not-ready",
        problem: `The BaremetalNodeConfig of node ${nodes[0]} failed, so the deployment was not begun`,
        advice: "Its own message says why.",
      }),
    );
    throw error;
  }
}

/** For the deployments of this program. */
function planned(node: string, draft: Draft<NodeConfigProps>) {
  const { deployInterface, bootInterface, automatedCleaning, resourceName } = draft;
  return {
    node,
    resourceName: known(resourceName),
    deployInterface: isUnknown(deployInterface) ? undefined : (deployInterface ?? DEFAULT_DEPLOY_INTERFACE),
    bootInterface: known(bootInterface),
    automatedCleaning: known(automatedCleaning),
    uncertain: [deployInterface, bootInterface, automatedCleaning].some(isUnknown),
  };
}

export const nodeConfigHandler = defineHandler<NodeConfigProps, Outputs, State>({
  type: "BaremetalNodeConfig",
  secretOutputs: [],
  inputs: parseNodeConfig,
  state: stateSchema,

  async check(olds, { value }, services, call) {
    const changed = !olds || changedArguments(NODE_CONFIG_ARGUMENTS, olds, value).length > 0;
    const failures = changed ? await settingsPreflight(value, services, call, olds) : [];
    const node = known(value.node);
    if (failures.length === 0 && node !== undefined) services.run.settings.add(planned(node, value));
    return { failures };
  },

  async diff(state, { value }, services, { signal }) {
    const node = known(value.node);
    if (node !== undefined) services.run.settings.begin(node);
    const isSame = node !== undefined && (await isSameNode(state, node, services.client, signal));
    const changes = !isSame || state.drift !== undefined || hasOtherSettings(state, value);
    // There will be no update to wait for, even if others have changed the node since.
    if (!changes) services.run.settings.settle(node);
    return { changes, replaces: isSame ? [] : ["node"] };
  },

  create: (props, services, call) =>
    settling([props.node], services, async () => {
      const client = await services.client();
      const node = await readNode(client, props.node, "find the node", call.signal);
      const ours: Claimant = { ...identityOf(props), isNew: true };
      const outs = await configure(node, props, ours, undefined, services, call);
      return { id: node.uuid, outs };
    }),

  async read(id, state, services, call) {
    const client = await services.client();
    const node = await readNode(client, state.nodeUuid, "refresh the node's settings", call.signal);
    const inputs = inputsOf(state, readFields(node, Object.keys(wantedFields(state))));
    const ours = identityOf(state);
    const own = await ownAllocation(client, node, ours, call.signal);
    const drift = driftOf(node, otherHolderOn(node, ours, own ?? keptOf(node)));
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

  async update(_id, state, props, services, call) {
    const ours = identityOf(state);
    const client = await services.client();
    const found = await readNode(client, state.nodeUuid, "read the node", call.signal);
    return settling([props.node, state.nodeName, state.nodeUuid], services, async () => ({
      outs: { ...(await configure(found, props, ours, state, services, call)), ...ours },
    }));
  },

  delete: (_id, state, services, call) => restore(state, services, call),
});

/** What refresh finds to be different from what was written. */
function driftOf(node: Node, stranger: OtherHolder | undefined): string | undefined {
  if (stranger) return withCode(`held by ${stranger.who}`, heldCode(stranger));
  return configMarker(node) ? undefined : withCode("the marker in extra was removed", "drift-claim-removed");
}

export { restore } from "./restore.ts";
