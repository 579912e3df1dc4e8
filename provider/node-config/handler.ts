/** BaremetalNodeConfig in the provider process. */

import { ProblemError, withCode } from "../core/index.ts";
import {
  type Claimant,
  configMarker,
  heldCode,
  identityOf,
  isSameNode,
  type Node,
  type OtherHolder,
} from "../node/index.ts";
import { changedArguments, defineHandler, type Services } from "../plugin/index.ts";
import { type Draft, isUnknown, known } from "../schema/index.ts";
import { hasOtherSettings, inputsOf, parseNodeConfig, readFields, wantedFields } from "./args.ts";
import { DEFAULT_DEPLOY_INTERFACE, NODE_CONFIG_ARGUMENTS, type NodeConfigProps } from "./arguments.ts";
import { configure } from "./configure.ts";
import { otherHolderOn, witnessFor } from "./holders.ts";
import { settingsPreflight } from "./preflight.ts";
import { restore } from "./restore.ts";
import { isUnwritten, type Outputs, type State, stateSchema } from "./work.ts";

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
      const { readings } = await services.connection();
      const node = await readings.read(props.node, "find the node", call.signal);
      const ours: Claimant = { ...identityOf(props), isNew: true };
      const outs = await configure(node, props, ours, undefined, services, call);
      return { id: node.uuid, outs };
    }),

  async read(id, state, services, call) {
    const { readings } = await services.connection();
    const node = await readings.read(state.nodeUuid, "refresh the node's settings", call.signal);
    const inputs = inputsOf(state, readFields(node, Object.keys(wantedFields(state))));
    const ours = identityOf(state);
    const drift = driftOf(node, otherHolderOn(node, ours, await witnessFor(node, ours, true, services, call)));
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
    const { readings } = await services.connection();
    const found = await readings.read(state.nodeUuid, "read the node", call.signal);
    return settling([props.node, state.nodeName, state.nodeUuid], services, async () => ({
      outs: { ...(await configure(found, props, ours, state, services, call)), ...ours },
    }));
  },

  delete: async (_id, state, services, call) => {
    await restore(state, services, call);
  },
});

/** What refresh finds to be different from what was written. */
function driftOf(node: Node, stranger: OtherHolder | undefined): string | undefined {
  if (stranger) return withCode(`held by ${stranger.who}`, heldCode(stranger));
  return configMarker(node) ? undefined : withCode("the marker in extra was removed", "drift-claim-removed");
}

export { restoreByMark } from "./restore.ts";
