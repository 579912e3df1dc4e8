/** What both making and restoring settings are done with: whether the node's state allows a change, and the common loop. */
import * as z from "zod";
import { isRefusal } from "../core/index.ts";
import {
  configMarker,
  createView,
  type Decision,
  deploymentMarker,
  fail,
  isHeldByStep,
  isPassing,
  type Machine,
  mayChangeInterfaces,
  type Node,
  nodeLabel,
  type PatchOp,
  type ResourceIdentity,
  reconcile,
  stateAdvice,
  stateName,
  stateRow,
  unknownState,
  wait,
} from "../node/index.ts";
import { type Call, type Services, shapeOf } from "../plugin/index.ts";
import { typesOnly } from "../schema/index.ts";
import { isInterface } from "./args.ts";
import { NODE_CONFIG_ARGUMENTS, type NodeConfigProps } from "./arguments.ts";
import { newSettingsAttempt, recordSettings, type SettingsAttempt, type SettingsEvent } from "./attempt.ts";

const fields = z.record(z.string(), z.unknown());
const outputs = {
  nodeUuid: z.string(),
  nodeName: z.string().optional(),
  /** What the managed fields were before this resource, and what it wrote: a copy of the marker on the node. */
  previous: fields,
  written: fields,
  /** The answer to the PATCH of the create was not waited for, or lost. */
  unsure: z.literal(true).optional(),
  drift: z.string().optional(),
};

export type Outputs = z.infer<z.ZodObject<typeof outputs>>;
export type State = NodeConfigProps & Outputs;
export const stateSchema: z.ZodType<State> = z.looseObject({
  ...typesOnly(shapeOf(NODE_CONFIG_ARGUMENTS)),
  ...outputs,
});

/** Passing states are waited for this long; cleaning is the longest of them. */
const WAIT_MS = 3 * 3600 * 1000;

/** Was the PATCH whose answer is not known never applied? It writes settings and marker at once. */
export const isUnwritten = (node: Node, state: (ResourceIdentity & Pick<State, "unsure">) | undefined): boolean => {
  const marker = configMarker(node);
  return state?.unsure === true && (marker?.stackId !== state.stackId || marker.resourceId !== state.resourceId);
};

/** `backOut`: another stack came at the same time, and what this run wrote goes. */
export type Action = "write" | "backOut";

export interface Work {
  /** As it was just read. */
  node: Node;
  operation: string;
  decide(node: Node, attempt: SettingsAttempt): Decision<Action>;
  patch(node: Node): PatchOp[];
  /** Takes back what `patch` wrote. */
  backOut?(node: Node): PatchOp[];
}

/** Where the attempt of one call is kept. */
export interface SettingsJournal {
  readonly attempt: SettingsAttempt;
  record(event: SettingsEvent): void;
}

export function openSettingsJournal(): SettingsJournal {
  let attempt = newSettingsAttempt();
  return {
    get attempt() {
      return attempt;
    },
    record: (event) => {
      attempt = recordSettings(attempt, event);
    },
  };
}

/** Reads, decides and writes through the common loop. */
export async function carryOut(
  work: Work,
  services: Services,
  call: Call,
  journal = openSettingsJournal(),
): Promise<Node> {
  const { poller, readings, patches } = await services.connection();
  const { clock, random } = services;
  const { uuid } = work.node;
  const view = createView({
    readings,
    clock,
    poller,
    initial: work.node,
    operation: "read the node's settings",
    needsWhole: (light, last) => light.provision_updated_at !== last.provision_updated_at || !isPassing(light),
    onObserved: (node) => {
      if (hasDeployment(node)) journal.record({ kind: "deploymentSeen", passing: isPassing(node), at: clock.now() });
    },
  });
  const machine: Machine<Action> = {
    observe: view.observe,
    async act(action, node, signal) {
      if (action === "backOut") {
        view.see(await patches.patch(uuid, work.backOut?.(node) ?? [], "take back what was just written", signal));
        journal.record({ kind: "backedOut" });
        return view.last();
      }
      const operations = work.patch(node);
      if (operations.length > 0) {
        journal.record({ kind: "writeSent" });
        try {
          view.see(await patches.patch(uuid, operations, work.operation, signal));
        } catch (error) {
          if (isRefusal(error)) journal.record({ kind: "writeRefused" });
          throw error;
        }
      }
      journal.record({ kind: "done" });
      return view.last();
    },
  };
  const { node } = await reconcile({
    machine,
    labels: { write: "writing the settings", backOut: "taking back what was just written" },
    decide: (seen) => work.decide(seen, journal.attempt),
    clock,
    random,
    signal: call.signal,
    timeoutMs: call.timeoutMs ?? WAIT_MS,
    onProgress: call.progress,
    cause: async (seen) => seen.last_error ?? "Ironic gives no reason",
    trouble: poller.trouble,
  });
  return node;
}

/** Something is deployed, or claimed, there. */
const hasDeployment = (node: Node): boolean => deploymentMarker(node) !== undefined || node.instance_uuid !== null;

/** May `paths` be written in the node's present state? A decision if not, or if not yet. */
export function stateBars(node: Node, paths: readonly string[]): Decision<Action> | undefined {
  if (!stateRow(node.provision_state)) return unknownState(node);
  if (isPassing(node)) return wait(stateName(node.provision_state));
  // Ironic takes no PATCH there, and only an operator moves the node on.
  if (isHeldByStep(node))
    return fail(
      "settings-state-unsuitable",
      `The settings of node ${nodeLabel(node)} cannot be changed while the node is "${stateName(node.provision_state)}"`,
      stateAdvice(node),
    );
  const interfaces = paths.filter((path) => isInterface(path));
  if (interfaces.length === 0 || mayChangeInterfaces(node) || node.maintenance) return undefined;
  return fail(
    "settings-state-unsuitable",
    `${interfaces.join(" and ")} of node ${nodeLabel(node)} cannot be changed while the node is "${stateName(node.provision_state)}"`,
    stateAdvice(node),
  );
}
