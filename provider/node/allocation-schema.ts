/** What is read of Ironic's answers about allocations: https://docs.openstack.org/api-ref/baremetal/#allocations-allocations */
import type * as z from "zod";
import { field, pageOf } from "../http/index.ts";

const { text, textOrNull, list, record } = field;

const allocation = field.object({
  uuid: text,
  /** `allocating`, `active` or `error`; null where it is not decided. */
  state: textOrNull,
  node_uuid: textOrNull,
  last_error: textOrNull,
  extra: record,
});

/** How an allocation stands. */
export const allocationSchema = allocation.omit({ extra: true });
export type Allocation = z.infer<typeof allocationSchema>;
/** Whose an allocation is. */
export const allocationMarkSchema = allocation.pick({ extra: true });
/** Both. */
export const markedAllocationSchema = allocation;
/** Both, for lists, and what it asked for. */
export const listedAllocationSchema = allocation.omit({ last_error: true }).extend({
  resource_class: textOrNull.optional(),
  traits: list(text).optional(),
  candidate_nodes: list(text).optional(),
});
export type ListedAllocation = z.infer<typeof listedAllocationSchema>;
export const allocationPage = pageOf("allocations", listedAllocationSchema);
