// Machines of the lab: enrolled as an operator would, and brought back to that, whatever tests did to them.
import { setTimeout as sleep } from "node:timers/promises";
import { LabError, type Log } from "./problem.ts";
import type { Answer, IronicApi } from "./session.ts";

export interface LabNode {
  uuid: string;
  name: string;
  /** MAC addresses of its ports. */
  macs: string[];
}

export interface NodeImages {
  kernel: string;
  ramdisk: string;
}

/** A one-process Ironic drops connections when too many come at once. */
const atOnce = 6;

/** Names, UUIDs and MAC addresses of `count` machines. Even ones have one port, odd ones two. */
export function inventNodes(count: number): LabNode[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `node-${index}`,
    uuid: crypto.randomUUID(),
    macs: Array.from({ length: 1 + (index % 2) }, (_, port) => mac(index, port)),
  }));
}

/** Addresses of the locally administered kind. */
function mac(index: number, port: number): string {
  const hex = (value: number) => value.toString(16).padStart(2, "0");
  return `52:54:00:${hex(port)}:${hex(index >> 8)}:${hex(index & 255)}`;
}

/** Enrols the nodes and makes them available. Cleaning is off for this one passage only, as it would take long. */
export async function enrol(
  api: IronicApi,
  nodes: readonly LabNode[],
  images: NodeImages,
  owner: string | undefined,
  log: Log,
): Promise<void> {
  const started = Date.now();
  await each(nodes, async (node) => {
    await must(api, "POST", "/v1/nodes", {
      uuid: node.uuid,
      name: node.name,
      driver: "fake-hardware",
      resource_class: "baremetal",
      automated_clean: false,
      ...(owner === undefined ? {} : { owner }),
      driver_info: { deploy_kernel: images.kernel, deploy_ramdisk: images.ramdisk },
      properties: { capabilities: "boot_mode:uefi", cpu_arch: "x86_64", cpus: 8, memory_mb: 16384, local_gb: 100 },
    });
    for (const address of node.macs) await must(api, "POST", "/v1/ports", { node_uuid: node.uuid, address });
    await must(api, "PUT", `/v1/nodes/${node.uuid}/states/provision`, { target: "manage" });
  });
  await untilAll(api, nodes, "manageable");
  await each(nodes, (node) => must(api, "PUT", `/v1/nodes/${node.uuid}/states/provision`, { target: "provide" }));
  await untilAll(api, nodes, "available");
  // `replace` with null, as `remove` answers 500 on Ironic 39.
  const unset = [{ op: "replace", path: "/automated_clean", value: null }];
  await each(nodes, (node) => must(api, "PATCH", `/v1/nodes/${node.uuid}`, unset));
  log(`${nodes.length} nodes are available (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** Sends a request that has to work, waiting for passing locks and overload. */
async function must(api: IronicApi, method: string, path: string, body?: unknown): Promise<Answer> {
  for (const end = Date.now() + 30_000; ; await sleep(150)) {
    const answer = await api(method, path, body);
    if (answer.status < 400) return answer;
    const passing = answer.status === 503 || (answer.status === 409 && JSON.stringify(answer.body).includes("locked"));
    if (passing && Date.now() < end) continue;
    const text = JSON.stringify(answer.body);
    throw new LabError(`${method} ${path}: Ironic answered ${answer.status}: ${text}`, "See the log of Ironic");
  }
}

async function untilAll(api: IronicApi, nodes: readonly LabNode[], wanted: string): Promise<void> {
  let waiting: { name: string; provision_state: string; last_error: string | null }[] = [];
  for (const end = Date.now() + 30_000 + nodes.length * 1000; Date.now() < end; await sleep(100)) {
    const { body } = await must(api, "GET", "/v1/nodes?fields=name,provision_state,last_error&limit=1000");
    waiting = body.nodes.filter((node: { provision_state: string }) => node.provision_state !== wanted);
    const failed = waiting.find((node) => node.last_error !== null);
    if (failed !== undefined)
      throw new LabError(
        `Node ${failed.name} is in ${failed.provision_state}: ${failed.last_error}`,
        "See the log of Ironic",
      );
    if (waiting.length === 0) return;
  }
  const list = waiting.map((node) => `${node.name} (${node.provision_state})`).join(", ");
  throw new LabError(`These nodes do not become ${wanted}: ${list}`, "See the log of Ironic");
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
