/** provider's Client in front of the fake Ironic: routes, an account of every write, and faults by plan. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../provider/core/clock.ts";
import { IronicError } from "../../provider/core/errors.ts";
import type { Fault as Meaning } from "../../provider/core/faults.ts";
import type { CallOptions, Client, ReadOptions } from "../../provider/http/client.ts";
import type { Here } from "../../provider/http/place.ts";
import { featureMinors } from "../../provider/http/versions.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import { type Allocations, allocationsOf } from "./allocations.ts";
import { copy, errorOf, GATEWAY, picked, refusedFields, shownNode, TEXTS } from "./answers.ts";
import type { FakeIronic } from "./ironic-model.ts";
import type { Refusal } from "./node-rules.ts";
import { shaped } from "./shaped.ts";

/** What goes wrong with one request. The first three are done nonetheless, or not: the caller cannot tell. */
export type Fault =
  | "loseAfter"
  | "loseBefore"
  | "hangAfter"
  | "hangBefore"
  | "locked"
  | "overloaded"
  | "serverError"
  | "noConductor"
  | "forbidden"
  /** A proxy's 404, or one of a wrong path. */
  | "notThere"
  /** A gateway's 503: it may have passed the request on or not. */
  | "unavailableAfter"
  | "unavailableBefore"
  | "unreachable"
  /** The process ends before the request is sent, or before its answer arrives. */
  | "dieBefore"
  | "dieAfter";

export interface Request {
  /** Counts the requests of this client from 0. */
  index: number;
  method: string;
  path: string;
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  later?: boolean;
}

/** One write as Ironic saw it. */
export interface Write extends Request {
  by: string;
  atMs: number;
  /** The node just before. */
  before: Node | undefined;
  /** The last whole node that this resource had been shown, and when. */
  shown: Node | undefined;
  shownAtMs: number;
  applied: boolean;
  refusal?: Refusal;
}

export interface ClientOptions {
  ironic: FakeIronic;
  clock: Clock;
  by?: string;
  minor?: number;
  latencyMs?: number;
  /** Scope of the login; nodes may be hidden from a project's. */
  scope?: string;
  /** Fields that this account may not write. */
  forbidden?: readonly string[];
  /** What Ironic says of every driver. */
  driver?: Record<string, string[]>;
  /** Called for each request just before it is handled. */
  onRequest?(request: Request): Fault | undefined;
  onDeath?(): void;
  writes?: Write[];
}

export interface FakeClient extends Client {
  readonly requests: Request[];
  readonly writes: Write[];
  readonly allocations: Allocations;
  /** Where and as whom it asks. */
  here: Here;
  /** UUIDs of what Ironic does not show to this account. */
  readonly hidden: Set<string>;
}

/** Which resource of a run asks: resources of one run share a client, but not what they have seen. */
export const actor = new AsyncLocalStorage<string>();

const HANG_MS = 60_000;
const DRIVER = { enabled_boot_interfaces: ["ipxe", "pxe", "redfish-virtual-media"] };
const forever = new Promise<never>(() => undefined);

export function fakeClient(options: ClientOptions): FakeClient {
  const { ironic, clock, by = "us", minor = 115, latencyMs = 0, driver = DRIVER } = options;
  const requests: Request[] = [];
  const writes = options.writes ?? [];
  const allocations = allocationsOf(ironic);
  const hidden = new Set<string>();
  const shown = new Map<string, { node: Node; atMs: number }>();

  const sightKey = (uuid: string): string => `${actor.getStore() ?? ""} ${uuid}`;
  const show = (node: Node): Node => {
    const seen = shownNode(node);
    shown.set(sightKey(node.uuid), { node: seen, atMs: clock.now() });
    return seen;
  };
  const uuidOf = (ident: string): string | undefined => ironic.find(ident)?.node.uuid;

  /** Ironic's answer about what this account is not shown: the same as about what is not there. */
  function concealed(path: string): Refusal | undefined {
    const [, kind, ident = ""] = path.split("/");
    const name = decodeURIComponent(ident);
    if (!hidden.has(uuidOf(name) ?? name)) return undefined;
    return { status: 404, text: `${kind === "allocations" ? "Allocation" : "Node"} ${name} could not be found.` };
  }

  function read({ path, query }: Request): { body: unknown } | Refusal {
    const [, kind, ident = "", more] = path.split("/");
    const refused = kind === "nodes" ? refusedFields(query?.fields) : undefined;
    if (refused) return refused;
    if (kind === "nodes" && ident === "") return list(query);
    if (kind === "ports") return { body: { ports: copy(portsOf(query?.node)) } };
    if (kind === "portgroups") return { body: { portgroups: [] } };
    if (kind === "allocations" && ident === "") return { body: { allocations: copy(allocations.all) } };
    if (kind === "allocations") return allocations.read(ident);
    if (kind === "drivers") return { body: driver };
    const fake = ironic.find(decodeURIComponent(ident));
    if (!fake) return { status: 404, text: `Node ${ident} could not be found.` };
    const { node } = fake;
    if (more === "validate") {
      const good = fake.node.instance_info.boot_iso || fake.node.instance_info.kernel;
      return { body: { deploy: good ? { result: true } : { result: false, reason: "nothing to boot" } } };
    }
    if (more === "history") return { body: { history: copy(fake.history) } };
    return { body: query?.fields === undefined ? show(node) : picked(node, query.fields) };
  }

  function list(query: Request["query"]): { body: unknown } | Refusal {
    const limit = Number(query?.limit ?? 1_000);
    const sought = query?.instance_uuid;
    const all = ironic.nodes
      .map(({ node }) => ironic.find(node.uuid)?.node as Node)
      .filter((node) => (sought === undefined || node.instance_uuid === sought) && !hidden.has(node.uuid));
    const marker = query?.marker;
    if (marker !== undefined && !ironic.find(String(marker)))
      return { status: 404, text: `Node ${marker} could not be found.` };
    const from = marker === undefined ? 0 : all.findIndex(({ uuid }) => uuid === marker) + 1;
    const nodes = all.slice(from, from + limit).map((node) => picked(node, query?.fields));
    return { body: { nodes, ...(from + limit < all.length && { next: "more" }) } };
  }

  const portsOf = (ident: unknown) =>
    ironic.nodes
      .filter(
        ({ node }) => (ident === undefined || node.uuid === ident || node.name === ident) && !hidden.has(node.uuid),
      )
      .flatMap(({ ports }) => ports);

  function write(request: Request): { body: unknown } | Refusal {
    const { method, path, body } = request;
    const [, kind, ident = "", ...more] = path.split("/");
    const before = kind === "nodes" ? ironic.find(ident)?.node : undefined;
    const entry: Write = {
      ...request,
      by,
      atMs: clock.now(),
      before: before && copy(before),
      shown: before && shown.get(sightKey(before.uuid))?.node,
      shownAtMs: (before && shown.get(sightKey(before.uuid))?.atMs) ?? 0,
      applied: false,
    };
    writes.push(entry);
    const answer = apply(method, kind, ident, more.join("/"), body);
    entry.applied = !("status" in answer);
    if ("status" in answer) entry.refusal = answer;
    return answer;
  }

  function apply(method: string, kind = "", ident: string, more: string, body: unknown): { body: unknown } | Refusal {
    const uuid = uuidOf(ident) ?? ident;
    if (kind === "allocations")
      return method === "POST" ? allocations.make(body as Record<string, unknown>) : allocations.remove(ident);
    const barred = method === "PATCH" && (body as PatchOp[]).find((op) => options.forbidden?.includes(op.path));
    if (barred) return { status: 403, text: `The policy does not allow to update ${barred.path}` };
    if (method === "PATCH")
      return ironic.patch(uuid, copy(body as PatchOp[])) ?? { body: show(ironic.find(uuid)?.node as Node) };
    const { target, configdrive } = (body ?? {}) as { target?: string; configdrive?: unknown };
    if (more === "states/provision")
      return ironic.provision(uuid, by, target ?? "", configdrive) ?? { body: undefined };
    if (more === "states/power") return ironic.power(uuid, target ?? "") ?? { body: undefined };
    if (more === "maintenance" && method === "DELETE") {
      const node = ironic.find(uuid)?.node;
      if (node) Object.assign(node, { maintenance: false, maintenance_reason: null, fault: null });
      return { body: undefined };
    }
    throw new Error(`the fake Ironic knows no ${method} ${kind} ${more}`);
  }

  const lost = (fault: Meaning, method: string, path: string, call: CallOptions, detail: string): IronicError =>
    new IronicError({ fault, operation: call.operation, request: `${method} /v1${path}`, detail, node: call.node });

  async function exchange<T>(method: string, path: string, call: ReadOptions<T>): Promise<T> {
    const { query, body, signal, later } = call;
    const request: Request = {
      index: requests.length,
      method,
      path,
      ...(query && { query }),
      ...(body !== undefined && { body }),
      ...(later !== undefined && { later }),
    };
    requests.push(request);
    signal?.throwIfAborted();
    await clock.sleep(latencyMs, signal);
    const fault = options.onRequest?.(request);
    const handle = () => concealed(path) ?? (method === "GET" ? read(request) : write(request));
    if (fault === "dieBefore" || fault === "dieAfter") {
      if (fault === "dieAfter") handle();
      options.onDeath?.();
      return await forever;
    }
    if (fault === "unreachable") throw lost("unreachable", method, path, call, "connection refused");
    if (fault === "hangBefore" || fault === "hangAfter") {
      if (fault === "hangAfter") handle();
      await clock.sleep(call.timeoutMs ?? HANG_MS, signal);
      throw lost("ambiguous", method, path, call, "no answer");
    }
    if (fault === "loseBefore") throw lost("ambiguous", method, path, call, "connection reset");
    const refusal = fault && TEXTS[fault];
    // Ironic without a free worker is in the new state for a moment (ironic/conductor/task_manager.py, process_event).
    if (fault === "overloaded" && path.endsWith("/states/provision")) {
      const fake = ironic.find(path.split("/")[2] ?? "");
      if (fake && !fake.due) ironic.move(fake, fake.node.provision_state ?? "available");
    }
    const answer = refusal ?? handle();
    if (fault === "unavailableAfter") throw errorOf(GATEWAY, method, path, call);
    if (fault === "loseAfter") throw lost("ambiguous", method, path, call, "connection reset");
    if ("status" in answer) throw errorOf(answer, method, path, call);
    return shaped(call.shape, answer.body, `${method} ${path}`);
  }

  return {
    endpoint: "http://ironic.test",
    here: { endpoint: "http://ironic.test", scope: options.scope ?? "none", account: "nobody" },
    hidden,
    requests,
    writes,
    allocations,
    minor: async () => minor,
    supports: async (feature) => minor >= featureMinors[feature],
    require: async (feature, tried) => {
      if (minor < featureMinors[feature])
        throw new IronicError({
          fault: "unsupported",
          operation: tried,
          request: "not sent",
          detail: `needs ${feature}`,
        });
    },
    get: (path, call) => exchange("GET", path, call),
    send: (method, path, call) => exchange(method, path, call),
    stats: { requests: 0, retries: 0 } as unknown as Client["stats"],
    close: async () => undefined,
  };
}
