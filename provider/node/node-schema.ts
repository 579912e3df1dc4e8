/**
 * What is read of Ironic's answers about nodes and what belongs to them.
 * Fields: https://docs.openstack.org/api-ref/baremetal/#nodes-nodes. Optional are those that API 1.46 does not have.
 */
import type * as z from "zod";
import { field, pageOf } from "../http/index.ts";

const { text, textOrNull, flag, flagOrNull, record } = field;

const step = field.objectOrNull({ step: text.optional() });

export const nodeSchema = field.object({
  uuid: text,
  name: textOrNull,
  driver: text.optional(),
  /** `null` is what old APIs call `available`. */
  provision_state: textOrNull,
  target_provision_state: textOrNull,
  /** Changes with each provision state, and with nothing else (NodeObject / db update_node). */
  provision_updated_at: textOrNull,
  /** Changes with each write to the node; empty before the first. Ironic refuses it where fields are asked for. */
  updated_at: textOrNull.optional(),
  instance_uuid: textOrNull,
  allocation_uuid: textOrNull.optional(),
  last_error: textOrNull,
  power_state: textOrNull,
  target_power_state: textOrNull.optional(),
  maintenance: flag,
  maintenance_reason: textOrNull.optional(),
  /** Why Ironic itself set maintenance, e.g. `clean failure`. */
  fault: textOrNull.optional(),
  /** The conductor that holds the node's lock. */
  reservation: textOrNull,
  clean_step: step.optional(),
  deploy_step: step.optional(),
  protected: flag.optional(),
  /** As old as `protected`. Ironic empties it where the protection ends. */
  protected_reason: textOrNull.optional(),
  /** Null on nodes that are older than the field (ironic/objects/node.py). */
  retired: flagOrNull.optional(),
  automated_clean: flagOrNull.optional(),
  boot_interface: textOrNull.optional(),
  deploy_interface: textOrNull.optional(),
  description: textOrNull.optional(),
  resource_class: textOrNull.optional(),
  traits: field.list(text).optional(),
  extra: record,
  instance_info: record,
  driver_info: record,
  properties: record,
});

export type Node = z.infer<typeof nodeSchema>;

/** What a waiting resource needs to see again and again; the rest of a node is read when something is decided on it. */
export const lightNodeSchema = nodeSchema.pick({
  uuid: true,
  name: true,
  provision_state: true,
  target_provision_state: true,
  provision_updated_at: true,
  instance_uuid: true,
  last_error: true,
  power_state: true,
  maintenance: true,
  fault: true,
  reservation: true,
  clean_step: true,
  deploy_step: true,
});

export type LightNode = z.infer<typeof lightNodeSchema>;

export const lightNodePage = pageOf("nodes", lightNodeSchema);

/** What preflight reads of every node. */
export const surveyedNodeSchema = nodeSchema.pick({
  uuid: true,
  name: true,
  driver: true,
  provision_state: true,
  target_provision_state: true,
  provision_updated_at: true,
  instance_uuid: true,
  maintenance: true,
  maintenance_reason: true,
  fault: true,
  last_error: true,
  boot_interface: true,
  deploy_interface: true,
  extra: true,
  driver_info: true,
  automated_clean: true,
  retired: true,
});

export type SurveyedNode = z.infer<typeof surveyedNodeSchema>;

/** The value of `fields` in a query: asked for is what will be read. */
export const fieldsOf = (schema: z.ZodObject): string[] => Object.keys(schema.shape);

export const portSchema = field.object({
  uuid: text,
  node_uuid: text.optional(),
  address: text,
  name: textOrNull.optional(),
  pxe_enabled: flag,
  physical_network: textOrNull.optional(),
  portgroup_uuid: textOrNull.optional(),
});

export type Port = z.infer<typeof portSchema>;

export const portsSchema = field.object({ ports: field.list(portSchema) });

export const portGroupSchema = field.object({
  uuid: text,
  name: textOrNull.optional(),
  address: textOrNull.optional(),
  mode: textOrNull.optional(),
  properties: record.optional(),
});

export type PortGroup = z.infer<typeof portGroupSchema>;

export const portGroupsSchema = field.object({ portgroups: field.list(portGroupSchema) });

/** https://docs.openstack.org/api-ref/baremetal/#node-history-nodes */
const historyEventSchema = field.object({
  uuid: text,
  created_at: text,
  event_type: textOrNull,
  event: textOrNull,
  severity: textOrNull,
});

export type HistoryEvent = z.infer<typeof historyEventSchema>;

export const historyPage = pageOf("history", historyEventSchema);

const checked = field.objectOrNull({ result: flagOrNull.optional(), reason: textOrNull.optional() }).optional();

/** https://docs.openstack.org/api-ref/baremetal/#validate-node: one entry for each interface. */
export const validationSchema = field.object({
  power: checked,
  management: checked,
  boot: checked,
  deploy: checked,
  network: checked,
  storage: checked,
});
