/** RamdiskDeployment in the provider process. */

import { isNodeGone } from "../core/index.ts";
import {
  type Claim,
  identityOf,
  instanceUuidFor,
  isRunning,
  isSameNode,
  isTaken,
  type Node,
  readNode,
} from "../node/index.ts";
import { type Call, type Handler, PartialFailure, type Props, type Services } from "../plugin/index.ts";
import { hasUnknown } from "../schema/index.ts";
import { adopt, instanceToAdopt } from "./adoption.ts";
import { checkDeployment, type DeploymentProps, timeoutMsOf } from "./args.ts";
import { bringUp } from "./bring-up.ts";
import { preflight } from "./preflight.ts";
import { release } from "./release.ts";
import { warnOfRestart } from "./restart.ts";
import { claimFrom, driftOf, hasWork, INPUTS, isInput, liveInputs, outputsOf, type State, same } from "./state.ts";

const asProps = (value: object): Props => value as Props;

/** `found` once the settings that this program has for it stand. */
async function settled(found: Node, props: DeploymentProps, services: Services, call: Call): Promise<Node> {
  const { signal } = call;
  const stale = await services.run.settings.whenSettled(found, {
    clock: services.clock,
    signal,
    timeoutMs: timeoutMsOf(props, call),
  });
  return stale ? readNode(await services.client(), found.uuid, "read the node", signal) : found;
}

export const deploymentHandler: Handler = {
  secretOutputs: ["configDrive", "driveHash"],

  async check(olds, news, services, call) {
    const { props, failures } = checkDeployment(news);
    if (failures.length > 0) return { inputs: news, failures };
    const changed = !olds || INPUTS.some((key) => !same((olds as Partial<State>)[key], props[key]));
    return { inputs: news, failures: changed ? await preflight(props, services, call, olds) : [] };
  },

  async diff(_id, olds, news, services, { signal }) {
    const state = olds as unknown as State;
    const props = news as unknown as DeploymentProps;
    const replaces: string[] = [];
    if (hasUnknown(props.node) || !(await isSameNode(state, props.node, services.client, signal)))
      replaces.push("node");
    if (!same(state.allocation, props.allocation)) replaces.push("allocation");
    return { changes: replaces.length > 0 || hasWork(state, props), replaces, deleteBeforeReplace: true };
  },

  async create(inputs, services, call) {
    const { props } = checkDeployment(inputs);
    const client = await services.client();
    const found = await readNode(client, props.node, "find the node", call.signal);
    const claim: Claim = {
      ...identityOf(props),
      instanceUuid: props.allocation ?? instanceToAdopt(props) ?? instanceUuidFor({ ...props, nodeUuid: found.uuid }),
    };
    const node = await settled(found, props, services, call).catch((error: Error) => {
      // Whether a machine may be adopted is not known yet.
      if (props.adopt !== undefined || !isTaken(found, claim)) throw error;
      throw new PartialFailure(claim.instanceUuid, asProps(outputsOf(found, claim)), error);
    });
    const outputs =
      props.adopt === undefined
        ? await bringUp(node, props, claim, undefined, services, call)
        : await adopt(node, props, claim, services, call);
    return { id: outputs.instanceUuid, outs: asProps(outputs) };
  },

  async read(id, props, services, call) {
    const state = props as unknown as State;
    const client = await services.client();
    let node: Node;
    try {
      node = await readNode(client, state.nodeUuid, "refresh the deployment", call.signal);
    } catch (error) {
      if (isNodeGone(error)) return undefined;
      throw error;
    }
    // An input that the node no longer shows must not live on in the outputs, or no update would bring it back.
    const rest = Object.fromEntries(Object.entries(state).filter(([key]) => key !== "drift" && !isInput(key)));
    const drift = await driftOf(node, state, services.run.slowHash);
    await warnOfRestart(node, state, services, call);
    const inputs = liveInputs(node, state);
    const outputs = outputsOf(node, claimFrom(state), {
      ...(state.deployedAt !== undefined && !isRunning(node) && { deployedAt: state.deployedAt }),
    });
    return { id, props: { ...rest, ...inputs, ...outputs, ...(drift !== undefined && { drift }) }, inputs };
  },

  async update(_id, olds, news, services, call) {
    const state = olds as unknown as State;
    const { props } = checkDeployment(news);
    const client = await services.client();
    const found = await readNode(client, state.nodeUuid, "read the node", call.signal);
    const node = await settled(found, props, services, call);
    await warnOfRestart(node, state, services, call);
    const claim = claimFrom(state);
    const outputs = await bringUp(node, props, claim, state, services, call);
    return {
      outs: asProps({
        ...outputs,
        ...identityOf(state),
        ...(state.adopted && { adopted: true }),
      }),
    };
  },

  delete: (_id, props, services, call) => release(props as unknown as State, services, call),
};

export { checkDeployment } from "./args.ts";
