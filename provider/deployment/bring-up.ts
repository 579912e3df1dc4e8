/** Brings a node to run what the arguments say: all that create and update share. */

import type { SlowHash } from "../core/index.ts";
import { loadDriveContent } from "../drive/index.ts";
import type { Client } from "../http/index.ts";
import {
  bootHashOf,
  type Claim,
  failureCause,
  holderOf,
  isTaken,
  type Node,
  nodeLabel,
  reconcile,
  saltedDriveHash,
  startedOf,
} from "../node/index.ts";
import { type Call, needsIn, PartialFailure, type Services } from "../plugin/index.ts";
import type { ConnectionContext } from "../run/index.ts";
import { ACTION_LABELS } from "./actions.ts";
import { type DeploymentProps, instanceInfo, keeps, timeoutMsOf } from "./args.ts";
import { DEPLOYMENT_ARGUMENTS } from "./arguments.ts";
import { type DeployWant, type Journal, openJournal } from "./attempt.ts";
import { decideDeploy } from "./decision.ts";
import { createMachine, type DeployMachine } from "./machine.ts";
import { type Loop, powerOn } from "./power.ts";
import { awaitReadiness } from "./readiness.ts";
import { chooseNextMethod, firstMethod } from "./rebuild.ts";
import { type Outputs, outputsOf, type State, shaOf } from "./state.ts";

/** One deployment in progress: what belongs to this call and this node. */
interface Deployment {
  props: DeploymentProps;
  claim: Claim;
  /** What the state holds, if the deployment exists. */
  olds: State | undefined;
  want: DeployWant;
  sha256: string | undefined;
  connection: ConnectionContext;
  machine: DeployMachine;
  journal: Journal;
  loop: Loop;
  services: Services;
  call: Call;
}

async function wantOf(
  props: DeploymentProps,
  claim: Claim,
  olds: State | undefined,
  client: Client,
  slowHash: SlowHash,
): Promise<DeployWant> {
  const sha256 = shaOf(props.configDrive);
  const info = instanceInfo(props, !(await client.supports("ramdiskWithoutImageSource")));
  const bootHash = await bootHashOf(slowHash, info, claim.instanceUuid);
  return {
    claim,
    info,
    bootHash,
    driveHash: sha256 === undefined ? undefined : await saltedDriveHash(slowHash, sha256, claim.instanceUuid),
    last: olds?.started?.bootHash === bootHash && olds.driveHash === sha256 ? olds.started : undefined,
    protected: props.protected ?? false,
    keep: keeps(props, olds?.adopted),
    updateStrategy: props.updateStrategy ?? "rebuild",
  };
}

/**
 * What the state is to hold after a failure; `undefined` where it must not say that anything of ours is there. What a run that
 * was killed had begun is ours.
 */
function outputsAfterFailure({ olds, claim, journal, machine, want, sha256 }: Deployment): Outputs | undefined {
  const seen = machine.last();
  const { touched, started: wasBegun } = journal.attempt;
  if (!olds && holderOf(seen, claim).kind === "other") return undefined;
  if (!touched && (olds || !isTaken(seen, claim))) return undefined;
  // Unless it was begun, what is new did not get to the machine; the state goes on with the old one, if any.
  if (!wasBegun) return outputsOf(seen, claim, { driveHash: olds?.driveHash, started: olds?.started });
  const started = startedOf(seen, want.bootHash);
  // The moment in the state is that of what ran before.
  const before = started.at === null ? { deployedAt: undefined } : {};
  return outputsOf(seen, claim, { driveHash: sha256, started, ...before });
}

async function deploy(deployment: Deployment): Promise<Outputs> {
  const { props, claim, want, sha256, connection, machine, journal, loop, services, call } = deployment;
  const { node: active } = await reconcile({
    ...loop,
    machine,
    labels: ACTION_LABELS,
    decide: (seen) => decideDeploy(seen, want, journal.attempt),
    onRejected: (action, seen, error) =>
      action === "rebuild" && chooseNextMethod(seen, want, journal, error, connection, call),
  });
  const isOff = props.powerPolicy === "on" && active.power_state !== "power on";
  const powered = isOff ? await powerOn(connection.client, machine, loop, call) : active;
  const outputs = outputsOf(powered, claim, { driveHash: sha256, started: startedOf(powered, want.bootHash) });
  if (!props.readiness) return outputs;
  try {
    await awaitReadiness(props.readiness, nodeLabel(powered), services.clock, call.signal, call.progress);
  } catch (error) {
    throw new PartialFailure(claim.instanceUuid, { ...outputs, ready: false }, error as Error);
  }
  return { ...outputs, ready: true };
}

export async function bringUp(
  node: Node,
  props: DeploymentProps,
  claim: Claim,
  olds: State | undefined,
  services: Services,
  call: Call,
): Promise<Outputs> {
  const { clock, random } = services;
  const { slowHash } = services.run;
  const connection = await services.connection();
  const { client, poller } = connection;
  for (const { path, feature } of needsIn(DEPLOYMENT_ARGUMENTS, props))
    await client.require(feature, `deploy with ${path}`);
  const want = await wantOf(props, claim, olds, client, slowHash);
  const journal = openJournal(firstMethod(connection, node, props));
  const machine = createMachine({
    connection,
    clock,
    slowHash,
    initial: node,
    claim,
    journal,
    deploy: {
      want,
      was: olds && instanceInfo(olds, false),
      loadDrive: () => loadDriveContent(props.configDrive, call.signal),
    },
  });
  const since = node.provision_updated_at ?? undefined;
  const loop: Loop = {
    clock,
    random,
    signal: call.signal,
    timeoutMs: timeoutMsOf(props, call),
    onProgress: call.progress,
    cause: (seen) => failureCause(client, seen, since, call.signal),
    trouble: poller.trouble,
  };
  const sha256 = shaOf(props.configDrive);
  const deployment = { props, claim, olds, want, sha256, connection, machine, journal, loop, services, call };
  try {
    return await deploy(deployment);
  } catch (error) {
    if (error instanceof PartialFailure) throw error;
    const outputs = outputsAfterFailure(deployment);
    if (!outputs) throw error;
    throw new PartialFailure(claim.instanceUuid, outputs, error as Error);
  }
}
