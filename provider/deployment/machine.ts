/** A node as the reconcile loop sees it: two methods, backed by Ironic. */

import type { Clock } from "../core/index.ts";
import { isRefusal, ProblemError } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import type { Machine, Sight, Verb } from "../node/index.ts";
import {
  bootsOf,
  type Claim,
  claimPatch,
  clearMaintenance,
  type DeploymentMarker,
  deploymentMarker,
  handOverPatch,
  hidesBoots,
  type InstanceInfo,
  infoMatches,
  infoOf,
  markerPatch,
  type Node,
  nodeLabel,
  type PatchOp,
  patchNode,
  pollerOf,
  putProvision,
  readNode,
  recallStart,
  type Started,
  shows,
  unclaimPatch,
  validateForDeploy,
} from "../node/index.ts";
import { InvalidInput } from "../schema/index.ts";
import type { ActionName, Memory } from "./attempt.ts";

export interface MachineOptions {
  client: Client;
  clock: Clock;
  random(): number;
  uuid: string;
  /** The node as it was just read, to spare the first read. */
  initial: Node;
  claim: Claim;
  /** What to write and send; absent when releasing. */
  deploy?: {
    info(memory: Memory): InstanceInfo;
    drive: string | undefined;
    boots: string;
    /** What the state says that the node booted. */
    was: InstanceInfo | undefined;
    last: Started | undefined;
    keep: boolean;
    /** The config drive as Ironic takes it, read now. */
    loadDrive(): Promise<unknown>;
    protected: boolean;
  };
}

/** What the node boots: as it shows it, or as the state knows it where Ironic hides part and the marker proves it. */
function bootsOn(node: Node, marker: DeploymentMarker | undefined, was: InstanceInfo | undefined) {
  if (!hidesBoots(node)) return infoOf(node);
  if (!was || bootsOf(was) !== marker?.boots) return undefined;
  const { ramdisk } = was;
  // Ironic before 18.1 needs it, and a rebuild of 39.0 leaves it.
  return ramdisk !== undefined && shows(node.instance_info.image_source, ramdisk)
    ? { ...was, image_source: ramdisk }
    : was;
}

const READS: readonly ActionName[] = ["validate", "recall"];
const STARTING: readonly (string | null)[] = ["deploying", "wait call-back"];

/** `last` is the node as it was seen last, whatever became of the loop. */
export type DeployMachine = Machine<ActionName, Memory> & { last(): Node };

export function createMachine(options: MachineOptions): DeployMachine {
  const { client, clock, random, uuid, claim } = options;
  const poller = pollerOf(client, clock, random);
  let last = options.initial;
  let unused = true;
  let changedAt = clock.now();
  let mind: Memory | undefined;

  const see = (node: Node): Node => {
    if (last.provision_state !== node.provision_state || last.provision_updated_at !== node.provision_updated_at)
      changedAt = clock.now();
    last = node;
    // The answer to the PUT may have been lost, but there it is.
    if (mind?.sent && STARTING.includes(node.provision_state)) mind.started = true;
    return node;
  };

  async function observe(how: "now" | "next", signal: AbortSignal): Promise<Sight> {
    if (unused && how === "now") {
      unused = false;
      return { node: last, fresh: true };
    }
    unused = false;
    if (how === "now") return { node: see(await readNode(client, uuid, "read the node", signal)), fresh: true };
    const light = await poller.next(uuid, changedAt, signal);
    return { node: see({ ...last, ...light }), fresh: false };
  }

  const marker = (node: Node, extra: Partial<DeploymentMarker> = {}): DeploymentMarker => ({
    ...claim,
    ...(options.deploy?.drive !== undefined && { drive: options.deploy.drive }),
    ...(options.deploy && { boots: options.deploy.boots }),
    ...(options.deploy?.keep && { keep: true }),
    ...(deploymentMarker(node)?.protected && node.protected && { protected: true }),
    after: node.provision_updated_at,
    ...extra,
  });

  const patch = async (ops: PatchOp[], tried: string, signal: AbortSignal, later?: boolean): Promise<Node> =>
    see(await patchNode(client, uuid, ops, tried, signal, later));

  async function put(target: Verb, tried: string, signal: AbortSignal, configdrive?: unknown): Promise<undefined> {
    await putProvision(client, uuid, { target, ...(configdrive !== undefined && { configdrive }) }, tried, signal);
    changedAt = clock.now();
    // As Ironic shows it from now on; the light polls do not.
    if (configdrive !== undefined) last = { ...last, instance_info: { ...last.instance_info, configdrive: "******" } };
    return undefined;
  }

  const deploy = () => {
    if (!options.deploy) throw new TypeError("this machine is only being released");
    return options.deploy;
  };

  /** Writes instance_info and marker, remembering what was there in case it has to be put back. */
  async function prepare(node: Node, memory: Memory, signal: AbortSignal): Promise<Node> {
    const prior = deploymentMarker(node);
    const stood = bootsOn(node, prior, deploy().was);
    const pending = prior !== undefined && prior.after === node.provision_updated_at;
    const over = pending ? prior.over : stood ? bootsOf(stood) : prior?.boots;
    const running = node.provision_state === "active" && over !== undefined;
    const ops = claimPatch(node, marker(node, running ? { over } : {}), deploy().info(memory));
    // What was begun is brought to its end before more is begun. Of a hundred machines fewer deploy at once then, which
    // costs a one-process Ironic a seventh less, and the first arrive sooner. In mid-redeploy the node is free for anybody.
    const begins = memory.undeploys === 0;
    const saved = await patch(ops, "claim the node and set what it boots", signal, begins);
    // What an earlier preparation wrote counts as what was there before only once it was begun.
    const begun = prior !== undefined && !pending && memory.recalled !== "none";
    // What is not known cannot be put back.
    if ((begun || !memory.before) && stood) memory.before = { info: stood, marker: prior };
    else if (begun) delete memory.before;
    memory.prepared = true;
    memory.sent = false;
    memory.started = false;
    delete memory.recalled;
    return saved;
  }

  const writeBack = (node: Node, memory: Memory): PatchOp[] => {
    const { info, last } = deploy();
    const runs = marker(node, { after: last?.after ?? "rewritten" });
    return infoMatches(node, info(memory)) && !hidesBoots(node)
      ? markerPatch(runs)
      : claimPatch(node, runs, info(memory));
  };

  async function loadDrive(): Promise<unknown> {
    try {
      return await deploy().loadDrive();
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      throw new ProblemError({
        problem: `The config drive of node ${nodeLabel(last)} cannot be sent: ${error.message}`,
        advice: "Correct it and run `pulumi up` again.",
        node: uuid,
        cause: error,
      });
    }
  }

  async function begin(
    verb: "active" | "rebuild",
    tried: string,
    memory: Memory,
    signal: AbortSignal,
  ): Promise<undefined> {
    const drive = await loadDrive();
    const wasSent = memory.sent;
    // What an earlier run had prepared is from here on what this run tries, whatever becomes of the answer.
    memory.prepared = true;
    memory.sent = true;
    try {
      await put(verb, tried, signal, drive);
    } catch (error) {
      if (isRefusal(error)) memory.sent = wasSent;
      throw error;
    }
    memory.started = true;
    return undefined;
  }

  const ACTIONS: Readonly<
    Record<ActionName, (node: Node, memory: Memory, signal: AbortSignal) => Promise<Node | undefined>>
  > = {
    claim: prepare,
    prepare,
    remark: (node, memory, signal) => patch(writeBack(node, memory), "write back what the machine runs", signal),
    revert: async (node, memory, signal) => {
      const before = memory.before;
      if (!before) throw new TypeError("nothing to put back");
      const ops = claimPatch(node, { ...marker(node), ...before.marker } as DeploymentMarker, before.info).slice(0, -1);
      const saved = await patch(
        [...ops, ...markerPatch(before.marker)],
        "put back what the node booted before",
        signal,
      );
      delete memory.before;
      return saved;
    },
    recall: async (node, memory, signal) => {
      const marker = deploymentMarker(node);
      const since = marker ? marker.after : (deploy().last?.at ?? null);
      memory.recalled = await recallStart(client, uuid, since, signal);
      return node;
    },
    validate: async (node, memory, signal) => {
      const reasons = await validateForDeploy(client, uuid, signal);
      if (reasons.length > 0)
        throw new ProblemError({
          problem: `Ironic says that node ${nodeLabel(node)} cannot be deployed: ${reasons.join("; ")}`,
          advice: `${memory.undeploys > 0 ? "" : "The machine was not touched. "}Correct the node or the deployment and run \`pulumi up\` again.`,
          node: uuid,
        });
      memory.validated = true;
      return node;
    },
    deploy: (_node, memory, signal) => begin("active", "deploy the node", memory, signal),
    rebuild: (_node, memory, signal) => begin("rebuild", "rebuild the node with the new ramdisk", memory, signal),
    undeploy: async (_node, memory, signal) => {
      // Nothing is taken down for what could not be deployed then.
      if (options.deploy) await loadDrive();
      await put("deleted", "undeploy the node", signal);
      memory.undeploys++;
      memory.prepared = false;
      memory.started = false;
      return undefined;
    },
    unclaim: (node, _memory, signal) => patch(unclaimPatch(node, claim), "release the claim on the node", signal),
    handOver: (node, _memory, signal) => patch(handOverPatch(node, claim), "hand the running machine over", signal),
    protect: (node, _memory, signal) =>
      patch(
        [
          { op: "add", path: "/protected", value: true },
          ...markerPatch({ ...marker(node), ...deploymentMarker(node), protected: true }),
        ],
        "protect the node",
        signal,
      ),
    unprotect: (node, memory, signal) => {
      memory.unprotected = true;
      const { protected: _ours, ...rest } = { ...marker(node), ...deploymentMarker(node) };
      return patch(
        [{ op: "replace", path: "/protected", value: false }, ...markerPatch(rest)],
        "lift the protection that this stack had set",
        signal,
      );
    },
    note: (node, _memory, signal) =>
      patch(
        markerPatch({ ...marker(node), ...deploymentMarker(node), keep: deploy().keep }),
        "note what happens on destroy",
        signal,
      ),
    noteRecovery: (node, _memory, signal) =>
      patch(
        markerPatch({
          ...claim,
          after: null,
          ...deploymentMarker(node),
          recovering: (node.provision_state === "manageable" && node.provision_updated_at) || true,
        }),
        "note that the failed cleaning is repeated",
        signal,
      ),
    manage: async (_node, memory, signal) => {
      await put("manage", "bring the node back from its failed cleaning", signal);
      memory.recoveries++;
      return undefined;
    },
    provide: async (_node, memory, signal) => {
      await put("provide", "clean the node and make it available", signal);
      memory.recoveries ||= 1;
      return undefined;
    },
    endMaintenance: async (_node, memory, signal) => {
      await clearMaintenance(client, uuid, signal);
      // Also a run that took over from one that crashed goes on from here, and only once.
      memory.recoveries ||= 1;
      return undefined;
    },
  };

  return {
    observe,
    last: () => last,
    act: (action, node, memory, signal) => {
      mind = memory;
      memory.touched ||= !READS.includes(action);
      return ACTIONS[action](node, memory, signal);
    },
  };
}
