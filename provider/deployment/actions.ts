/** What each action does, by means of reads and writes of the node only. */

import { isRefusal, ProblemError, type SlowHash } from "../core/index.ts";
import {
  bootHashOf,
  bootInfoOf,
  CLEAN_RETRY_ACTIONS,
  CLEAN_RETRY_LABELS,
  claimPatch,
  type DeploymentMarker,
  deploymentMarker,
  deploymentMarkOf,
  hidesBoots,
  type InstanceInfo,
  infoMatches,
  isRunning,
  markerPatch,
  type Node,
  nodeLabel,
  type PatchOp,
  protectionReason,
  shows,
  unclaimPatch,
  unmarkPatch,
  type Verb,
} from "../node/index.ts";
import { InvalidInput } from "../schema/index.ts";
import { type ActionName, type Attempt, infoFor } from "./attempt.ts";
import { type GuardContext, patchOurs } from "./guard.ts";
import type { DeployWant } from "./want.ts";

/** What is to be written and sent; absent when releasing. */
export interface Deploy {
  want: DeployWant;
  /** What the state says that the node booted. */
  was: InstanceInfo | undefined;
  /** The config drive as Ironic takes it, read now. */
  loadDrive(): Promise<unknown>;
}

export interface ActionContext extends GuardContext {
  attempt: Attempt;
  deploy: Deploy | undefined;
  slowHash: SlowHash;
  /** `later`: this begins something; what was begun before goes first. */
  patch(operations: PatchOp[], operation: string, later?: boolean): Promise<Node>;
  put(target: Verb, operation: string, configDrive?: unknown): Promise<undefined>;
  clearMaintenance(): Promise<unknown>;
  /** Reasons why Ironic would refuse to deploy. */
  validate(): Promise<string[]>;
  /** Whether Ironic remembers a start since that moment. */
  askHistory(since: string | null): Promise<"start" | "none" | "silent">;
}

/** Actions as a person waiting for them reads them. */
export const ACTION_LABELS: Readonly<Record<ActionName, string>> = {
  claim: "claiming the node",
  prepare: "setting what the node boots",
  writeBack: "saving what the node runs",
  askHistory: "reading the node's history",
  validate: "validating the node",
  deploy: "starting the deploy",
  rebuild: "starting the rebuild",
  undeploy: "starting the undeploy",
  unclaim: "releasing the node",
  unmark: "removing the marker (the machine keeps running)",
  protect: "protecting the node",
  unprotect: "removing the protection",
  markKeep: "saving what happens on destroy",
  revert: "restoring what the node booted before",
  ...CLEAN_RETRY_LABELS,
};

const deployOf = ({ deploy }: ActionContext): Deploy => {
  if (!deploy) throw new TypeError("this node is only being released");
  return deploy;
};

/** What the node boots: as it shows it, or as the state knows it where Ironic hides part and the marker proves it. */
async function bootedOn(
  { node, slowHash }: ActionContext,
  marker: DeploymentMarker | undefined,
  was: InstanceInfo | undefined,
) {
  if (!hidesBoots(node)) return bootInfoOf(node);
  if (!was || !marker || (await bootHashOf(slowHash, was, marker.instanceUuid)) !== marker.bootHash) return undefined;
  const { ramdisk } = was;
  // Ironic before 18.1 needs it, and a rebuild of 39.0 leaves it.
  return ramdisk !== undefined && shows(node.instance_info.image_source, ramdisk)
    ? { ...was, image_source: ramdisk }
    : was;
}

/** The marker of this deployment as it is to be, from now on. */
function markerFor({ node, claim, deploy }: ActionContext, extra: Partial<DeploymentMarker> = {}): DeploymentMarker {
  const want = deploy?.want;
  return {
    ...deploymentMarkOf(claim, deploymentMarker(node)),
    ...(want?.driveHash !== undefined && { driveHash: want.driveHash }),
    ...(want && { bootHash: want.bootHash }),
    ...(want?.keep && { keep: true }),
    preparedAt: node.provision_updated_at,
    ...extra,
  };
}

/** The marker that stands there, completed. */
const standing = (context: ActionContext): DeploymentMarker => ({
  ...markerFor(context),
  ...deploymentMarker(context.node),
});

/** Writes instance_info and marker, remembering what was there in case it has to be put back. */
async function prepare(context: ActionContext): Promise<Node> {
  const { node, claim, attempt, slowHash, record } = context;
  const { want, was } = deployOf(context);
  const prior = deploymentMarker(node);
  const stood = await bootedOn(context, prior, was);
  const pending = prior !== undefined && prior.preparedAt === node.provision_updated_at;
  const stoodHash = () => (stood ? bootHashOf(slowHash, stood, claim.instanceUuid) : prior?.bootHash);
  const runningBootHash = isRunning(node) ? (pending ? prior.runningBootHash : await stoodHash()) : undefined;
  const marker = markerFor(context, runningBootHash === undefined ? {} : { runningBootHash });
  // What was begun is brought to its end before more is begun. Of a hundred machines fewer deploy at once then, which
  // costs a one-process Ironic a seventh less, and the first arrive sooner. During a redeploy the node is free for others.
  const begins = attempt.undeploys === 0;
  const operations = claimPatch(node, marker, infoFor(want, attempt));
  const saved = await patchOurs(context, operations, "claim the node and set what it boots", begins);
  record({ kind: "prepared", stood: stood && { info: stood, marker: prior }, marked: prior !== undefined, pending });
  return saved;
}

function writeBack(context: ActionContext): PatchOp[] {
  const { node, attempt } = context;
  const { want } = deployOf(context);
  const info = infoFor(want, attempt);
  const runs = markerFor(context, { preparedAt: want.last?.preparedAt ?? "rewritten" });
  return infoMatches(node, info) && !hidesBoots(node) ? markerPatch(runs) : claimPatch(node, runs, info);
}

async function revert(context: ActionContext): Promise<Node> {
  const { node, attempt, record } = context;
  const { before } = attempt;
  if (!before) throw new TypeError("there is nothing to restore");
  const withMarker = claimPatch(node, { ...markerFor(context), ...before.marker }, before.info);
  const operations = [...withMarker.slice(0, -1), ...markerPatch(before.marker)];
  const saved = await patchOurs(context, operations, "restore what the node booted before");
  record({ kind: "reverted" });
  return saved;
}

async function loadDrive(context: ActionContext): Promise<unknown> {
  const { node } = context;
  try {
    return await deployOf(context).loadDrive();
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const [first, ...others] = error.failures;
    if (first === undefined) throw error;
    throw new ProblemError({
      problem: `The config drive of node ${nodeLabel(node)} cannot be sent. Correct it and run \`pulumi up\` again:`,
      failures: [first, ...others],
      node: node.uuid,
      cause: error,
    });
  }
}

async function begin(context: ActionContext, verb: "active" | "rebuild", operation: string): Promise<undefined> {
  const drive = await loadDrive(context);
  context.record({ kind: "startSent" });
  try {
    await context.put(verb, operation, drive);
  } catch (error) {
    if (isRefusal(error)) context.record({ kind: "startRefused" });
    throw error;
  }
  context.record({ kind: "accepted", verb });
  return undefined;
}

async function validate({ node, attempt, validate, record }: ActionContext): Promise<Node> {
  const reasons = await validate();
  if (reasons.length > 0)
    throw new ProblemError({
      code: "node-validation-failed",
      problem: `Ironic says that node ${nodeLabel(node)} cannot be deployed: ${reasons.join("; ")}`,
      advice: `${attempt.undeploys > 0 ? "" : "The machine was not touched. "}Correct the node or the deployment and run \`pulumi up\` again.`,
      node: node.uuid,
    });
  record({ kind: "validated" });
  return node;
}

async function undeploy(context: ActionContext): Promise<undefined> {
  // Nothing is undeployed if the new drive could not be sent.
  if (context.deploy) await loadDrive(context);
  await context.put("deleted", "undeploy the node");
  context.record({ kind: "accepted", verb: "deleted" });
  return undefined;
}

type Action = (context: ActionContext) => Promise<Node | undefined>;

/** A step of the repetition of a failed cleaning, told to this attempt. */
const retried =
  (name: keyof typeof CLEAN_RETRY_ACTIONS): Action =>
  (context) =>
    CLEAN_RETRY_ACTIONS[name]({ ...context, accepted: (verb) => context.record({ kind: "accepted", verb }) });

export const ACTIONS: Readonly<Record<ActionName, Action>> = {
  claim: prepare,
  prepare,
  writeBack: (context) => patchOurs(context, writeBack(context), "save on the node what the machine runs"),
  revert,
  askHistory: async (context) => {
    const marker = deploymentMarker(context.node);
    const since = marker ? marker.preparedAt : (deployOf(context).want.last?.at ?? null);
    context.record({ kind: "remembered", history: await context.askHistory(since) });
    return context.node;
  },
  validate,
  deploy: (context) => begin(context, "active", "deploy the node"),
  rebuild: (context) => begin(context, "rebuild", "rebuild the node with the new ramdisk"),
  undeploy,
  unclaim: ({ node, claim, patch }) => patch(unclaimPatch(node, claim), "release the node"),
  unmark: ({ node, claim, patch }) =>
    patch(unmarkPatch(node, claim), "remove the marker from the node that keeps running"),
  protect: (context) =>
    patchOurs(
      context,
      [
        { op: "add", path: "/protected", value: true },
        { op: "add", path: "/protected_reason", value: protectionReason(context.claim) },
      ],
      "protect the node",
    ),
  unprotect: (context) =>
    patchOurs(
      context,
      [{ op: "replace", path: "/protected", value: false }],
      "remove the protection that this stack set",
    ),
  markKeep: (context) =>
    patchOurs(
      context,
      markerPatch({ ...standing(context), keep: deployOf(context).want.keep }),
      "save on the node what happens on destroy",
    ),
  noteCleanRetry: retried("noteCleanRetry"),
  manage: retried("manage"),
  provide: retried("provide"),
  endMaintenance: retried("endMaintenance"),
};
