/** One handler per kind of resource. The kinds name files in shells/, which states refer to: never rename one. */
import { allocationHandler } from "./allocation/handler.ts";
import { configDriveHandler } from "./config-drive/handler.ts";
import { deploymentHandler } from "./deployment/handler.ts";
import { nodeConfigHandler } from "./node-config/handler.ts";
import type { Handler, Kind } from "./plugin/index.ts";
import { stackIdentityHandler } from "./stack/handler.ts";

export const handlers: Readonly<Record<Kind, Handler>> = {
  "stack-identity": stackIdentityHandler,
  "node-config": nodeConfigHandler,
  "config-drive": configDriveHandler,
  deployment: deploymentHandler,
  allocation: allocationHandler,
};
