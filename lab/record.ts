// What a lab writes down about itself: lab.json in its folder. All else can be asked of the running processes.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IronicOptions, IronicPrograms } from "./ironic.ts";
import type { LabNode } from "./nodes.ts";
import type { Child } from "./processes.ts";
import type { Door } from "./session.ts";

/** What a lab was started with; a second start with other values is refused. */
export interface LabShape extends IronicOptions {
  nodes: number;
  tls: boolean;
  /** Life of Keystone's tokens in seconds. */
  tokenLifeSeconds: number;
}

export interface LabRecord {
  shape: LabShape;
  /** The first thing that `start` writes is an unfinished record, so that `stop` finds what a killed start left. */
  finished: boolean;
  children: Child[];
  programs: IronicPrograms;
  ironicPort: number;
  door: Door;
  nodes: LabNode[];
  /** Project that owns the nodes, with Keystone. */
  owner?: string;
  /** `[keystone_authtoken]` of Ironic. */
  authToken?: Record<string, string>;
  images: { url: string; kernel: string; ramdisk: string; iso: string };
  agentUrl: string;
  /** Python with openstacksdk; the `baremetal` command. */
  python: string;
  baremetal: string;
  /** Values of OS_CLOUD that clouds.yaml knows, with what each is for. */
  clouds: Record<string, string>;
  /** Further addresses and files, by name: mTLS, Keystone, certificates. */
  extras: Record<string, string>;
}

export function readRecord(dir: string): LabRecord | undefined {
  const file = join(dir, "lab.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as LabRecord) : undefined;
}

export function writeRecord(dir: string, record: LabRecord): void {
  const file = join(dir, "lab.json");
  writeFileSync(`${file}.part`, JSON.stringify(record, null, 2), { mode: 0o600 });
  renameSync(`${file}.part`, file);
}
