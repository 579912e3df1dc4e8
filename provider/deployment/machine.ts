/** A node of a deployment, as the loop drives it: a view of it, and the table of actions. */
import type { Clock, SlowHash } from "../core/index.ts";
import {
  type Claim,
  clearMaintenance,
  createView,
  type Machine,
  type Node,
  PATIENCE_MS,
  putProvision,
  REREAD_MS,
  startSince,
  validateForDeploy,
} from "../node/index.ts";
import type { ConnectionContext } from "../run/index.ts";
import { ACTIONS, type Deploy } from "./actions.ts";
import type { ActionName, Journal } from "./attempt.ts";

export interface MachineOptions {
  connection: ConnectionContext;
  clock: Clock;
  slowHash: SlowHash;
  /** The node as it was just read, to spare the first read. */
  initial: Node;
  claim: Claim;
  journal: Journal;
  deploy?: Deploy;
}

/** `last` is the last observation of the node, also after the loop has failed. */
export type DeployMachine = Machine<ActionName> & { last(): Node };

export function createMachine({
  connection: { client, poller, readings, patches },
  clock,
  slowHash,
  initial,
  claim,
  journal,
  deploy,
}: MachineOptions): DeployMachine {
  const { uuid } = initial;
  const view = createView({
    readings,
    clock,
    poller,
    initial,
    operation: "read the node",
    onObserved: (node) => journal.record({ kind: "observed", node }),
  });
  let sentAt = Number.NEGATIVE_INFINITY;
  /** A start of this run may not have reached the replica that answers: that there is none is believed after a while only. */
  const askHistory = async (since: string | null, signal: AbortSignal): ReturnType<typeof startSince> => {
    for (;;) {
      const found = await startSince(client, uuid, since, signal);
      if (found !== "none" || clock.now() - sentAt >= PATIENCE_MS) return found;
      await clock.sleep(REREAD_MS, signal);
    }
  };
  return {
    observe: view.observe,
    last: view.last,
    act: (action, node, signal) => {
      journal.record({ kind: "begun", action });
      return ACTIONS[action]({
        node,
        claim,
        attempt: journal.attempt,
        deploy,
        slowHash,
        record: journal.record,
        read: async () => view.see(await readings.read(uuid, "read the node", signal)),
        patch: async (operations, operation, later) =>
          view.see(await patches.patch(uuid, operations, operation, signal, later)),
        put: async (target, operation, configdrive) => {
          const body = { target, ...(configdrive !== undefined && { configdrive }) };
          if (target === "active" || target === "rebuild") sentAt = clock.now();
          await putProvision(client, uuid, body, operation, signal);
          // As Ironic shows the drive from now on; the light polls do not.
          const shown = { instance_info: { ...view.last().instance_info, configdrive: "******" } };
          view.expectChange(configdrive === undefined ? undefined : shown);
          return undefined;
        },
        clearMaintenance: () => clearMaintenance(client, uuid, signal),
        validate: () => validateForDeploy(client, uuid, signal),
        askHistory: (since) => askHistory(since, signal),
      });
    },
  };
}
