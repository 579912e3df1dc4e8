import type { dynamic } from "@pulumi/pulumi";
import type { Kind } from "./handlers.ts";
import allocation from "./shells/allocation.cjs";
import configDrive from "./shells/config-drive.cjs";
import deployment from "./shells/deployment.cjs";
import nodeConfig from "./shells/node-config.cjs";
import owner from "./shells/owner.cjs";

/**
 * What each resource class hands to Pulumi as its provider. Pulumi stores a provider's code with every resource; an
 * object that *is* the exports of a file in node_modules is stored as one `require` line instead, which stays the
 * same whatever our code becomes. In this repository, where the package is no dependency, the shell's few lines are
 * stored by value.
 */
export const shells: Record<Kind, dynamic.ResourceProvider> = {
  owner,
  "node-config": nodeConfig,
  "config-drive": configDrive,
  deployment,
  allocation,
};
