/** The part of Ironic's node API that this project uses. Fields: https://docs.openstack.org/api-ref/baremetal/#nodes-nodes */

import { isFault, isHidden, isNodeGone, ProblemError, raceAbort } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import { readPages } from "../http/index.ts";
import type { Verb } from "./states.ts";

export interface Node {
  uuid: string;
  name: string | null;
  driver?: string;
  /** `null` is what old APIs call `available`. */
  provision_state: string | null;
  target_provision_state: string | null;
  /** Changes with each provision state, and with nothing else (NodeObject / db update_node). */
  provision_updated_at: string | null;
  instance_uuid: string | null;
  allocation_uuid?: string | null;
  last_error: string | null;
  power_state: string | null;
  target_power_state?: string | null;
  maintenance: boolean;
  maintenance_reason?: string | null;
  /** Why Ironic itself set maintenance, e.g. `clean failure`. */
  fault?: string | null;
  /** The conductor that holds the node's lock. */
  reservation: string | null;
  clean_step?: { step?: string } | null;
  deploy_step?: { step?: string } | null;
  protected?: boolean;
  retired?: boolean;
  automated_clean?: boolean | null;
  boot_interface?: string | null;
  deploy_interface?: string | null;
  description?: string | null;
  resource_class?: string | null;
  traits?: string[];
  extra: Record<string, unknown>;
  instance_info: Record<string, unknown>;
  driver_info: Record<string, unknown>;
  properties: Record<string, unknown>;
}

/** What a waiting resource needs to see again and again; the rest of a node is read when something is decided on it. */
export const LIGHT_FIELDS = [
  "uuid",
  "name",
  "provision_state",
  "target_provision_state",
  "provision_updated_at",
  "instance_uuid",
  "last_error",
  "power_state",
  "maintenance",
  "fault",
  "reservation",
  "clean_step",
  "deploy_step",
] as const satisfies readonly (keyof Node)[];

export type LightNode = Pick<Node, (typeof LIGHT_FIELDS)[number]>;

export interface Port {
  uuid: string;
  node_uuid?: string;
  address: string;
  name?: string | null;
  pxe_enabled: boolean;
  physical_network?: string | null;
  portgroup_uuid?: string | null;
}

export interface PortGroup {
  uuid: string;
  name?: string | null;
  address?: string | null;
  mode?: string | null;
  properties?: Record<string, unknown>;
}

export type PatchOp = { op: "add" | "replace" | "remove"; path: string; value?: unknown };

/** RFC 6901: a key as one segment of a JSON pointer. */
export const pointer = (...keys: string[]): string =>
  keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

const segment = encodeURIComponent;

export const readNode = (client: Client, node: string, tried: string, signal?: AbortSignal): Promise<Node> =>
  client.get<Node>(`/nodes/${segment(node)}`, { tried, node, ...(signal && { signal }) });

// Ironic loads the node, applies the patch and saves whole columns: two patches of different keys of `extra` at the
// same time can lose one of them. Within this process they therefore queue per node.
const queues = new WeakMap<Client, Map<string, Promise<unknown>>>();

/** One PATCH; the answer is the whole node as saved. */
export function patchNode(
  client: Client,
  uuid: string,
  body: PatchOp[],
  tried: string,
  signal?: AbortSignal,
  later?: boolean,
): Promise<Node> {
  const queue = queues.get(client) ?? new Map<string, Promise<unknown>>();
  queues.set(client, queue);
  const before = queue.get(uuid) ?? Promise.resolve();
  const turn = raceAbort(before, signal).then(() =>
    client.send<Node>("PATCH", `/nodes/${segment(uuid)}`, { tried, node: uuid, body, signal, later }),
  );
  // Who leaves the queue does not end the turn of those before it.
  const settled: Promise<void> = Promise.allSettled([before, turn]).then(() => {
    if (queue.get(uuid) === settled) queue.delete(uuid);
  });
  queue.set(uuid, settled);
  return turn;
}

export const putProvision = (
  client: Client,
  uuid: string,
  body: { target: Verb; configdrive?: unknown },
  tried: string,
  signal?: AbortSignal,
): Promise<unknown> =>
  client.send("PUT", `/nodes/${segment(uuid)}/states/provision`, {
    tried,
    node: uuid,
    body,
    ...(signal && { signal }),
  });

export const putPowerOn = (client: Client, uuid: string, signal?: AbortSignal): Promise<unknown> =>
  client.send("PUT", `/nodes/${segment(uuid)}/states/power`, {
    tried: "power the node on",
    node: uuid,
    body: { target: "power on" },
    ...(signal && { signal }),
  });

export const clearMaintenance = (client: Client, uuid: string, signal?: AbortSignal): Promise<unknown> =>
  client.send("DELETE", `/nodes/${segment(uuid)}/maintenance`, {
    tried: "end the maintenance that the failed cleaning had set",
    node: uuid,
    ...(signal && { signal }),
  });

/** One line per interface that Ironic would refuse to deploy with; empty when all is well. */
export async function validateForDeploy(client: Client, uuid: string, signal?: AbortSignal): Promise<string[]> {
  const answer = await client.get<Record<string, { result: boolean | null; reason?: string | null }>>(
    `/nodes/${segment(uuid)}/validate`,
    { tried: "validate the node for deployment", node: uuid, ...(signal && { signal }) },
  );
  return ["power", "management", "boot", "deploy", "network", "storage"]
    .filter((name) => answer[name]?.result === false)
    .map((name) => `${name}: ${answer[name]?.reason ?? "no reason given"}`);
}

export async function readPorts(client: Client, node: string, signal?: AbortSignal): Promise<Port[]> {
  const fields = ["uuid", "node_uuid", "address", "pxe_enabled", "physical_network", "portgroup_uuid"];
  if (await client.supports("portName")) fields.push("name");
  const { ports } = await client.get<{ ports: Port[] }>("/ports", {
    tried: "read the node's ports",
    node,
    query: { node, fields: fields.join(",") },
    ...(signal && { signal }),
  });
  // In Ironic's order: oldest first.
  return ports;
}

export async function readPortGroups(client: Client, node: string, signal?: AbortSignal): Promise<PortGroup[]> {
  const { portgroups } = await client.get<{ portgroups: PortGroup[] }>("/portgroups", {
    tried: "read the node's port groups",
    node,
    query: { node, fields: "uuid,name,address,mode,properties" },
    ...(signal && { signal }),
  });
  return portgroups;
}

interface HistoryEvent {
  uuid: string;
  created_at: string;
  event_type: string;
  event: string;
  severity: string;
}

const MAX_HISTORY_PAGES = 20;

/** What Ironic remembers of the node, oldest first; nothing where it keeps no history or does not show it. */
async function readHistory(client: Client, node: string, signal?: AbortSignal): Promise<HistoryEvent[]> {
  if (!(await client.supports("nodeHistory"))) return [];
  const call = { tried: "read the node's history", node, query: { detail: "true" }, ...(signal && { signal }) };
  try {
    return await readPages(client, `/nodes/${segment(node)}/history`, "history", call, MAX_HISTORY_PAGES);
  } catch (error) {
    // Also where the server knows the list, but not as it is asked for here.
    if (isHidden(error) || isFault(error, "unacceptable", "invalid")) return [];
    throw error;
  }
}

/**
 * Does Ironic remember a deployment or rebuild that began at `since` or later? Newer versions write that down, unless
 * `[conductor] record_step_flows_in_history` is off; a role that is only the node's lessee may not read it. `silent` where
 * no beginning is remembered at all.
 */
export async function recallStart(
  client: Client,
  node: string,
  since: string | null,
  signal?: AbortSignal,
): Promise<"start" | "none" | "silent"> {
  const sinceMs = Date.parse(since ?? "");
  if (Number.isNaN(sinceMs)) return "silent";
  const starts = (await readHistory(client, node, signal)).filter(
    ({ event_type }) => event_type === "deployment_start",
  );
  if (starts.length === 0) return "silent";
  return starts.some(({ created_at }) => Date.parse(created_at) >= sinceMs) ? "start" : "none";
}

/**
 * Why the node's last operation failed: `last_error`, else the newest ERROR event of its history since `since`.
 * Ironic 39.0 leaves `last_error` empty for some failed deploys; the history may be switched off.
 */
export async function failureCause(
  client: Client,
  node: Node,
  since: string | undefined,
  signal?: AbortSignal,
): Promise<string> {
  if (node.last_error) return node.last_error;
  // The failure itself is the news, whatever keeps Ironic from explaining it.
  const events = await readHistory(client, node.uuid, signal).catch((error: unknown) => {
    if (isFault(error)) return [];
    throw error;
  });
  const errors = events
    .filter(({ severity, created_at }) => severity === "ERROR" && (!since || created_at >= since.slice(0, 19)))
    .sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
  return errors.at(-1)?.event ?? "Ironic gives no reason; the conductor's log has it";
}

/**
 * Does `name` name the node that a state knows by UUID? Asked only when a program spells it anew. Another node means a
 * replacement, which ends what runs: only Ironic's own word that there is none of that name counts as such.
 */
export async function isSameNode(
  state: { node: string; nodeUuid?: string | undefined; nodeName?: string | undefined },
  name: string,
  client: () => Promise<Client>,
  signal: AbortSignal,
): Promise<boolean> {
  if ([state.node, state.nodeUuid, state.nodeName].includes(name)) return true;
  // There is nothing to compare with: a ready config drive knows no node.
  if (state.nodeUuid === undefined) return false;
  try {
    return (await readNode(await client(), name, "see whether it is the same node", signal)).uuid === state.nodeUuid;
  } catch (error) {
    if (isNodeGone(error)) return false;
    if (signal.aborted) throw error;
    throw new ProblemError({
      problem: `Whether ${name} is the node that the state knows as ${state.node} is not known, and another one would mean a replacement: ${(error as Error).message}`,
      advice: "Nothing was touched. Run again when Ironic answers, or leave the node spelled as before.",
      node: state.nodeUuid,
      cause: error,
    });
  }
}
