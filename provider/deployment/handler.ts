/** RamdiskDeployment in the provider process. */

import { identityOf, isRunning, isSameNode, isTaken, type Node } from "../node/index.ts";
import {
  type Call,
  changedArguments,
  defineHandler,
  PartialFailure,
  type Services,
  undeclaredIn,
} from "../plugin/index.ts";
import { known } from "../schema/index.ts";
import { adopt } from "./adoption.ts";
import { parseDeployment } from "./args.ts";
import { DEPLOYMENT_ARGUMENTS, type DeploymentProps } from "./arguments.ts";
import { bringUp } from "./bring-up.ts";
import { preflight } from "./preflight.ts";
import { release } from "./release.ts";
import { warnOfRestart } from "./restart.ts";
import { SECRET_OUTPUTS } from "./secrets.ts";
import { claimFrom, driftOf, hasWork, liveInputs, type Outputs, outputsOf, type State, stateSchema } from "./state.ts";
import { type DeploymentPlan, deadlinesOf, planFor } from "./want.ts";

/** `found` once the settings that this program has for it stand. */
async function settled(found: Node, { deadline }: DeploymentPlan, services: Services, { signal }: Call): Promise<Node> {
  const timeoutMs = deadline.leftMs();
  const stale = await services.run.settings.whenSettled(found, { clock: services.clock, signal, timeoutMs });
  return stale ? (await services.connection()).readings.read(found.uuid, "read the node", signal) : found;
}

export const deploymentHandler = defineHandler<DeploymentProps, Outputs, State>({
  type: "RamdiskDeployment",
  secretOutputs: SECRET_OUTPUTS,
  inputs: parseDeployment,
  state: stateSchema,

  async check(olds, { value }, services, call) {
    const changed = !olds || changedArguments(DEPLOYMENT_ARGUMENTS, olds, value).length > 0;
    return { failures: changed ? await preflight(value, services, call, olds) : [] };
  },

  async diff(state, { value }, services, { signal }) {
    services.run.instances.hold(state.nodeUuid, state.instanceUuid);
    const replaces = changedArguments(DEPLOYMENT_ARGUMENTS, state, value, "replaces").filter((key) => key !== "node");
    const node = known(value.node);
    if (node === undefined || !(await isSameNode(state, node, services.client, signal))) replaces.unshift("node");
    return { changes: replaces.length > 0 || hasWork(state, value), replaces };
  },

  async create(props, services, call) {
    const deadlines = deadlinesOf(props, call, services.clock);
    const { readings } = await services.connection();
    const found = await readings.read(props.node, "find the node", call.signal);
    const plan = await planFor(found.uuid, props, undefined, deadlines, services, call);
    const { claim } = plan.want;
    const node = await settled(found, plan, services, call).catch((error: Error) => {
      // Whether a machine may be adopted is not known yet.
      if (props.adopt !== undefined || !isTaken(found, claim)) throw error;
      throw new PartialFailure(claim.instanceUuid, outputsOf(found, claim), error);
    });
    const outs =
      props.adopt === undefined
        ? await bringUp(node, plan, services, call)
        : await adopt(node, props, claim, plan, services, call);
    return { id: outs.instanceUuid, outs };
  },

  async read(id, state, services, call) {
    services.run.instances.hold(state.nodeUuid, state.instanceUuid);
    const { readings } = await services.connection();
    const node = await readings.read(state.nodeUuid, "refresh the deployment", call.signal);
    // An input that the node no longer shows must not live on in the outputs, or no update would bring it back.
    const { drift: _before, ...rest } = undeclaredIn(DEPLOYMENT_ARGUMENTS, state);
    const drift = await driftOf(node, state, services.run.slowHash);
    await warnOfRestart(node, state, call.timeoutMs ?? Number.POSITIVE_INFINITY, services, call);
    const inputs = liveInputs(node, state);
    const outputs = outputsOf(node, claimFrom(state), {
      ...(state.deployedAt !== undefined && !isRunning(node) && { deployedAt: state.deployedAt }),
    });
    return { id, props: { ...rest, ...inputs, ...outputs, ...(drift !== undefined && { drift }) }, inputs };
  },

  async update(_id, state, props, services, call) {
    const deadlines = deadlinesOf(props, call, services.clock);
    const { readings } = await services.connection();
    const found = await readings.read(state.nodeUuid, "read the node", call.signal);
    const plan = await planFor(state.nodeUuid, props, state, deadlines, services, call);
    const node = await settled(found, plan, services, call);
    await warnOfRestart(node, state, plan.deadline.leftMs(), services, call);
    const outputs = await bringUp(node, plan, services, call);
    return { outs: { ...outputs, ...identityOf(state), ...(state.adopted && { adopted: true }) } };
  },

  delete: async (_id, state, services, call) => {
    await release(state, services, call);
  },
});

export { parseDeployment } from "./args.ts";
export { release } from "./release.ts";
