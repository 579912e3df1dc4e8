// Gives nodes back that a run left claimed, by the marks on them and by hand, so that the next run finds them free.
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab/lab.ts";
import type { Views } from "./judge.ts";

const FIELDS = [
  "deploy_interface",
  "boot_interface",
  "automated_clean",
  "description",
  "properties",
  "driver_info",
  "extra",
  "instance_info",
] as const;
const UNDEPLOYABLE = ["active", "deploy failed", "error"];
const LIMIT_MS = 60_000;

/** True when the node is as it was; false when that took too long. */
async function tidyNode(lab: Lab, name: string, was: Record<string, unknown>): Promise<boolean> {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; await sleep(200)) {
    const node = await lab.node(name);
    const state = String(node.provision_state);
    if (UNDEPLOYABLE.includes(state)) {
      const unprotect = [{ op: "replace", path: "/protected", value: false }];
      if (node.protected) await lab.ironicApi("PATCH", `/v1/nodes/${name}`, unprotect);
      // Undeployed without cleaning: what the machine ran was only a test's ramdisk.
      const clean = [{ op: "replace", path: "/automated_clean", value: false }];
      await lab.ironicApi("PATCH", `/v1/nodes/${name}`, clean);
      await lab.ironicApi("PUT", `/v1/nodes/${name}/states/provision`, { target: "deleted" });
    } else if (state === "available" && !node.reservation) {
      const ops = FIELDS.map((field) => ({ op: "replace", path: `/${field}`, value: was[field] ?? null }));
      const release = node.instance_uuid ? [{ op: "remove", path: "/instance_uuid" }] : [];
      const { status } = await lab.ironicApi("PATCH", `/v1/nodes/${name}`, [...ops, ...release]);
      if (status === 200) return true;
    }
  }
  return false;
}

export async function tidy(lab: Lab, names: readonly string[], before: Views): Promise<boolean> {
  const done = await Promise.all(names.map((name) => tidyNode(lab, name, before.get(name)?.body ?? {})));
  return done.every(Boolean);
}
