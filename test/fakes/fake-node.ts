/** A node of the fake Ironic: what the API shows, and what only the machine knows. */
import type { Node, Port } from "../../provider/node/node.ts";

/** What the next operations of a node do. Times in milliseconds. */
export interface NodeBehaviour {
  deployMs: number;
  undeployMs: number;
  cleanMs: number;
  powerMs: number;
  /** This many of the next operations fail. */
  deployFails: number;
  undeployFails: number;
  cleanFails: number;
  /** A failed deploy leaves `last_error` empty and tells its cause in the history only. */
  silent: boolean;
  /** A deploy passes through `wait call-back`, a cleaning through `clean wait`. */
  calls: boolean;
  /** Ironic 39.0: 500 to a rebuild, unless image_source is set. `never`: 500 to each. */
  rebuild: "works" | "39.0" | "never";
}

/** What was booted by one PUT. */
export interface Boot {
  by: string;
  atMs: number;
  verb: string;
  instanceUuid: string | null;
  info: Record<string, unknown>;
  drive: unknown;
  outcome: "running" | "failed" | "active";
}

export interface FakeNode {
  node: Node;
  fate: NodeBehaviour;
  ports: Port[];
  boots: Boot[];
  /** What the machine runs now. */
  runs: Boot | undefined;
  history: { uuid: string; created_at: string; event_type: string; event: string; severity: string }[];
  due: { atMs: number; act(): void } | undefined;
  powerDue: { atMs: number } | undefined;
  /** Who gave the last verb. */
  verbBy: string;
  /** Each time that the machine was booted to be cleaned, and who had given the verb. */
  cleanings: { by: string; atMs: number }[];
  /** The account that the stack has does not see it. */
  hidden: boolean;
}

export const DEFAULT_FATE: NodeBehaviour = {
  deployMs: 5_000,
  undeployMs: 2_000,
  cleanMs: 30_000,
  powerMs: 1_000,
  deployFails: 0,
  undeployFails: 0,
  cleanFails: 0,
  silent: false,
  calls: false,
  rebuild: "works",
};

const uuidOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;

export const newNode = (index: number, stamp: string, fields: Partial<Node>): Node => ({
  uuid: uuidOf(index),
  name: `worker-${index}`,
  driver: "redfish",
  provision_state: "available",
  target_provision_state: null,
  provision_updated_at: stamp,
  instance_uuid: null,
  allocation_uuid: null,
  last_error: null,
  power_state: "power off",
  target_power_state: null,
  maintenance: false,
  maintenance_reason: null,
  fault: null,
  reservation: null,
  clean_step: null,
  deploy_step: null,
  protected: false,
  protected_reason: null,
  retired: false,
  automated_clean: null,
  boot_interface: "ipxe",
  deploy_interface: "ramdisk",
  description: null,
  resource_class: "baremetal",
  traits: [],
  extra: {},
  instance_info: {},
  driver_info: {},
  properties: {},
  ...fields,
});
