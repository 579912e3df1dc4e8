/** An Ironic in memory, on a virtual clock: nodes that pass from state to state, and who wrote what to them. */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../provider/core/clock.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import { DEFAULT_FATE, type FakeNode, type NodeBehaviour, newNode } from "./fake-node.ts";
import { applyPatch, changeRefusal, legal, patchRefusal, type Refusal } from "./node-rules.ts";
import { transitions } from "./transitions.ts";

export interface IronicOptions {
  clock: Pick<Clock, "now">;
  /** What a node does whose automated_clean is unset. Default: cleans. */
  cleansByDefault?: boolean;
  /** MySQL keeps whole seconds of provision_updated_at, SQLite microseconds. */
  resolution?: "us" | "s";
  /** Told of each change of a node, with when it came about. */
  onChange?(fake: FakeNode, atMs: number): void;
}

export interface FakeIronic {
  readonly nodes: FakeNode[];
  readonly clock: Pick<Clock, "now">;
  add(fields?: Partial<Node>, fate?: Partial<NodeBehaviour>): FakeNode;
  remove(uuid: string): void;
  /** By name or UUID, with everything that has become due done. */
  find(ident: string): FakeNode | undefined;
  patch(ident: string, ops: readonly PatchOp[]): Refusal | undefined;
  provision(ident: string, by: string, target: string, configdrive?: unknown): Refusal | undefined;
  power(ident: string, target: string): Refusal | undefined;
  move(fake: FakeNode, state: string, target?: string | null): void;
}

export function fakeIronic(options: IronicOptions): FakeIronic {
  const { clock, cleansByDefault = true, resolution = "us", onChange } = options;
  const nodes: FakeNode[] = [];
  const { stamp, enter, startDeploy, startClean, startManualClean, startUndeploy } = transitions(
    clock,
    cleansByDefault,
    resolution,
  );

  const settle = (fake: FakeNode): FakeNode => {
    while (fake.due && fake.due.atMs <= clock.now()) {
      const { act, atMs } = fake.due;
      fake.due = undefined;
      act();
      onChange?.(fake, atMs);
    }
    if (fake.powerDue && fake.powerDue.atMs <= clock.now()) {
      fake.powerDue = undefined;
      fake.node.power_state = "power on";
    }
    return fake;
  };

  const find = (ident: string): FakeNode | undefined => {
    const fake = nodes.find(({ node }) => node.uuid === ident || node.name === ident);
    return fake && settle(fake);
  };

  const gone = (ident: string): Refusal => ({ status: 404, text: `Node ${ident} could not be found.` });

  const invalid = (node: Node): string | undefined => {
    const { kernel, ramdisk, boot_iso, image_source } = node.instance_info;
    if (node.deploy_interface !== "ramdisk") return "the deploy interface is not ramdisk";
    if (boot_iso ? image_source !== undefined : !(kernel && ramdisk)) return "kernel and ramdisk, or boot_iso";
    return undefined;
  };

  function provisionRefusal(fake: FakeNode, target: string): Refusal | undefined {
    const { node } = fake;
    const boots = target === "active" || target === "rebuild";
    if (boots && node.maintenance)
      return {
        status: 400,
        text: `The provisioning operation can't be performed on node ${node.uuid} because it's in maintenance mode.`,
      };
    if (!legal(node.provision_state, target))
      return node.reservation
        ? { status: 409, text: `Node ${node.uuid} is locked by host ${node.reservation}, please retry` }
        : {
            status: 400,
            text: `The requested action "${target}" can not be performed on node "${node.uuid}" while it is in state "${node.provision_state}".`,
          };
    if (node.protected && (target === "deleted" || target === "rebuild"))
      return { status: 403, text: `Node ${node.uuid} is protected and can not be undeployed, rebuilt or deleted.` };
    if (target === "provide" && (node.maintenance || node.retired))
      return {
        status: 400,
        text: `The providing operation can't be performed on node ${node.uuid} because it is ${node.retired ? "retired" : "in maintenance mode"}.`,
      };
    if (target === "rebuild" && fake.fate.rebuild !== "works") {
      const around = fake.fate.rebuild === "39.0" && "image_source" in node.instance_info;
      if (!around) return { status: 500, text: "cannot access local variable 'auto_lessee'" };
    }
    const wrong = boots ? invalid(node) : undefined;
    return wrong ? { status: 400, text: `Failed to validate deploy or power info for node: ${wrong}` } : undefined;
  }

  return {
    nodes,
    clock,
    find,
    add(fields = {}, fate = {}) {
      const node = newNode(nodes.length + 1, stamp(clock.now()), fields);
      const port = { uuid: `p-${node.uuid}`, node_uuid: node.uuid, address: "52:54:00:00:00:01", pxe_enabled: true };
      const fake: FakeNode = {
        node,
        fate: { ...DEFAULT_FATE, ...fate },
        ports: [port],
        boots: [],
        runs: undefined,
        history: [],
        due: undefined,
        powerDue: undefined,
        verbBy: "others",
        cleanings: [],
        hidden: false,
      };
      nodes.push(fake);
      onChange?.(fake, clock.now());
      return fake;
    },
    remove: (uuid) =>
      nodes.splice(
        nodes.findIndex(({ node }) => node.uuid === uuid),
        1,
      ),
    patch(ident, ops) {
      const fake = find(ident);
      if (!fake) return gone(ident);
      const early = patchRefusal(fake.node, ops);
      if (early) return early;
      const after = structuredClone(fake.node);
      const refused =
        applyPatch(after, ops) ??
        changeRefusal(
          fake.node,
          after,
          nodes.filter((other) => other !== fake).map(({ node }) => node),
        );
      if (refused) return refused;
      // ironic/conductor/manager.py, _check_update_protected
      if (!after.protected) after.protected_reason = null;
      if (!isDeepStrictEqual(after, fake.node)) Object.assign(fake.node, after);
      onChange?.(fake, clock.now());
      return undefined;
    },
    provision(ident, by, target, configdrive) {
      const fake = find(ident);
      if (!fake) return gone(ident);
      const refused = provisionRefusal(fake, target);
      if (refused) return refused;
      fake.verbBy = by;
      if (target === "active" || target === "rebuild") startDeploy(fake, by, target, configdrive);
      if (target === "deleted") startUndeploy(fake);
      if (target === "provide") startClean(fake, clock.now());
      if (target === "manage") enter(fake, "manageable", null, clock.now());
      if (target === "clean") startManualClean(fake);
      if (target === "abort" || target === "unhold") throw new Error(`nobody here sends ${target}`);
      onChange?.(fake, clock.now());
      return undefined;
    },
    power(ident, target) {
      const fake = find(ident);
      if (!fake) return gone(ident);
      if (target === "power on") fake.powerDue = { atMs: clock.now() + fake.fate.powerMs };
      return undefined;
    },
    move(fake, state, target = null) {
      fake.due = undefined;
      // Who comes back from a rescue boots what is written there by then (ironic/drivers/modules/agent.py, unrescue).
      if (fake.node.provision_state === "rescue" && state === "active" && fake.runs)
        fake.runs = { ...fake.runs, info: { ...fake.node.instance_info }, drive: fake.node.instance_info.configdrive };
      enter(fake, state, target, clock.now());
      // Each way into it leaves its cause.
      if (state === "clean failed") fake.node.last_error ??= "the cleaning ended early";
      onChange?.(fake, clock.now());
    },
  };
}
