/** The part of Ironic's node API that this project uses; what is read of its answers is in node-schema.ts. */

import { isFault, isHidden, isNodeGone, ProblemError } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import { ignored, readPages } from "../http/index.ts";
import {
  fieldsOf,
  type HistoryEvent,
  historyPage,
  type Node,
  nodeSchema,
  type Port,
  type PortGroup,
  portGroupSchema,
  portGroupsSchema,
  portSchema,
  portsSchema,
  validationSchema,
} from "./node-schema.ts";
import type { Verb } from "./states.ts";

export type { LightNode, Node, Port, PortGroup, SurveyedNode } from "./node-schema.ts";

export type PatchOp = { op: "add" | "replace" | "remove"; path: string; value?: unknown };

/** RFC 6901: a key as one segment of a JSON pointer. */
export const pointer = (...keys: string[]): string =>
  keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

const segment = encodeURIComponent;

export const readNode = (client: Client, node: string, operation: string, signal?: AbortSignal): Promise<Node> =>
  client.get(`/nodes/${segment(node)}`, { operation: operation, node, shape: nodeSchema, ...(signal && { signal }) });

export const putProvision = (
  client: Client,
  uuid: string,
  body: { target: Verb; configdrive?: unknown },
  operation: string,
  signal?: AbortSignal,
): Promise<unknown> =>
  client.send("PUT", `/nodes/${segment(uuid)}/states/provision`, {
    operation: operation,
    node: uuid,
    body,
    shape: ignored,
    ...(signal && { signal }),
  });

export const putPowerOn = (client: Client, uuid: string, signal?: AbortSignal): Promise<unknown> =>
  client.send("PUT", `/nodes/${segment(uuid)}/states/power`, {
    operation: "power the node on",
    node: uuid,
    body: { target: "power on" },
    shape: ignored,
    ...(signal && { signal }),
  });

export const clearMaintenance = (client: Client, uuid: string, signal?: AbortSignal): Promise<unknown> =>
  client.send("DELETE", `/nodes/${segment(uuid)}/maintenance`, {
    operation: "end the maintenance that the failed cleaning set",
    node: uuid,
    shape: ignored,
    ...(signal && { signal }),
  });

/** One line per interface that Ironic would refuse to deploy with; empty when all is well. */
export async function validateForDeploy(client: Client, uuid: string, signal?: AbortSignal): Promise<string[]> {
  const answer = await client.get(`/nodes/${segment(uuid)}/validate`, {
    operation: "validate the node for deployment",
    node: uuid,
    shape: validationSchema,
    ...(signal && { signal }),
  });
  return Object.entries(answer)
    .filter(([, checked]) => checked?.result === false)
    .map(([name, checked]) => `${name}: ${checked?.reason ?? "Ironic gives no reason"}`);
}

export async function readPorts(client: Client, node: string, signal?: AbortSignal): Promise<Port[]> {
  const hasName = await client.supports("portName");
  const fields = fieldsOf(portSchema).filter((field) => field !== "name" || hasName);
  const { ports } = await client.get("/ports", {
    operation: "read the node's ports",
    node,
    shape: portsSchema,
    query: { node, fields: fields.join(",") },
    ...(signal && { signal }),
  });
  // In Ironic's order: oldest first.
  return ports;
}

export async function readPortGroups(client: Client, node: string, signal?: AbortSignal): Promise<PortGroup[]> {
  const { portgroups } = await client.get("/portgroups", {
    operation: "read the node's port groups",
    node,
    shape: portGroupsSchema,
    query: { node, fields: fieldsOf(portGroupSchema).join(",") },
    ...(signal && { signal }),
  });
  return portgroups;
}

const MAX_HISTORY_PAGES = 20;

/** What Ironic remembers of the node, oldest first; nothing where it keeps no history or does not show it. */
async function readHistory(client: Client, node: string, signal?: AbortSignal): Promise<HistoryEvent[]> {
  if (!(await client.supports("nodeHistory"))) return [];
  const call = { operation: "read the node's history", node, query: { detail: "true" }, ...(signal && { signal }) };
  try {
    return await readPages(client, `/nodes/${segment(node)}/history`, historyPage, call, MAX_HISTORY_PAGES);
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
export async function startSince(
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
  // The failure itself is reported even if Ironic cannot explain it.
  const events = await readHistory(client, node.uuid, signal).catch((error: unknown) => {
    if (isFault(error)) return [];
    throw error;
  });
  const errors = events
    .filter(({ severity, created_at }) => severity === "ERROR" && (!since || created_at >= since.slice(0, 19)))
    .sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
  return errors.at(-1)?.event ?? "Ironic gives no reason; see the conductor's log";
}

/**
 * Does `name` name the node that a state knows by UUID? Checked only when the program writes it differently. Another node means a
 * replacement, which ends what runs: only Ironic's answer that there is no node of that name counts as proof.
 */
export async function isSameNode(
  state: { node: string; nodeUuid?: string | undefined; nodeName?: string | undefined },
  name: string,
  client: () => Promise<Client>,
  signal: AbortSignal,
): Promise<boolean> {
  if ([state.node, state.nodeUuid, state.nodeName].includes(name)) return true;
  // Nothing to compare with: the state of a ready config drive has no node.
  if (state.nodeUuid === undefined) return false;
  try {
    return (await readNode(await client(), name, "check whether it is the same node", signal)).uuid === state.nodeUuid;
  } catch (error) {
    if (isNodeGone(error)) return false;
    if (signal.aborted) throw error;
    throw new ProblemError({
      code: "node-identity-unknown",
      problem: `It is not known whether ${name} is the node that the state knows as ${state.node}, and another node would mean a replacement: ${(error as Error).message}`,
      advice: "Nothing was changed. Run again when Ironic answers, or write the node as before.",
      node: state.nodeUuid,
      cause: error,
    });
  }
}
