/** Brings a node to run what the arguments say: all that create and update share. */

import { failureCause, holderToRelease, isTaken, type Node, nodeLabel, reconcile, startedOf } from "../node/index.ts";
import { type Call, PartialFailure, type Services } from "../plugin/index.ts";
import type { ConnectionContext } from "../run/index.ts";
import { ACTION_LABELS } from "./actions.ts";
import { type Journal, openJournal } from "./attempt.ts";
import { decideDeploy } from "./decision.ts";
import { giveWay, hasCollided } from "./give-way.ts";
import { createMachine, type DeployMachine } from "./machine.ts";
import { type Loop, powerOn } from "./power.ts";
import { awaitReadiness } from "./readiness.ts";
import { chooseNextMethod, firstMethod } from "./rebuild.ts";
import { type Outputs, outputsOf } from "./state.ts";
import { type DeploymentPlan, instanceInfo } from "./want.ts";

/** One deployment in progress: what belongs to this call and this node. */
interface Deployment {
  plan: DeploymentPlan;
  connection: ConnectionContext;
  machine: DeployMachine;
  journal: Journal;
  loop: Loop;
  services: Services;
  call: Call;
}

/**
 * What the state is to hold after a failure; `undefined` where it must not say that anything of ours is there. What a run that
 * was killed had begun is ours.
 */
function outputsAfterFailure({ plan, journal, machine }: Deployment): Outputs | undefined {
  const { want, olds, contentHash } = plan;
  const { claim } = want;
  const seen = machine.last();
  const { touched, started: wasBegun } = journal.attempt;
  if (!olds && holderToRelease(seen, claim).kind === "other") return undefined;
  if (!touched && (olds || !isTaken(seen, claim))) return undefined;
  // Unless it was begun, what is new did not get to the machine; the state goes on with the old one, if any.
  if (!wasBegun) return outputsOf(seen, claim, { driveHash: olds?.driveHash, started: olds?.started });
  const started = startedOf(seen, want.bootHash);
  // The moment in the state is that of what ran before.
  const before = started.at === null ? { deployedAt: undefined } : {};
  return outputsOf(seen, claim, { driveHash: contentHash, started, ...before });
}

async function deploy(deployment: Deployment): Promise<Outputs> {
  const { plan, connection, machine, journal, loop, services, call } = deployment;
  const { want, contentHash, readiness } = plan;
  const { claim } = want;
  const { node: active } = await reconcile({
    ...loop,
    machine,
    labels: ACTION_LABELS,
    decide: (seen) => decideDeploy(seen, want, journal.attempt),
    onRejected: (action, seen, error) =>
      action === "rebuild" && chooseNextMethod(seen, want, journal, error, connection, call),
  });
  const isOff = plan.powersOn && active.power_state !== "power on";
  const powered = isOff ? await powerOn(connection.client, machine, loop, call) : active;
  const outputs = outputsOf(powered, claim, { driveHash: contentHash, started: startedOf(powered, want.bootHash) });
  if (!readiness) return outputs;
  try {
    await awaitReadiness(readiness, nodeLabel(powered), services.clock, call.signal, call.progress, plan.callLeftMs());
  } catch (error) {
    throw new PartialFailure(claim.instanceUuid, { ...outputs, ready: false }, error as Error);
  }
  return { ...outputs, ready: true };
}

export async function bringUp(node: Node, plan: DeploymentPlan, services: Services, call: Call): Promise<Outputs> {
  const { clock, random } = services;
  const { want, olds, loadDrive, deadline } = plan;
  const { claim } = want;
  const connection = await services.connection();
  const { client, poller } = connection;
  const journal = openJournal(firstMethod(connection, node, want));
  const machine = createMachine({
    connection,
    clock,
    slowHash: services.run.slowHash,
    initial: node,
    claim,
    journal,
    deploy: { want, was: olds && instanceInfo(olds, false), loadDrive },
  });
  const since = node.provision_updated_at ?? undefined;
  const loop: Loop = {
    clock,
    random,
    signal: call.signal,
    timeoutMs: deadline.timeoutMs,
    startedAt: deadline.startedAt,
    onProgress: call.progress,
    cause: (seen, signal) => failureCause(client, seen, since, signal),
    trouble: poller.trouble,
  };
  const deployment: Deployment = { plan, connection, machine, journal, loop, services, call };
  try {
    return await deploy(deployment);
  } catch (error) {
    if (error instanceof PartialFailure) throw error;
    const seen = machine.last();
    if (!olds && hasCollided(seen, node, want, journal.attempt)) await giveWay(seen, node, want, connection, loop);
    const outputs = outputsAfterFailure(deployment);
    if (!outputs) throw error;
    throw new PartialFailure(claim.instanceUuid, outputs, error as Error);
  }
}
