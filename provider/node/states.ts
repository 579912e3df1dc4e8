/**
 * Ironic's provision states and what this project does in each of them: one table, and the questions that are asked of it.
 * No other file compares a provision state with a literal.
 *
 * Source of the states and verbs: https://docs.openstack.org/ironic/latest/user/states.html and
 * ironic/common/state_machine.py.
 */

/** Every provision state that Ironic up to API 1.115 knows. */
export const PROVISION_STATES = [
  "enroll",
  "verifying",
  "manageable",
  "available",
  "deploying",
  "wait call-back",
  "deploy hold",
  "deploy failed",
  "active",
  "deleting",
  "error",
  "cleaning",
  "clean wait",
  "clean hold",
  "clean failed",
  "inspecting",
  "inspect wait",
  "inspect failed",
  "adopting",
  "adopt failed",
  "rescuing",
  "rescue wait",
  "rescue",
  "rescue failed",
  "unrescuing",
  "unrescue failed",
  "servicing",
  "service wait",
  "service hold",
  "service failed",
] as const;

export type ProvisionState = (typeof PROVISION_STATES)[number];

/** Targets of `PUT /v1/nodes/{id}/states/provision` that this project sends. */
export type Verb = "active" | "rebuild" | "deleted" | "manage" | "provide";

export interface StateRow {
  /** `moving` states leave by themselves; `held` ones wait for an operator; `failed` ones need a verb. */
  kind: "stable" | "moving" | "held" | "failed";
  /** May hardware interfaces be changed here without maintenance (ConductorManager.update_node)? */
  interfaces: boolean;
  /** What a deploy does on a node that is ours or free: begin, compare what runs with what is wanted, wait, try again, refuse. */
  deploy: "begin" | "compare" | "wait" | "retry" | "refuse";
  /** What a release does on a node that is ours: undeploy, drop the claim only, wait, repeat the failed cleaning, refuse. */
  release: "undeploy" | "unclaim" | "wait" | "retryCleaning" | "refuse";
  /** What a person can do when we give up in this state. `{node}` stands for the node. */
  advice: string;
}

const WAIT_ADVICE = "The node leaves this state by itself. Run the command again afterwards";
const PROVIDE = "Make it available first: `baremetal node provide {node}`";
const UNHOLD = "A step of an operator holds the node in this state. Release it: `baremetal node unhold {node}`";
const UNDEPLOY = "If nobody needs what runs on it: `baremetal node undeploy {node}`";
const UNRESCUE = "Leave rescue mode first: `baremetal node unrescue {node}`";

const moving = (release: StateRow["release"] = "wait"): StateRow => ({
  kind: "moving",
  interfaces: false,
  deploy: "wait",
  release,
  advice: WAIT_ADVICE,
});

export const STATES: Readonly<Record<ProvisionState, StateRow>> = {
  enroll: {
    kind: "stable",
    interfaces: true,
    deploy: "refuse",
    release: "unclaim",
    advice: "Make it available first: `baremetal node manage {node}`, then `baremetal node provide {node}`",
  },
  verifying: moving(),
  manageable: {
    kind: "stable",
    interfaces: true,
    deploy: "refuse",
    release: "unclaim",
    advice: PROVIDE,
  },
  available: {
    kind: "stable",
    interfaces: true,
    deploy: "begin",
    release: "unclaim",
    advice: "Run the command again",
  },
  // A running deploy cannot be stopped: `deleted` is illegal until it ends or waits.
  deploying: moving(),
  "wait call-back": moving("undeploy"),
  "deploy hold": {
    kind: "held",
    interfaces: false,
    deploy: "wait",
    release: "wait",
    advice: UNHOLD,
  },
  "deploy failed": {
    kind: "failed",
    interfaces: false,
    deploy: "retry",
    release: "undeploy",
    advice: "Remove the cause and run `pulumi up` again, or `pulumi destroy` to give the node back",
  },
  active: {
    kind: "stable",
    interfaces: false,
    deploy: "compare",
    release: "undeploy",
    advice: UNDEPLOY,
  },
  deleting: moving(),
  // Undeploying failed. What runs on the machine is unknown.
  error: {
    kind: "failed",
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: "Its undeploy failed. Remove the cause, then `baremetal node undeploy {node}`",
  },
  cleaning: moving(),
  "clean wait": moving(),
  "clean hold": { kind: "held", interfaces: false, deploy: "wait", release: "wait", advice: UNHOLD },
  "clean failed": {
    kind: "failed",
    interfaces: false,
    deploy: "refuse",
    release: "retryCleaning",
    advice:
      "Its cleaning failed. Remove the cause, then `baremetal node manage {node}` and `baremetal node provide {node}`",
  },
  inspecting: moving(),
  "inspect wait": { ...moving(), interfaces: true },
  "inspect failed": {
    kind: "failed",
    interfaces: false,
    deploy: "refuse",
    release: "unclaim",
    advice: "Its inspection failed. `baremetal node manage {node}`, then `baremetal node provide {node}`",
  },
  adopting: moving(),
  "adopt failed": {
    kind: "failed",
    interfaces: false,
    deploy: "refuse",
    release: "unclaim",
    advice: "Its adoption in Ironic failed. `baremetal node manage {node}`, then `baremetal node provide {node}`",
  },
  rescuing: moving(),
  "rescue wait": moving("undeploy"),
  rescue: {
    kind: "stable",
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: UNRESCUE,
  },
  "rescue failed": {
    kind: "failed",
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: UNRESCUE,
  },
  unrescuing: moving(),
  "unrescue failed": {
    kind: "failed",
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: UNRESCUE,
  },
  servicing: moving(),
  "service wait": moving("undeploy"),
  "service hold": { kind: "held", interfaces: false, deploy: "wait", release: "wait", advice: UNHOLD },
  "service failed": {
    kind: "failed",
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: "Its servicing failed. An operator has to end it: `baremetal node abort {node}`",
  },
};

/** The row of a state, or `undefined` for a state of a newer Ironic. Old APIs call `available` null. */
export function stateRow(state: string | null): StateRow | undefined {
  const name = stateName(state);
  return Object.hasOwn(STATES, name) ? STATES[name as ProvisionState] : undefined;
}

export const stateName = (state: string | null): string => state ?? "available";

/** Anything that has a provision state. */
export interface InState {
  provision_state: string | null;
}

const rowOf = ({ provision_state }: InState): StateRow | undefined => stateRow(provision_state);
const isIn = ({ provision_state }: InState, ...states: readonly ProvisionState[]): boolean =>
  states.some((state) => state === stateName(provision_state));

/** A deployment runs there, as far as Ironic knows. */
export const isRunning = (node: InState): boolean => isIn(node, "active");

/** Ironic has begun a deployment or rebuild and has not ended it. */
export const isStarting = (node: InState): boolean => isIn(node, "deploying", "wait call-back");

/** It leaves this state by itself. */
export const isPassing = (node: InState): boolean => rowOf(node)?.kind === "moving";

/** A step of an operator's holds it in this state. */
export const isHeldByStep = (node: InState): boolean => rowOf(node)?.kind === "held";

/** It stays in this state, and nothing has failed. */
export const isSettled = (node: InState): boolean => rowOf(node)?.kind === "stable";

/** What it did last has failed. */
export const hasFailed = (node: InState): boolean => rowOf(node)?.kind === "failed";

/** Its undeployment has failed: what runs there is unknown, and Ironic has already cleared instance_uuid. */
export const hasUndeployFailed = (node: InState): boolean => isIn(node, "error");

/** Its cleaning has failed. */
export const hasCleanFailed = (node: InState): boolean => isIn(node, "clean failed");

/** An operator, or `manage`, has taken it out of use. */
export const isManageable = (node: InState): boolean => isIn(node, "manageable");

/** A deployment may begin. */
export const mayBeDeployed = (node: InState): boolean => rowOf(node)?.deploy === "begin";

/** No deployment can begin, and waiting does not change that. */
export const isUndeployable = (node: InState): boolean => rowOf(node)?.deploy === "refuse";

/** Something is deployed that `deleted` ends. */
export const mayBeUndeployed = (node: InState): boolean => rowOf(node)?.release === "undeploy";

/** Nothing is deployed there. */
export const isVacant = (node: InState): boolean => ["unclaim", "retryCleaning"].includes(rowOf(node)?.release ?? "");

/** Hardware interfaces may be changed without maintenance. */
export const mayChangeInterfaces = (node: InState): boolean => rowOf(node)?.interfaces === true;

/** Ironic takes a PATCH of the node: not while it works on the node, nor in a hold. */
export const mayBePatched = (node: InState): boolean => !isPassing(node) && !isHeldByStep(node);
