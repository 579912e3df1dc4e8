/** Giving a node back: what `destroy` does with a deployment. */
import { deadlineFrom } from "../core/index.ts";
import {
  type Claim,
  configMarker,
  failureCause,
  type GivenBack,
  identityOf,
  leftThere,
  mayChangeInterfaces,
  type Node,
  nodeLabel,
  nothingToRelease,
  RELEASED,
  type ResourceIdentity,
  reconcile,
} from "../node/index.ts";
import { restoreByMark } from "../node-config/handler.ts";
import type { Call, Services } from "../plugin/index.ts";
import { ACTION_LABELS } from "./actions.ts";
import { undeployTimeoutSeconds } from "./args.ts";
import { openJournal } from "./attempt.ts";
import { createMachine } from "./machine.ts";
import { decideRelease } from "./release-decision.ts";
import { claimFrom, type State } from "./state.ts";
import { type KnownBy, keeps } from "./want.ts";

/**
 * The settings of the same stack went first, and could not be restored while the machine ran. That they went is the mark's
 * word: where the program of this run has settings for the node, they are not gone.
 */
async function restoreLeft(node: Node, { stackId }: Claim, services: Services, call: Call): Promise<void> {
  const settings = configMarker(node);
  const { instances, settings: planned } = services.run;
  if (!settings?.restorePending || settings.stackId !== stackId || planned.of(node)) return;
  if (!mayChangeInterfaces(node) && instances.of(node.uuid, node.instance_uuid) !== "handedOver") return;
  await restoreByMark({ ...identityOf(settings), nodeUuid: node.uuid }, services, call);
}

/** What of the state is needed to give a node back. */
type ReleasedState = ResourceIdentity &
  Pick<State, "nodeUuid" | "instanceUuid" | "onDestroy" | "adopted" | "undeployTimeoutSeconds">;

/** A node that Ironic does not find, be it midway, is an error: what follows from it, the caller's state decides. */
export async function release(
  state: ReleasedState,
  services: Services,
  call: Call,
  knownBy: KnownBy = "state",
): Promise<GivenBack> {
  const connection = await services.connection();
  const { client, poller, readings } = connection;
  const claim = claimFrom(state);
  const keep = keeps(state, state.adopted);
  const journal = openJournal();
  // The state's word, for the settings of the node.
  if (keep) services.run.instances.handOver(state.nodeUuid, claim.instanceUuid);
  else services.run.instances.hold(state.nodeUuid, claim.instanceUuid);
  const startedAt = services.clock.now();
  const rest = () =>
    call.timeoutMs === undefined
      ? call
      : { ...call, timeoutMs: deadlineFrom(startedAt, call.timeoutMs, services.clock).leftMs() };
  const node = await readings.read(state.nodeUuid, "read the node", call.signal);
  const timeoutMs = undeployTimeoutSeconds(state.undeployTimeoutSeconds, node.automated_clean) * 1000;
  const machine = createMachine({
    connection,
    clock: services.clock,
    slowHash: services.run.slowHash,
    initial: node,
    claim,
    journal,
  });
  const { node: released, warning } = await reconcile({
    machine,
    decide: (seen) => decideRelease(seen, { claim, keep, knownBy }, journal.attempt),
    labels: ACTION_LABELS,
    clock: services.clock,
    random: services.random,
    signal: call.signal,
    startedAt,
    timeoutMs: Math.min(timeoutMs, call.timeoutMs ?? timeoutMs),
    onProgress: call.progress,
    cause: (seen, signal) => failureCause(client, seen, node.provision_updated_at ?? undefined, signal),
    trouble: poller.trouble,
  });
  if (released.instance_uuid !== claim.instanceUuid) connection.leftInstances.add(claim.instanceUuid);
  if (!warning) {
    await restoreLeft(released, claim, services, rest());
    return journal.attempt.touched ? RELEASED : nothingToRelease("nothing of this deployment is on the node");
  }
  const settings = configMarker(released);
  const left = settings?.restorePending && settings.stackId === claim.stackId;
  call.warn(
    warning.code,
    `Node ${nodeLabel(released)} ${warning.text}.${left ? ` The settings of "${settings.resourceName}" still have to be restored: run \`pulumi-ironic claims --stack-id ${claim.stackId} --release\` when the node is free.` : ""}`,
  );
  return leftThere(warning.code, `the node ${warning.text}`);
}
