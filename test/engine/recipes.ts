// The resources that most tests begin with.
import type { Lab } from "../../lab/lab.ts";
import type { Described } from "./programs/described.ts";

type Args = Record<string, unknown>;

export const config = (name: string, node: string, args: Args = {}): Described => ({
  kind: "config",
  name,
  args: { node, bootInterface: "ipxe", automatedCleaning: false, ...args },
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
