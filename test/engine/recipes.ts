// The resources that most tests begin with.
import type { Lab } from "../../lab/lab.ts";
import type { LabObserver } from "./lab-observer.ts";
import type { Described } from "./programs/described.ts";

type Args = Record<string, unknown>;

export const config = (name: string, node: string, args: Args = {}, options: Args = {}): Described => ({
  kind: "config",
  name,
  args: { node, bootInterface: "ipxe", automatedCleaning: false, ...args },
  options,
});

export const drive = (name: string, node: unknown, args: Args = {}): Described => ({
  kind: "drive",
  name,
  args: { node, ...args },
});

/** On the node of the BaremetalNodeConfig of the same name, unless `node` says otherwise. */
export const deployment = (name: string, lab: Lab, args: Args = {}, options: Args = {}): Described => ({
  kind: "deployment",
  name,
  args: { node: { ref: `config:${name}.node` }, kernel: lab.images.kernel, ramdisk: lab.images.ramdisk, ...args },
  options,
});

/** What somebody else deployed: its instance_uuid, or none. */
export async function deployByHand(judge: LabObserver, node: string, instanceUuid?: string): Promise<void> {
  await judge.patch(
    node,
    { op: "replace", path: "/boot_interface", value: "ipxe" },
    { op: "replace", path: "/deploy_interface", value: "ramdisk" },
    { op: "replace", path: "/automated_clean", value: false },
    { op: "add", path: "/instance_info/kernel", value: judge.lab.images.kernel },
    { op: "add", path: "/instance_info/ramdisk", value: judge.lab.images.ramdisk },
    ...(instanceUuid ? [{ op: "add" as const, path: "/instance_uuid", value: instanceUuid }] : []),
  );
  await judge.provision(node, "active");
  await judge.until(node, "active");
}

/** Gives the node back as it was enrolled. */
export async function undeployByHand(judge: LabObserver, node: string): Promise<void> {
  await judge.provision(node, "deleted");
  await judge.until(node, "available");
  await judge.patch(
    node,
    { op: "replace", path: "/boot_interface", value: "fake" },
    { op: "replace", path: "/deploy_interface", value: "direct" },
    { op: "replace", path: "/automated_clean", value: null },
  );
}
