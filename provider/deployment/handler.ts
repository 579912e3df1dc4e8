/** RamdiskDeployment in the provider process. */

import { type IronicError, isFault, isNodeGone, ProblemError } from "../core/index.ts";
import { loadDriveContent } from "../drive/index.ts";
import type { Client } from "../http/index.ts";
import {
  bootsOf,
  type Claim,
  configMarker,
  type Decision,
  driveFingerprint,
  failureCause,
  hidesBoots,
  holderOf,
  instanceUuidFor,
  isSameNode,
  isTaken,
  type Node,
  nodeLabel,
  pollerOf,
  putPowerOn,
  type ReconcileOptions,
  readNode,
  recallStart,
  reconcile,
  shows,
  startedOf,
  stateFacts,
  TimeoutError,
  wait,
} from "../node/index.ts";
import { awaitSettings, restore } from "../node-config/handler.ts";
import { type Call, type Handler, PartialFailure, type Props, type Services } from "../plugin/index.ts";
import { hasUnknown } from "../schema/index.ts";
import { adopt, instanceToAdopt } from "./adoption.ts";
import {
  checkDeployment,
  type DeploymentProps,
  instanceInfo,
  keeps,
  timeoutMsOf,
  undeployTimeoutSeconds,
} from "./args.ts";
import { type ActionName, type DeployWant, freshMemory, type Memory } from "./attempt.ts";
import { decideDeploy, decideRelease, infoFor, nextMethod } from "./decision.ts";
import { createMachine, type DeployMachine } from "./machine.ts";
import { needsOf, preflight } from "./preflight.ts";
import { awaitReadiness } from "./readiness.ts";
import {
  claimFrom,
  driftOf,
  hasWork,
  INPUTS,
  isInput,
  liveInputs,
  type Outputs,
  outputsOf,
  type State,
  same,
  shaOf,
} from "./state.ts";

const asProps = (value: object): Props => value as Props;

/** `found` once the settings that this program has for it stand. */
async function settled(found: Node, props: DeploymentProps, services: Services, call: Call): Promise<Node> {
  const { signal } = call;
  const stale = await awaitSettings(found, { clock: services.clock, signal, timeoutMs: timeoutMsOf(props, call) });
  return stale ? readNode(await services.client(), found.uuid, "read the node", signal) : found;
}

/** All that create and update share: bring `node` to run what `props` say. */
async function bringUp(
  node: Node,
  props: DeploymentProps,
  claim: Claim,
  olds: State | undefined,
  services: Services,
  call: Call,
): Promise<Outputs> {
  const client = await services.client();
  const sha256 = shaOf(props.configDrive);
  const drive = sha256 === undefined ? undefined : await driveFingerprint(sha256, claim.instanceUuid);
  for (const { path, feature } of needsOf(props)) await client.require(feature, `deploy with ${path}`);
  const info = instanceInfo(props, !(await client.supports("ramdiskWithoutImageSource")));
  const boots = bootsOf(info);
  const last = olds?.started?.boots === boots && olds.configDriveSha256 === sha256 ? olds.started : undefined;
  const want: DeployWant = {
    claim,
    info,
    drive,
    last,
    protected: props.protected ?? false,
    keep: keeps(props, olds?.adopted),
    updateStrategy: props.updateStrategy ?? "rebuild",
  };
  const memory = freshMemory(firstMethod(client, node, props));
  const machine = createMachine({
    client,
    clock: services.clock,
    random: services.random,
    initial: node,
    uuid: node.uuid,
    claim,
    deploy: {
      info: (memory) => infoFor(want, memory),
      drive,
      boots,
      was: olds && instanceInfo(olds, false),
      last,
      keep: want.keep,
      loadDrive: () => loadDriveContent(props.configDrive, call.signal),
      protected: want.protected,
    },
  });
  const since = node.provision_updated_at ?? undefined;
  const loop: Loop = {
    clock: services.clock,
    random: services.random,
    signal: call.signal,
    timeoutMs: timeoutMsOf(props, call),
    onProgress: call.progress,
    cause: (seen) => failureCause(client, seen, since, call.signal),
    trouble: pollerOf(client, services.clock, services.random).trouble,
  };
  try {
    const { node: active } = await reconcile({
      ...loop,
      machine,
      decide: (seen, mind) => decideDeploy(seen, want, mind),
      memory,
      onRejected: (action, seen, error) =>
        action === "rebuild" && rebuildRefused(seen, want, memory, error, client, call),
    });
    const off = props.powerPolicy === "on" && active.power_state !== "power on";
    const powered = off ? await powerOn(client, machine, loop, call) : active;
    const started = startedOf(powered, boots);
    const outputs = outputsOf(powered, claim, { configDriveSha256: sha256, started });
    if (!props.readiness) return outputs;
    try {
      await awaitReadiness(props.readiness, nodeLabel(powered), services.clock, call.signal, call.progress);
    } catch (error) {
      throw new PartialFailure(claim.instanceUuid, asProps({ ...outputs, ready: false }), error as Error);
    }
    return { ...outputs, ready: true };
  } catch (error) {
    if (error instanceof PartialFailure) throw error;
    const seen = machine.last();
    // Nothing of ours is there: the state must not say that it is. What a run that was killed had begun is ours.
    if (!olds && holderOf(seen, claim).kind === "other") throw error;
    if (!olds && !memory.touched && !isTaken(seen, claim)) throw error;
    if (olds && !memory.touched) throw error;
    // Unless it was begun, what is new did not get to the machine; the state goes on with the old one, if any.
    const started = startedOf(seen, boots);
    const known = memory.started
      ? // The moment in the state is that of what ran before.
        { configDriveSha256: sha256, started, ...(started.at === null && { deployedAt: undefined }) }
      : { configDriveSha256: olds?.configDriveSha256, started: olds?.started };
    throw new PartialFailure(claim.instanceUuid, asProps(outputsOf(seen, claim, known)), error as Error);
  }
}

/** The fault of Ironic 39.0 that a rebuild with image_source avoids: ironic/conductor/deployments.py, start_deploy. */
const KNOWN_FAULT = /auto_lessee/;
/** Other errors of the server's may pass: only after this many is the rebuild taken to be impossible. */
const REBUILD_ERRORS_MAX = 3;
/** Clients of servers that were seen to have the fault; the next update need not meet it again. */
const faulty = new WeakSet<Client>();

const firstMethod = (client: Client, node: Node, props: DeploymentProps): Memory["method"] => {
  if (props.updateStrategy === "redeploy") return "redeploy";
  const avoided = props.ramdisk !== undefined && shows(node.instance_info.image_source, props.ramdisk);
  return avoided || (faulty.has(client) && props.ramdisk !== undefined) ? "rebuildWithSource" : "rebuild";
};

/** The server cannot do a rebuild that other versions do: go on with the next way, and say so. */
function rebuildRefused(node: Node, want: DeployWant, memory: Memory, error: IronicError, client: Client, call: Call) {
  if (error.fault !== "serverError") return false;
  memory.rebuildErrors++;
  const known = KNOWN_FAULT.test(error.detail);
  if (known) faulty.add(client);
  else if (memory.rebuildErrors < REBUILD_ERRORS_MAX) return false;
  const next = nextMethod(node, want, memory);
  const said = `Ironic answered ${error.status ?? "an error"} to the rebuild of node ${nodeLabel(node)} (${error.detail})`;
  if (next === "rebuildWithSource")
    call.warn(`${said}. Trying again with instance_info.image_source set to the ramdisk, which avoids that fault.`);
  if (next === "redeploy") call.warn(`${said}. Updating by undeploy and deploy instead.`);
  memory.method = next;
  return true;
}

type Loop = Omit<ReconcileOptions<ActionName, Memory>, "machine" | "decide" | "memory" | "onRejected">;

/** Switches the active machine on: somebody has switched it off. */
async function powerOn(client: Client, machine: DeployMachine, loop: Loop, call: Call): Promise<Node> {
  try {
    const { node } = await reconcile<"powerOn", { asked: boolean; told: boolean }>({
      ...loop,
      decide: ({ power_state }, { asked }) => {
        if (power_state === "power on") return { do: "done" };
        return asked ? wait("power on") : { do: "act", action: "powerOn" };
      },
      machine: {
        observe: machine.observe,
        async act(_action, node, mind, signal) {
          const was = node.power_state ?? "in an unknown power state";
          if (!mind.told) call.warn(`Node ${nodeLabel(node)} was ${was}; powering it on (powerPolicy: "on").`);
          mind.told = true;
          await putPowerOn(client, node.uuid, signal);
          mind.asked = true;
          return undefined;
        },
      },
      memory: { asked: false, told: false },
    });
    return node;
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const node = machine.last();
    throw new ProblemError({
      problem: `Node ${nodeLabel(node)} did not power on within ${loop.timeoutMs / 1000} s`,
      advice: "See its management controller, then run `pulumi up` again.",
      node: node.uuid,
      cause: error,
    });
  }
}

/**
 * Somebody else restarted what this stack had deployed. That is no drift: another restart would end what runs since. But
 * Ironic hides the config drive and whatever looks like a secret, so that a person has to know.
 */
async function tellRestart(node: Node, state: State, services: Services, call: Call): Promise<void> {
  if (node.provision_state !== "active" || !state.deployedAt || node.provision_updated_at === state.deployedAt) return;
  const holder = holderOf(node, claimFrom(state));
  // Another preparation than that of the last known start is this stack's own, by a run that was cut off.
  if (holder.kind !== "ours" || !holder.marker || holder.marker.after !== state.started?.after) return;
  const client = await services.client();
  // A hint: what keeps Ironic from remembering must not keep anybody from going on.
  const recalled = await recallStart(client, node.uuid, state.deployedAt, call.signal).catch((error: unknown) => {
    if (isFault(error)) return "silent";
    throw error;
  });
  if (recalled !== "start") return;
  const hidden = [
    ...(state.configDriveSha256 === undefined ? [] : ["its config drive"]),
    ...(hidesBoots(node) ? ["what has asterisks in its instance_info"] : []),
  ].join(" and ");
  call.warn(
    `Node ${nodeLabel(node)} was deployed anew, and not by this stack: it has been active since ${node.provision_updated_at}.${
      hidden && ` Ironic does not show whether ${hidden} is still this stack's.`
    } \`pulumi up --replace\` with this resource's URN deploys it once more.`,
  );
}

/** The settings of the same stack went first, and could not be restored while the machine ran. Where it stays, they wait on. */
async function restoreLeft(node: Node, { owner }: Claim, services: Services, call: Call): Promise<void> {
  const settings = configMarker(node);
  if (!settings?.left || settings.owner !== owner || !stateFacts(node.provision_state)?.interfaces) return;
  const names = { node: node.name ?? node.uuid, nodeUuid: node.uuid, resourceName: settings.resource };
  await restore({ ...settings, ...names }, services, call);
}

async function release(state: State, services: Services, call: Call): Promise<void> {
  const client = await services.client();
  const claim = claimFrom(state);
  const keep = keeps(state, state.adopted);
  const memory = freshMemory();
  try {
    const node = await readNode(client, state.nodeUuid, "read the node", call.signal);
    const timeoutMs = undeployTimeoutSeconds(state.undeployTimeoutSeconds, node.automated_clean) * 1000;
    const machine = createMachine({
      client,
      clock: services.clock,
      random: services.random,
      initial: node,
      uuid: state.nodeUuid,
      claim,
    });
    const { node: released, remark } = await reconcile({
      machine,
      decide: (seen, mind): Decision<ActionName> => decideRelease(seen, { claim, keep }, mind),
      memory,
      clock: services.clock,
      random: services.random,
      signal: call.signal,
      timeoutMs: Math.min(timeoutMs, call.timeoutMs ?? timeoutMs),
      onProgress: call.progress,
      cause: (seen) => failureCause(client, seen, node.provision_updated_at ?? undefined, call.signal),
      trouble: pollerOf(client, services.clock, services.random).trouble,
    });
    if (!remark) return await restoreLeft(released, claim, services, call);
    const settings = configMarker(released);
    const left = settings?.left && settings.owner === claim.owner;
    call.warn(
      `Node ${nodeLabel(released)} ${remark}.${left ? ` The settings that "${settings.resource}" had left to it are restored by \`pulumi-ironic claims --owner ${claim.owner} --release\` when the node is free.` : ""}`,
    );
  } catch (error) {
    if (isNodeGone(error)) return;
    throw error;
  }
}

export const deploymentHandler: Handler = {
  secretOutputs: ["configDrive", "configDriveSha256"],

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
    const { owner, resourceName } = props;
    const client = await services.client();
    const found = await readNode(client, props.node, "find the node", call.signal);
    const claim: Claim = {
      owner,
      resource: resourceName,
      instanceUuid: props.allocation ?? instanceToAdopt(props) ?? instanceUuidFor(owner, resourceName, found.uuid),
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
    const drift = await driftOf(node, state);
    await tellRestart(node, state, services, call);
    const inputs = liveInputs(node, state);
    const outputs = outputsOf(node, claimFrom(state), {
      ...(state.deployedAt !== undefined && node.provision_state !== "active" && { deployedAt: state.deployedAt }),
    });
    return { id, props: { ...rest, ...inputs, ...outputs, ...(drift !== undefined && { drift }) }, inputs };
  },

  async update(_id, olds, news, services, call) {
    const state = olds as unknown as State;
    const { props } = checkDeployment(news);
    const client = await services.client();
    const found = await readNode(client, state.nodeUuid, "read the node", call.signal);
    const node = await settled(found, props, services, call);
    await tellRestart(node, state, services, call);
    const claim = claimFrom(state);
    const outputs = await bringUp(node, props, claim, state, services, call);
    return {
      outs: asProps({
        ...outputs,
        owner: state.owner,
        resourceName: state.resourceName,
        ...(state.adopted && { adopted: true }),
      }),
    };
  },

  delete: (_id, props, services, call) => release(props as unknown as State, services, call),
};

export { checkDeployment } from "./args.ts";
