/** RamdiskDeployment in the provider process. */
import {
  type Claim,
  type DeploymentMarker,
  driveFingerprint,
  holderOf,
  infoMatches,
  instanceUuidFor,
  markerPatch,
} from "./claim.ts";
import type { Client } from "./client.ts";
import {
  type Decision,
  type DeployWant,
  decideDeploy,
  decideRelease,
  fail,
  freshMemory,
  infoFor,
  type Memory,
  nextMethod,
  nodeLabel,
} from "./decision.ts";
import {
  checkDeployment,
  DEFAULT_TIMEOUT_SECONDS,
  type DeploymentProps,
  driveSha256,
  driveValue,
  instanceInfo,
  undeployTimeoutSeconds,
} from "./deployment-args.ts";
import { loadDriveContent } from "./drive-source.ts";
import { type IronicError, isAnswer, ProblemError } from "./errors.ts";
import { type Call, type Handler, PartialFailure, type Props, type Services } from "./handler.ts";
import { createMachine, infoOf } from "./machine.ts";
import { failureCause, type Node, type PatchOp, patchNode, putPowerOn, readNode } from "./node.ts";
import { pollerOf } from "./poller.ts";
import { preflight } from "./preflight.ts";
import { awaitReadiness } from "./readiness.ts";
import { reconcile } from "./reconcile.ts";
import { hasUnknown } from "./schema.ts";
import { awaitSettings } from "./settings.ts";
import { stateFacts, stateName } from "./states.ts";

/** What the state holds of a deployment beside its inputs. */
interface Outputs {
  nodeUuid: string;
  nodeName?: string | undefined;
  instanceUuid: string;
  provisionState: string;
  powerState: string;
  /** When the machine became active, as Ironic's clock says. */
  deployedAt?: string | undefined;
  configDriveSha256?: string | undefined;
  /** `false` while the readiness probe has not been answered. */
  ready?: boolean | undefined;
  adopted?: boolean | undefined;
  /** What refresh found to be different from what was deployed. */
  drift?: string | undefined;
}

type State = DeploymentProps & Outputs;

/** Inputs whose change has to reach the machine or the node. */
const DECLARED = [
  "kernel",
  "ramdisk",
  "bootIso",
  "kernelArguments",
  "configDrive",
  "timeoutSeconds",
  "undeployTimeoutSeconds",
  "updateStrategy",
  "onDestroy",
  "powerPolicy",
  "protected",
  "readiness",
] as const satisfies readonly (keyof DeploymentProps)[];

const INPUTS = ["node", "allocation", "adopt", "owner", "resourceName", ...DECLARED] as const;

const isInput = (key: string): boolean => (INPUTS as readonly string[]).includes(key);

const asProps = (value: object): Props => value as Props;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

const shaOf = (drive: DeploymentProps["configDrive"]): string | undefined =>
  drive === undefined ? undefined : driveSha256(drive);

function outputsOf(node: Node, claim: Claim, extra: Partial<Outputs> = {}): Outputs {
  return {
    nodeUuid: node.uuid,
    nodeName: node.name ?? undefined,
    instanceUuid: claim.instanceUuid,
    provisionState: stateName(node.provision_state),
    powerState: node.power_state ?? "unknown",
    ...(node.provision_state === "active" && { deployedAt: node.provision_updated_at ?? undefined }),
    ...extra,
  };
}

const timeoutMsOf = (props: DeploymentProps): number => (props.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000;

const waitingOf = (props: DeploymentProps, { clock }: Services, { signal }: Call) => ({
  clock,
  signal,
  timeoutMs: timeoutMsOf(props),
});

/** Does the deployment stay on the machine when it leaves the state? What was adopted stays unless said otherwise. */
const keeps = ({ onDestroy }: Pick<DeploymentProps, "onDestroy">, adopted = false): boolean =>
  (onDestroy ?? (adopted ? "keep" : "undeploy")) === "keep";

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
  if (props.configDrive !== undefined) await requireDriveSupport(client, props.configDrive);
  if (props.protected) await client.require("protected", "protect the deployment");
  const want: DeployWant = {
    claim,
    info: instanceInfo(props, !(await client.supports("ramdiskWithoutImageSource"))),
    drive,
    driveUnchanged: olds !== undefined && olds.configDriveSha256 === sha256,
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
      keep: want.keep,
      loadDrive: () => loadDriveContent(props.configDrive, call.signal),
      protected: want.protected,
    },
    allocated: props.allocation !== undefined,
  });
  const timeoutMs = timeoutMsOf(props);
  const since = node.provision_updated_at ?? undefined;
  try {
    const { node: active } = await reconcile({
      machine,
      decide: (seen, mind) => decideDeploy(seen, want, mind),
      memory,
      clock: services.clock,
      random: services.random,
      signal: call.signal,
      timeoutMs: Math.min(timeoutMs, call.timeoutMs ?? timeoutMs),
      onProgress: call.progress,
      cause: (seen) => failureCause(client, seen, since, call.signal),
      trouble: pollerOf(client, services.clock, services.random).trouble,
      onRejected: (action, seen, error) =>
        action === "rebuild" && rebuildRefused(seen, want, memory, error, client, call),
    });
    const powered = props.powerPolicy === "on" ? await powerOn(client, active, services, call, timeoutMs) : active;
    const outputs = outputsOf(powered, claim, { configDriveSha256: sha256 });
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
    // Nothing of ours is there: the state must not say that it is.
    if (!olds && !memory.touched) throw error;
    if (!olds && holderOf(seen, claim).kind === "other") throw error;
    if (olds && !memory.touched) throw error;
    // Whether the new drive got to the machine is not sure; the state goes on with the old one.
    const configDriveSha256 = olds ? olds.configDriveSha256 : sha256;
    throw new PartialFailure(
      claim.instanceUuid,
      asProps(outputsOf(seen, claim, { configDriveSha256 })),
      error as Error,
    );
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
  const avoided = props.ramdisk !== undefined && node.instance_info.image_source === props.ramdisk;
  return avoided || (faulty.has(client) && props.ramdisk !== undefined) ? "rebuildWithSource" : "rebuild";
};

/** The server cannot do a rebuild that other versions do: go on with the next way, and say so. */
function rebuildRefused(node: Node, want: DeployWant, memory: Memory, error: IronicError, client: Client, call: Call) {
  if (error.answer !== "serverError") return false;
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

async function requireDriveSupport(client: Client, value: string | Props): Promise<void> {
  const drive = driveValue(value);
  if (!("json" in drive)) return;
  await client.require("configDriveJson", "send the config drive as JSON");
  if ("vendor_data" in drive.json) await client.require("vendorData", "send vendor data in the config drive");
}

async function powerOn(client: Client, node: Node, services: Services, call: Call, timeoutMs: number): Promise<Node> {
  if (node.power_state === "power on") return node;
  call.warn(
    `Node ${nodeLabel(node)} was ${node.power_state ?? "in an unknown power state"}; powering it on (powerPolicy: "on").`,
  );
  await putPowerOn(client, node.uuid, call.signal);
  const poller = pollerOf(client, services.clock, services.random);
  const startedAt = services.clock.now();
  for (let seen = node; ; ) {
    if (seen.power_state === "power on") return seen;
    if (services.clock.now() - startedAt > timeoutMs)
      throw new ProblemError({
        problem: `Node ${nodeLabel(node)} did not power on within ${timeoutMs / 1000} s`,
        advice: "See its management controller, then run `pulumi up` again.",
      });
    seen = { ...seen, ...(await poller.next(node.uuid, startedAt, call.signal)) };
  }
}

/** Why `node` may not be adopted as `claim`; nothing if it may, or is already. */
function adoptionBar(node: Node, claim: Claim, expected: string | null, props: DeploymentProps): string | undefined {
  const holder = holderOf(node, claim);
  if (holder.kind === "other" && (holder.who !== `instance ${node.instance_uuid}` || node.instance_uuid !== expected))
    return `it is held by ${holder.who}`;
  if (node.instance_uuid !== expected && !(holder.kind === "ours" && holder.marker))
    return `its instance_uuid is ${node.instance_uuid ?? "unset"}, expected ${expected ?? "none"}`;
  if (node.provision_state !== "active") return `it is "${stateName(node.provision_state)}", not active`;
  if (node.maintenance) return "it is in maintenance";
  const info = instanceInfo(props, false);
  if (infoMatches(node, info)) return undefined;
  const actual = infoOf(node) as Record<string, string>;
  const wanted = info as Record<string, string>;
  const keys = new Set([...Object.keys(actual), ...Object.keys(wanted)]);
  return `instance_info differs in ${[...keys].filter((key) => actual[key] !== wanted[key]).join(", ")}`;
}

/** Takes a running deployment under management: only the claim is written. */
async function adopt(found: Node, props: DeploymentProps, services: Services, call: Call): Promise<Outputs> {
  const client = await services.client();
  const expected = props.adopt === "unclaimed" ? null : (props.adopt ?? null);
  const instanceUuid = expected ?? instanceUuidFor(props.owner, props.resourceName, found.uuid);
  const claim: Claim = { owner: props.owner, resource: props.resourceName, instanceUuid };
  const sha256 = shaOf(props.configDrive);
  const marker: DeploymentMarker = {
    ...claim,
    ...(sha256 !== undefined && { drive: await driveFingerprint(sha256, instanceUuid) }),
    keep: keeps(props, true),
    after: "adopted",
  };
  const decide = (node: Node): Decision<"adopt"> => {
    const bar = adoptionBar(node, claim, expected, props);
    const advice = "Nothing was written. Correct the program so that it describes what runs there";
    if (bar) return fail(`Node ${nodeLabel(node)} cannot be adopted: ${bar}`, advice);
    const holder = holderOf(node, claim);
    return holder.kind === "ours" && holder.marker ? { do: "done" } : { do: "act", action: "adopt" };
  };
  const take = (node: Node): PatchOp[] => [
    ...(node.instance_uuid ? [] : [{ op: "add" as const, path: "/instance_uuid", value: instanceUuid }]),
    ...markerPatch(marker),
  ];
  let unused = true;
  const { node } = await reconcile<"adopt", undefined>({
    machine: {
      async observe(_how, signal) {
        const node = unused ? found : await readNode(client, found.uuid, "read the node", signal);
        unused = false;
        return { node, fresh: true };
      },
      act: (_action, node, _mind, signal) =>
        patchNode(client, node.uuid, take(node), "adopt the running deployment", signal),
    },
    decide,
    memory: undefined,
    clock: services.clock,
    random: services.random,
    signal: call.signal,
    timeoutMs: timeoutMsOf(props),
    onProgress: call.progress,
    cause: async () => "",
    trouble: () => undefined,
  });
  return outputsOf(node, claim, { configDriveSha256: sha256, adopted: true });
}

function claimFrom(state: State): Claim {
  return { owner: state.owner, resource: state.resourceName, instanceUuid: state.instanceUuid };
}

/** Does `name` name the node that the state knows by UUID? Asked only when a program spells it anew. */
async function isSameNode(state: State, name: string, services: Services): Promise<boolean> {
  if ([state.node, state.nodeUuid, state.nodeName].includes(name)) return true;
  try {
    const client = await services.client();
    const { uuid } = await readNode(client, name, "see whether it is the same node");
    return uuid === state.nodeUuid;
  } catch {
    return false;
  }
}

/** Changes that the machine or the node has to see, and things that are wrong with what is there. */
function hasWork(state: State, news: DeploymentProps): boolean {
  if (state.provisionState !== "active" || state.drift !== undefined || state.ready === false) return true;
  if (news.powerPolicy === "on" && state.powerState === "power off") return true;
  return DECLARED.some((key) =>
    key === "configDrive"
      ? hasUnknown(news.configDrive) || shaOf(news.configDrive) !== shaOf(state.configDrive)
      : !same(news[key], state[key]),
  );
}

/** What a reader of the state should know of a node that is not as it was left. */
async function driftOf(node: Node, state: State): Promise<string | undefined> {
  const claim = claimFrom(state);
  const holder = holderOf(node, claim);
  if (holder.kind === "other") return `held by ${holder.who}`;
  if (holder.kind === "free") return node.provision_state === "active" ? "the claim was removed" : "undeployed";
  if (holder.kind === "marked")
    return stateFacts(node.provision_state)?.deploy === "begin" ? "undeployed" : "instance_uuid was removed";
  if (!holder.marker) return "the marker in extra was removed";
  const sha256 = state.configDriveSha256;
  const drive = sha256 === undefined ? undefined : await driveFingerprint(sha256, claim.instanceUuid);
  const notes = [
    ...(node.maintenance ? [`in maintenance${node.fault ? ` (${node.fault})` : ""}`] : []),
    ...(holder.marker.drive !== drive ? ["another config drive was sent"] : []),
    ...(node.provision_state === "active" &&
    "configdrive" in node.instance_info !== (drive !== undefined) &&
    !state.adopted
      ? ["the config drive is not the one that was sent"]
      : []),
  ];
  return notes.length > 0 ? notes.join("; ") : undefined;
}

/** The declared inputs with what the node says laid over them, so that the engine shows what changed. */
function liveInputs(node: Node, state: State): Props {
  const inputs: Props = Object.fromEntries(
    INPUTS.filter((key) => state[key] !== undefined).map((key) => [key, state[key]]),
  );
  if (holderOf(node, claimFrom(state)).kind !== "ours" || node.provision_state !== "active") return inputs;
  const info = infoOf(node);
  const live = {
    kernel: info.kernel,
    ramdisk: info.ramdisk,
    bootIso: info.boot_iso,
    kernelArguments: info.ramdisk_kernel_arguments,
  };
  for (const [key, value] of Object.entries(live)) {
    if (value === undefined && (inputs[key] === undefined || inputs[key] === "")) continue;
    if (value === undefined) delete inputs[key];
    else inputs[key] = value;
  }
  if (state.protected !== undefined) inputs.protected = node.protected ?? false;
  return inputs;
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
      allocated: state.allocation !== undefined,
    });
    const { node: released, remark } = await reconcile({
      machine,
      decide: (seen, mind): Decision =>
        decideRelease(seen, { claim, allocated: state.allocation !== undefined, keep }, mind),
      memory,
      clock: services.clock,
      random: services.random,
      signal: call.signal,
      timeoutMs: Math.min(timeoutMs, call.timeoutMs ?? timeoutMs),
      onProgress: call.progress,
      cause: (seen) => failureCause(client, seen, node.provision_updated_at ?? undefined, call.signal),
      trouble: pollerOf(client, services.clock, services.random).trouble,
    });
    if (remark) call.warn(`Node ${nodeLabel(released)} ${remark}.`);
  } catch (error) {
    if (isAnswer(error, "nodeGone")) return;
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

  async diff(_id, olds, news, services) {
    const state = olds as unknown as State;
    const props = news as unknown as DeploymentProps;
    const replaces: string[] = [];
    if (hasUnknown(props.node) || !(await isSameNode(state, props.node, services))) replaces.push("node");
    if (!same(state.allocation, props.allocation)) replaces.push("allocation");
    return { changes: replaces.length > 0 || hasWork(state, props), replaces, deleteBeforeReplace: true };
  },

  async create(inputs, services, call) {
    const { props } = checkDeployment(inputs);
    const client = await services.client();
    let node = await readNode(client, props.node, "find the node", call.signal);
    if (await awaitSettings(node, waitingOf(props, services, call)))
      node = await readNode(client, node.uuid, "read the node", call.signal);
    const claim: Claim = {
      owner: props.owner,
      resource: props.resourceName,
      instanceUuid: props.allocation ?? instanceUuidFor(props.owner, props.resourceName, node.uuid),
    };
    const outputs =
      props.adopt === undefined
        ? await bringUp(node, props, claim, undefined, services, call)
        : await adopt(node, props, services, call);
    return { id: outputs.instanceUuid, outs: asProps(outputs) };
  },

  async read(id, props, services, call) {
    const state = props as unknown as State;
    const client = await services.client();
    let node: Node;
    try {
      node = await readNode(client, state.nodeUuid, "refresh the deployment", call.signal);
    } catch (error) {
      if (isAnswer(error, "nodeGone")) return undefined;
      throw error;
    }
    // An input that the node no longer shows must not live on in the outputs, or no update would bring it back.
    const rest = Object.fromEntries(Object.entries(state).filter(([key]) => key !== "drift" && !isInput(key)));
    const drift = await driftOf(node, state);
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
    let node = await readNode(client, state.nodeUuid, "read the node", call.signal);
    if (await awaitSettings(node, waitingOf(props, services, call)))
      node = await readNode(client, node.uuid, "read the node", call.signal);
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
