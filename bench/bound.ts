// How fast it could be at best: raw requests, then one list after the other until all are active.
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/nodes.ts";
import { DEADLINE_MS } from "./clients.ts";

const POLL_MS = 150;
/** A one-process Ironic sheds load: locks, closed connections, too many at once. */
const TRIES = 40;
const TRY_AGAIN_MS = 100;

const MOVED = ["deploying", "wait call-back", "active"];

/** One write until it is accepted; what a lost answer left behind is looked up. True when it stands. */
async function insist(lab: Lab, method: "PATCH" | "PUT", path: string, body: unknown, stands: () => Promise<boolean>) {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const { status } = await lab.ironicApi(method, path, body);
      if (status < 300) return true;
    } catch {
      // The connection was closed; whether it was applied is seen below.
    }
    if (await stands().catch(() => false)) return true;
    await sleep(TRY_AGAIN_MS);
  }
  return false;
}

async function deploy(lab: Lab, { uuid }: LabNode): Promise<boolean> {
  const { kernel, ramdisk } = lab.images;
  const instance = crypto.randomUUID();
  const info = { kernel, ramdisk, ramdisk_kernel_arguments: "console=ttyS0" };
  const ops = [
    { op: "add", path: "/instance_uuid", value: instance },
    { op: "add", path: "/instance_info", value: info },
  ];
  const path = `/v1/nodes/${uuid}`;
  const claimed = await insist(lab, "PATCH", path, ops, async () => (await lab.node(uuid)).instance_uuid === instance);
  const moved = async () => MOVED.includes(String((await lab.node(uuid)).provision_state));
  return claimed && (await insist(lab, "PUT", `${path}/states/provision`, { target: "active" }, moved));
}

/** Deploys all nodes, `atOnce` of them at a time; gives how many did not become active. */
export async function bound(lab: Lab, nodes: readonly LabNode[], atOnce = nodes.length): Promise<number> {
  const end = Date.now() + DEADLINE_MS;
  const sent = new Array<boolean>(nodes.length).fill(false);
  const queue = [...nodes.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) sent[next[0]] = await deploy(lab, next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const wanted = new Set(nodes.filter((_, index) => sent[index]).map(({ uuid }) => uuid));
  for (; wanted.size > 0 && Date.now() < end; await sleep(POLL_MS)) {
    const { body } = await lab
      .ironicApi("GET", "/v1/nodes?fields=uuid,provision_state&limit=1000")
      .catch(() => ({ body: undefined }));
    for (const { uuid, provision_state } of body?.nodes ?? []) if (provision_state === "active") wanted.delete(uuid);
  }
  return nodes.length - sent.filter(Boolean).length + wanted.size;
}
