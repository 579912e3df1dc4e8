// Nodes that an account may not see: Ironic answers as if they did not exist, and leaves them out of lists.
// `check_node_policy_and_retrieve` of https://opendev.org/openstack/ironic/src/branch/master/ironic/api/controllers/v1/utils.py
import type { Canned } from "./proxy.ts";
import { nodeIn } from "./requests.ts";
import { record } from "./values.ts";

/** `ident`: a UUID or a name. */
export type IsHidden = (ident: string) => boolean;

/** The answer to a request that names a hidden node. */
export function concealed(path: string, isHidden: IsHidden): Canned | undefined {
  const ident = nodeIn(path);
  if (ident === undefined || !isHidden(ident)) return undefined;
  const fault = { faultcode: "Client", faultstring: `Node ${ident} could not be found.`, debuginfo: null };
  return {
    status: 404,
    type: "application/json",
    body: JSON.stringify({ error_message: JSON.stringify(fault) }),
  };
}

/** A list without hidden nodes and their ports; undefined where it has none of them. */
export function thinned(body: unknown, isHidden: IsHidden): unknown {
  const lists = Object.entries(record(body)).filter(([, value]) => Array.isArray(value)) as [string, unknown[]][];
  const isSeen = (item: unknown): boolean => {
    const { uuid, name, node_uuid } = record(item);
    return ![uuid, name, node_uuid].some((ident) => typeof ident === "string" && isHidden(ident));
  };
  const kept = lists.map(([key, items]) => [key, items.filter(isSeen)] as const);
  if (kept.every(([, items], index) => items.length === lists[index]?.[1].length)) return undefined;
  return { ...record(body), ...Object.fromEntries(kept) };
}
