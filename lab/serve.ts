// Entry of the lab's own detached servers: node serve.ts '<orders as JSON>'.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabAgent, pollForEver } from "./agent.ts";
import { listen, type Orders } from "./child.ts";
import { imageServer } from "./images.ts";
import { bornAt } from "./processes.ts";
import { type Door, ironicApi } from "./session.ts";
import { stopLab } from "./stop.ts";
import { tlsServer } from "./tls.ts";

const roles: Readonly<Record<Orders["role"], (orders: Orders) => Promise<unknown>>> = {
  images: (orders) => listen(imageServer(), orders),
  tls: (orders) => listen(tlsServer(orders), orders),
  agent: async (orders) => {
    const door = JSON.parse(readFileSync(join(orders.dir, "door.json"), "utf8")) as Door;
    const agent = new LabAgent(ironicApi(door));
    const port = await listen(agent.server(), orders);
    await pollForEver(agent, `http://127.0.0.1:${port}`);
  },
};

/** Ends the whole lab, however far its start has come, when its owner has died. */
async function outlive({ owner, dir }: Orders): Promise<void> {
  if (owner === undefined) return;
  while (bornAt(owner.pid) === owner.born) await sleep(1000);
  await stopLab(dir, () => {}, process.pid);
  process.exit(0);
}

const orders = JSON.parse(process.argv[2] ?? "{}") as Orders;
await Promise.all([roles[orders.role](orders), outlive(orders)]);
