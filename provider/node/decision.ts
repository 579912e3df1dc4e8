/** What an observation of a node can lead to, and how decisions speak of nodes: the parts that all resources share. */
import { type Code, printableName, type Warning } from "../core/index.ts";
import type { OtherHolder } from "./holder.ts";
import { namesakeAdvice } from "./identity.ts";
import type { Node } from "./node.ts";
import { type InState, stateName, stateRow } from "./states.ts";

export type Decision<Action extends string> =
  /** `warning`: what the user should know although nothing is left to do. */
  | { do: "done"; warning?: Warning }
  | { do: "wait"; why: string }
  | { do: "act"; action: Action }
  | { do: "fail"; code: Code; problem: string; advice: string; needsCause: boolean };

export const fail = (code: Code, problem: string, advice: string): Decision<never> => ({
  do: "fail",
  code,
  problem,
  advice,
  needsCause: false,
});
/** A failure of Ironic's, whose cause is still to be read from the node. */
export const failed = (code: Code, problem: string, advice: string): Decision<never> => ({
  do: "fail",
  code,
  problem,
  advice,
  needsCause: true,
});
export const wait = (why: string): Decision<never> => ({ do: "wait", why });

export const nodeLabel = (node: Pick<Node, "uuid" | "name">): string =>
  node.name ? `${printableName(node.name)} (${node.uuid})` : node.uuid;

/** What a person can do in the node's provision state. */
export const stateAdvice = (node: InState & Pick<Node, "uuid" | "name">): string =>
  (stateRow(node.provision_state)?.advice ?? "").replaceAll("{node}", node.name ?? node.uuid);

export const unknownState = (node: Node): Decision<never> =>
  fail(
    "node-state-unknown",
    `Node ${nodeLabel(node)} is in the provision state "${stateName(node.provision_state)}", which this version does not know`,
    "Nothing was done. Wait until the node leaves it, or use a newer version of pulumi-ironic",
  );

/** `consequence`: what is not done for that. `otherwise`: another way on. */
export const inMaintenance = (node: Node, consequence = "", otherwise = ""): Decision<never> =>
  fail(
    "node-in-maintenance",
    `Node ${nodeLabel(node)} is in maintenance${node.maintenance_reason ? ` ("${node.maintenance_reason}")` : ""}${consequence}`,
    `When the work on it is done: \`baremetal node maintenance unset ${node.name ?? node.uuid}\`${otherwise}`,
  );

/** The code of a message that names who holds a node. */
export const heldCode = ({ isSameStack, sharedStackId }: OtherHolder): Code => {
  if (sharedStackId !== undefined) return "stack-id-shared";
  return isSameStack ? "node-held-by-own-stack" : "node-held";
};

const heldAdvice = ({ isSameStack, sharedStackId }: OtherHolder): string => {
  if (sharedStackId !== undefined) return namesakeAdvice({ stackId: sharedStackId });
  return isSameStack
    ? "Use one resource per node; after a rename set `aliases`"
    : "Choose another node, or have its holder release it (`pulumi-ironic claims` lists what a stack holds)";
};

/** Others came while this run wrote to the node. `outcome` says what became of what it wrote. */
export const heldMeanwhile = (node: Node, holder: OtherHolder, outcome: string): Decision<never> =>
  fail(
    heldCode(holder),
    `Node ${nodeLabel(node)} is held by ${holder.who}, which came at the same time; ${outcome}`,
    "Choose another node, or run again when its holder has released it (`pulumi-ironic claims` lists what a stack holds)",
  );

export const heldByOther = (node: Node, holder: OtherHolder, lost = false): Decision<never> =>
  fail(
    lost ? "node-lost" : heldCode(holder),
    lost
      ? `Node ${nodeLabel(node)} was taken by ${holder.who} between undeploy and deploy. It is lost to this stack and was not touched`
      : `Node ${nodeLabel(node)} is held by ${holder.who}; nothing was written to it`,
    heldAdvice(holder),
  );
