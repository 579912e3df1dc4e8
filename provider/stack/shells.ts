import type { dynamic } from "@pulumi/pulumi";
import { version } from "@pulumi/pulumi/version.js";
import type { Kind } from "../plugin/index.ts";
import allocation from "../shells/allocation.cjs";
import configDrive from "../shells/config-drive.cjs";
import deployment from "../shells/deployment.cjs";
import here from "../shells/here.cjs";
import nodeConfig from "../shells/node-config.cjs";
import stackIdentity from "../shells/stack-identity.cjs";

/** The first SDK whose references into pnpm's store carry no version: https://github.com/pulumi/pulumi/issues/9085 */
const pnpmSafeMinor = 251;

/** In pnpm's store an older SDK cannot name the file, or names its version, which the next upgrade breaks. */
export const mustGoByValue = (path: string, sdkVersion: string): boolean =>
  /[\\/]\.pnpm[\\/]/.test(path) && Number(sdkVersion.split(".")[1]) < pnpmSafeMinor;

const byValue = mustGoByValue(here, version);

/** A copy is not the exports of any file, so its few lines are stored themselves. */
const stored = (shell: dynamic.ResourceProvider): dynamic.ResourceProvider => (byValue ? { ...shell } : shell);

/**
 * What each resource class hands to Pulumi as its provider. Pulumi stores a provider's code with every resource; an
 * object that *is* the exports of a file in node_modules is stored as one `require` line instead, which stays the
 * same whatever our code becomes. In this repository, where the package is no dependency, the shell's few lines are
 * stored by value.
 */
export const shells: Record<Kind, dynamic.ResourceProvider> = {
  "stack-identity": stored(stackIdentity),
  "node-config": stored(nodeConfig),
  "config-drive": stored(configDrive),
  deployment: stored(deployment),
  allocation: stored(allocation),
};
