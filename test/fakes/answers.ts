/** What the fake Ironic answers: nodes as it shows them, and refusals by fault. */
import { IronicError } from "../../provider/core/errors.ts";
import { recognise } from "../../provider/core/recognitions.ts";
import { askedBy, type CallOptions } from "../../provider/http/client.ts";
import type { Node } from "../../provider/node/node.ts";
import type { Fault } from "./client.ts";
import type { Refusal } from "./node-rules.ts";

export const GATEWAY: Refusal = { status: 503, text: "upstream connect error or disconnect/reset before headers" };
export const TEXTS: Partial<Record<Fault, Refusal>> = {
  locked: { status: 409, text: "Node x is locked by host conductor-2, please retry" },
  overloaded: { status: 503, text: "Requested action cannot be performed due to lack of free conductor workers" },
  serverError: { status: 500, text: "Internal Server Error" },
  noConductor: { status: 404, text: "No valid host was found. Reason: No conductor service registered" },
  notThere: { status: 404, text: "The requested URL was not found on this server." },
  forbidden: { status: 403, text: "Access was denied to the following resource: baremetal:node:list" },
  unavailableBefore: GATEWAY,
};

export const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Ironic masks config drives, and in texts what it takes for a secret (oslo.utils, strutils.mask_dict_password). */
export const shownNode = (node: Node): Node => {
  const shown = copy(node);
  for (const texts of [shown.instance_info, shown.driver_info])
    for (const [key, value] of Object.entries(texts ?? {}))
      if (typeof value === "string" && texts)
        texts[key] = value.replace(/((?:password|secret|token)[0-9]*\s*=\s*)[^\s^'"]+/gi, "$1******");
  if (shown.instance_info && "configdrive" in shown.instance_info) shown.instance_info.configdrive = "******";
  return shown;
};

export const picked = (node: Node, fields: unknown): Partial<Node> => {
  if (typeof fields !== "string") return shownNode(node);
  const all = node as unknown as Record<string, unknown>;
  return shownNode(Object.fromEntries(fields.split(",").map((key) => [key, all[key]])) as unknown as Node);
};

export const errorOf = (refusal: Refusal, method: string, path: string, options: CallOptions): IronicError =>
  new IronicError({
    fault: recognise({ server: "ironic", ...refusal, asked: askedBy(options) }).fault,
    operation: options.operation,
    request: `${method} /v1${path}`,
    detail: refusal.text,
    status: refusal.status,
    node: options.node,
  });
