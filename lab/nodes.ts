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
    await untilState(api, node.uuid, "manageable");
    await must(api, "PUT", `/v1/nodes/${node.uuid}/states/provision`, { target: "provide" });
    await untilState(api, node.uuid, "available");
    // `replace` with null, as `remove` answers 500 on Ironic 39.
    await must(api, "PATCH", `/v1/nodes/${node.uuid}`, [{ op: "replace", path: "/automated_clean", value: null }]);
  });
  log(`${nodes.length} nodes are available (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** Removes every node and allocation that Ironic knows, in whatever state it is. */
export async function removeAll(api: IronicApi): Promise<void> {
  const listed = await must(api, "GET", "/v1/nodes?fields=uuid,protected&limit=1000");
  await each(listed.body.nodes as { uuid: string; protected: boolean }[], async (node) => {
    const path = `/v1/nodes/${node.uuid}`;
    if (node.protected) await must(api, "PATCH", path, [{ op: "replace", path: "/protected", value: false }]);
    await must(api, "PUT", `${path}/maintenance`, { reason: "lab reset" }); // lets any state be deleted
    await must(api, "DELETE", path);
  });
  const { body } = await must(api, "GET", "/v1/allocations?fields=uuid");
  for (const { uuid } of body.allocations as { uuid: string }[]) await must(api, "DELETE", `/v1/allocations/${uuid}`);
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

async function untilState(api: IronicApi, uuid: string, wanted: string): Promise<void> {
  let seen = "";
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100)) {
    const { body } = await must(api, "GET", `/v1/nodes/${uuid}?fields=provision_state,last_error`);
    seen = body.provision_state;
    if (seen === wanted) return;
    if (body.last_error) throw new LabError(`Node ${uuid} is in ${seen}: ${body.last_error}`, "See the log of Ironic");
  }
  throw new LabError(`Node ${uuid} is in ${seen} and does not become ${wanted}`, "See the log of Ironic");
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
