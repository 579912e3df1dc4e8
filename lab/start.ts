// Starting a lab, step by step; whatever began is written down before the next step begins.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Orders, startOwn } from "./child.ts";
import { cloudsFor } from "./clouds.ts";
import { freePort, type IronicPrograms, type IronicSite, latestIronic, prepareIronic, startIronic } from "./ironic.ts";
import { enrol, inventNodes } from "./nodes.ts";
import { LabError, type Log } from "./problem.ts";
import { type Child, tailOf } from "./processes.ts";
import { type LabRecord, type LabShape, writeRecord } from "./record.ts";
import { ironicApi } from "./session.ts";
import { stopUnlocked } from "./stop.ts";

/** Starts all servers of a lab and enrols its nodes. On failure nothing is left running; the logs are. */
export async function startServers(dir: string, shape: LabShape, owner: Orders["owner"], log: Log): Promise<LabRecord> {
  mkdirSync(join(dir, "logs"), { recursive: true });
  const clients = await latestIronic(log);
  const programs: IronicPrograms = clients;
  const ironicPort = await freePort();
  const plainUrl = `http://127.0.0.1:${ironicPort}`;
  const record: LabRecord = {
    shape,
    finished: false,
    children: [],
    programs,
    ironicPort,
    door: { url: plainUrl },
    nodes: inventNodes(shape.nodes),
    images: { url: "", kernel: "", ramdisk: "", iso: "" },
    agentUrl: "",
    python: clients.python,
    baremetal: clients.baremetal,
    clouds: {},
    extras: {},
  };
  const keep = (child: Child) => {
    record.children.push(child);
    writeRecord(dir, record);
  };
  try {
    const images = await startOwn("images", { role: "images", dir, port: 0 });
    keep(images.child);
    record.images = imageUrls(images.port);
    writeFileSync(join(dir, "door.json"), JSON.stringify(record.door), { mode: 0o600 });
    writeFileSync(join(dir, "clouds.yaml"), cloudsFor(record), { mode: 0o600 });
    const agent = await startOwn("agent", { role: "agent", dir, port: 0, ...(owner === undefined ? {} : { owner }) });
    keep(agent.child);
    record.agentUrl = `http://127.0.0.1:${agent.port}`;
    log("Starting Ironic");
    keep(await startWithPort(programs, record, dir, log));
    await enrol(ironicApi(record.door), record.nodes, record.images, log);
    record.finished = true;
    writeRecord(dir, record);
    return record;
  } catch (error) {
    await stopUnlocked(dir, () => {});
    if (error instanceof LabError) throw error;
    const tail = tailOf(join(dir, "logs", "ironic.log"));
    throw new LabError(
      `The lab did not start: ${(error as Error).message}`,
      `Its logs are in ${join(dir, "logs")}`,
      tail,
    );
  }
}

function imageUrls(port: number): LabRecord["images"] {
  const url = `http://127.0.0.1:${port}`;
  return { url, kernel: `${url}/kernel`, ramdisk: `${url}/ramdisk`, iso: `${url}/iso` };
}

export function siteOf(dir: string, record: LabRecord): IronicSite {
  return { dir, port: record.ironicPort, publicUrl: record.door.url };
}

async function startWithPort(programs: IronicPrograms, record: LabRecord, dir: string, log: Log): Promise<Child> {
  const site = siteOf(dir, record);
  await prepareIronic(programs, site, record.shape, log);
  return startIronic(programs, site);
}
