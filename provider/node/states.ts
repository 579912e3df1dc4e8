/**
 * Ironic's provision states and what this project does in each of them: one table, no branches elsewhere.
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

export interface StateFacts {
  /** `moving` states leave by themselves; `held` ones wait for an operator; `failed` ones need a verb. */
  kind: "stable" | "moving" | "held" | "failed";
  /** Which of our verbs Ironic accepts in this state. */
  verbs: readonly Verb[];
  /** May hardware interfaces be changed here without maintenance (ConductorManager.update_node)? */
  interfaces: boolean;
  /** What a deploy does on a node that is ours or free: begin, look whether the right thing runs, wait, try again, give up. */
  deploy: "begin" | "judge" | "wait" | "retry" | "refuse";
  /** What a release does on a node that is ours: undeploy, drop the claim only, wait, bring it back from a failure, give up. */
  release: "undeploy" | "unclaim" | "wait" | "recover" | "refuse";
  /** What a person can do when we give up in this state. `{node}` stands for the node. */
  advice: string;
}

const WAIT_ADVICE = "It leaves this state by itself; run the command again when it has";
const PROVIDE = "Make it available first: `baremetal node provide {node}`";
const UNHOLD = "An operator's step holds it there; let it go on with `baremetal node unhold {node}`";
const UNDEPLOY = "If nobody needs what is on it, undeploy it: `baremetal node undeploy {node}`";
const UNRESCUE = "Leave rescue mode first: `baremetal node unrescue {node}`";

const moving = (release: StateFacts["release"] = "wait", verbs: readonly Verb[] = []): StateFacts => ({
  kind: "moving",
  verbs,
  interfaces: false,
  deploy: "wait",
  release,
  advice: WAIT_ADVICE,
});

export const STATES: Readonly<Record<ProvisionState, StateFacts>> = {
  enroll: {
    kind: "stable",
    verbs: ["manage"],
    interfaces: true,
    deploy: "refuse",
    release: "unclaim",
    advice: "Bring it under management first: `baremetal node manage {node}`, then `baremetal node provide {node}`",
  },
  verifying: moving(),
  manageable: {
    kind: "stable",
    verbs: ["provide"],
    interfaces: true,
    deploy: "refuse",
    release: "unclaim",
    advice: PROVIDE,
  },
  available: {
    kind: "stable",
    verbs: ["active", "manage"],
    interfaces: true,
    deploy: "begin",
    release: "unclaim",
    advice: "Run the command again",
  },
  // A running deploy cannot be stopped: `deleted` is illegal until it ends or waits.
  deploying: moving("wait"),
  "wait call-back": moving("undeploy", ["deleted"]),
  "deploy hold": {
    kind: "held",
    verbs: [],
    interfaces: false,
    deploy: "wait",
    release: "wait",
    advice: UNHOLD,
  },
  "deploy failed": {
    kind: "failed",
    verbs: ["active", "rebuild", "deleted"],
    interfaces: false,
    deploy: "retry",
    release: "undeploy",
    advice: "Remove the cause and run `pulumi up` again, or `pulumi destroy` to give the node back",
  },
  active: {
    kind: "stable",
    verbs: ["rebuild", "deleted"],
    interfaces: false,
    deploy: "judge",
    release: "undeploy",
    advice: UNDEPLOY,
  },
  deleting: moving(),
  // Undeploying failed. What runs on the machine is unknown.
  error: {
    kind: "failed",
    verbs: ["rebuild", "deleted"],
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: "Its undeployment failed; remove the cause, then `baremetal node undeploy {node}`",
  },
  cleaning: moving(),
  "clean wait": moving(),
  "clean hold": { kind: "held", verbs: [], interfaces: false, deploy: "wait", release: "wait", advice: UNHOLD },
  "clean failed": {
    kind: "failed",
    verbs: ["manage"],
    interfaces: false,
    deploy: "refuse",
    release: "recover",
    advice:
      "Its cleaning failed; remove the cause, then `baremetal node manage {node}` and `baremetal node provide {node}`",
  },
  inspecting: moving(),
  "inspect wait": { ...moving(), interfaces: true },
  "inspect failed": {
    kind: "failed",
    verbs: ["manage"],
    interfaces: false,
    deploy: "refuse",
    release: "unclaim",
    advice: "Its inspection failed: `baremetal node manage {node}`, then `baremetal node provide {node}`",
  },
  adopting: moving(),
  "adopt failed": {
    kind: "failed",
    verbs: ["manage"],
    interfaces: false,
    deploy: "refuse",
    release: "unclaim",
    advice: "Its adoption failed: `baremetal node manage {node}`, then `baremetal node provide {node}`",
  },
  rescuing: moving(),
  "rescue wait": moving("undeploy", ["deleted"]),
  rescue: {
    kind: "stable",
    verbs: ["deleted"],
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: UNRESCUE,
  },
  "rescue failed": {
    kind: "failed",
    verbs: ["deleted"],
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: UNRESCUE,
  },
  unrescuing: moving(),
  "unrescue failed": {
    kind: "failed",
    verbs: ["deleted"],
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: UNRESCUE,
  },
  servicing: moving(),
  "service wait": moving("undeploy", ["deleted"]),
  "service hold": { kind: "held", verbs: [], interfaces: false, deploy: "wait", release: "wait", advice: UNHOLD },
  "service failed": {
    kind: "failed",
    verbs: ["deleted"],
    interfaces: false,
    deploy: "refuse",
    release: "undeploy",
    advice: "Its servicing failed; an operator must end it: `baremetal node abort {node}`",
  },
};

/** The row of a state, or `undefined` for a state of a newer Ironic. Old APIs call `available` null. */
export function stateFacts(state: string | null): StateFacts | undefined {
  const name = stateName(state);
  return Object.hasOwn(STATES, name) ? STATES[name as ProvisionState] : undefined;
}

export const stateName = (state: string | null): string => state ?? "available";
