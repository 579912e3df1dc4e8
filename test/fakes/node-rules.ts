/**
 * Ironic's own rules, by hand from ironic/common/state_machine.py, states.py and conductor/manager.py (39.0): which verb
 * leads where, when a node may be patched, and what a JSON patch does. Nothing of provider/ is used here, so that a
 * mistake there is not repeated.
 */
import type { Node, PatchOp } from "../../provider/node/node.ts";

/** State → verb → next state. */
export const VERBS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  enroll: { manage: "verifying" },
  verifying: {},
  manageable: { provide: "cleaning", clean: "cleaning", inspect: "inspecting", adopt: "adopting" },
  available: { active: "deploying", manage: "manageable" },
  deploying: {},
  "wait call-back": { deleted: "deleting", abort: "deploy failed" },
  "deploy hold": { unhold: "wait call-back", abort: "deploy failed" },
  "deploy failed": { active: "deploying", rebuild: "deploying", deleted: "deleting" },
  active: { rebuild: "deploying", deleted: "deleting", rescue: "rescuing", service: "servicing" },
  deleting: {},
  error: { rebuild: "deploying", deleted: "deleting" },
  cleaning: {},
  "clean wait": { abort: "clean failed" },
  "clean hold": { unhold: "clean wait", abort: "clean failed" },
  "clean failed": { manage: "manageable" },
  inspecting: {},
  "inspect wait": { abort: "inspect failed" },
  "inspect failed": { manage: "manageable", inspect: "inspecting" },
  adopting: {},
  "adopt failed": { manage: "manageable", adopt: "adopting" },
  rescuing: {},
  "rescue wait": { deleted: "deleting", abort: "rescue failed" },
  rescue: { deleted: "deleting", rescue: "rescuing", unrescue: "unrescuing" },
  "rescue failed": { deleted: "deleting", rescue: "rescuing", unrescue: "unrescuing" },
  unrescuing: {},
  "unrescue failed": { deleted: "deleting", rescue: "rescuing", unrescue: "unrescuing" },
  servicing: {},
  "service wait": { deleted: "deleting", abort: "service failed" },
  "service hold": { service: "servicing", unhold: "service wait", abort: "service failed" },
  "service failed": { deleted: "deleting", service: "servicing", rescue: "rescuing", abort: "active" },
};

export const legal = (state: string | null, verb: string): boolean => VERBS[state ?? "available"]?.[verb] !== undefined;

/** UPDATE_ALLOWED_STATES: patched although a target state is set. */
const PATCHED_IN_TRANSITION = [
  "deploy failed",
  "inspect failed",
  "inspect wait",
  "clean failed",
  "error",
  "verifying",
  "adopt failed",
  "rescue failed",
  "unrescue failed",
  "service hold",
  "service failed",
];

const INTERFACES_CHANGE_IN = ["enroll", "inspecting", "inspect wait", "manageable", "available"];

export interface Refusal {
  status: number;
  text: string;
}

/** Why Ironic would not take a patch of this node at all. */
export function patchRefusal(node: Node, ops: readonly PatchOp[]): Refusal | undefined {
  const state = node.provision_state ?? "available";
  const onlyInstance = ops.length === 1 && ops[0]?.op === "remove" && ops[0].path === "/instance_uuid";
  if (node.maintenance && onlyInstance) return undefined;
  if (node.target_provision_state && !PATCHED_IN_TRANSITION.includes(state))
    return { status: 409, text: `Node ${node.uuid} can not be updated while a state transition is in progress.` };
  if (node.reservation)
    return {
      status: 409,
      text: `Node ${node.uuid} is locked by host ${node.reservation}, please retry after the current operation is completed.`,
    };
  return undefined;
}

/** Why Ironic would not take what the patch made of the node. */
export function changeRefusal(before: Node, after: Node, others: readonly Node[]): Refusal | undefined {
  const state = before.provision_state ?? "available";
  for (const field of ["boot_interface", "deploy_interface"] as const)
    if (before[field] !== after[field] && !INTERFACES_CHANGE_IN.includes(state) && !before.maintenance)
      return {
        status: 409,
        text: `Node ${before.uuid} can not have ${field} updated unless it is in one of allowed (${INTERFACES_CHANGE_IN.join(", ")}) states or in maintenance mode. Current state is '${state}'.`,
      };
  if (after.protected && !before.protected && !["active", "rescue"].includes(state))
    return {
      status: 409,
      text: `Node ${before.uuid} can only be made protected in provision states 'active' or 'rescue', the current state is '${state}'`,
    };
  if (before.instance_uuid && after.instance_uuid && before.instance_uuid !== after.instance_uuid)
    return { status: 409, text: `Node ${before.uuid} is associated with instance ${before.instance_uuid}.` };
  if (after.instance_uuid && others.some(({ instance_uuid }) => instance_uuid === after.instance_uuid))
    return {
      status: 409,
      text: `Instance ${after.instance_uuid} is already associated with a node, it cannot be associated with this other node ${before.uuid}`,
    };
  return undefined;
}

const keysOf = (path: string): string[] =>
  path
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));

type Json = Record<string, unknown>;

/** Applies `ops` in place; the refusal of the first that does not apply. */
export function applyPatch(node: Node, ops: readonly PatchOp[]): Refusal | undefined {
  for (const { op, path, value } of ops) {
    const keys = keysOf(path);
    const last = keys.pop() ?? "";
    let holder: unknown = node;
    for (const key of keys) holder = (holder as Json | undefined)?.[key];
    const cannot = { status: 400, text: `Couldn't apply patch '${op} ${path}'. Reason: no such member` };
    if (typeof holder !== "object" || holder === null) return cannot;
    const target = holder as Json;
    const root = keys.length === 0;
    if (op !== "add" && !(last in target)) return cannot;
    if (op === "add" && root && !(last in target)) return { ...cannot, text: `Adding a new attribute (${path})` };
    if (op === "remove" && root && last === "automated_clean") return { status: 500, text: "Internal Server Error" };
    if (op !== "remove") target[last] = value;
    else if (!root) delete target[last];
    else target[last] = ROOT_DEFAULTS[last] ?? null;
  }
  return undefined;
}

const ROOT_DEFAULTS: Json = { deploy_interface: "direct", boot_interface: "ipxe", protected: false, extra: {} };
