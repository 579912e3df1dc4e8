/** What look-ups read of nodes. Loaded with the client, not with the program. */
import type * as z from "zod";
import { pageOf } from "../http/index.ts";
import { fieldsOf, nodeSchema } from "../node/index.ts";

export const lookedUpNodeSchema = nodeSchema.pick({
  uuid: true,
  name: true,
  provision_state: true,
  power_state: true,
  instance_uuid: true,
  resource_class: true,
  traits: true,
  maintenance: true,
  driver: true,
  boot_interface: true,
  deploy_interface: true,
  properties: true,
  extra: true,
});
export type LookedUpNode = z.infer<typeof lookedUpNodeSchema>;
export const lookedUpNodePage = pageOf("nodes", lookedUpNodeSchema);
export const FIELDS = fieldsOf(lookedUpNodeSchema).join(",");
