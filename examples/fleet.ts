// Many machines from one description, and any free node of a class beside them.
import * as pulumi from "@pulumi/pulumi";
import * as ironic from "pulumi-ironic";

const config = new pulumi.Config();

const fleet = new ironic.RamdiskFleet("workers", {
  machines: ["node-0", { name: "any", any: { resourceClass: "baremetal" } }],
  settings: { bootInterface: "ipxe", automatedCleaning: false },
  deployment: { kernel: config.require("kernel"), ramdisk: config.require("ramdisk") },
});

export const nodes = fleet.nodes;
export const ports = ironic.getPorts("node-0").then((found) => found.map(({ address }) => address));
