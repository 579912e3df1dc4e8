/** The arguments of a NodeAllocation: all that is decided by argument. */
import * as z from "zod";
import { type ArgumentTable, IDENTITY_ARGUMENTS } from "../plugin/index.ts";
import type { IdentityInputs } from "../stack/index.ts";
import type { NodeAllocationArgs } from "./index.ts";

export const DEFAULT_TIMEOUT_SECONDS = 120;

export type AllocationTable = ArgumentTable<keyof NodeAllocationArgs | keyof IdentityInputs>;

export const ALLOCATION_ARGUMENTS = {
  resourceClass: {
    schema: z.string().min(1).max(80),
    change: "replaces",
    meaning: "The resource class that the node must have.",
  },
  traits: {
    schema: z.array(z.string()).optional(),
    change: "replaces",
    meaning: "Traits; the node must have all of them.",
  },
  candidateNodes: {
    schema: z.array(z.string()).optional(),
    change: "replaces",
    default: "all nodes",
    meaning: "Names or UUIDs to choose from.",
  },
  timeoutSeconds: {
    schema: z.number().int().min(1).max(86_400).optional(),
    change: "onlyAtCreation",
    default: `${DEFAULT_TIMEOUT_SECONDS} s`,
    meaning: "How long to wait for a node; 1 to 86400.",
  },
  ...IDENTITY_ARGUMENTS,
} satisfies AllocationTable;

type Table = typeof ALLOCATION_ARGUMENTS;
export type AllocationProps = z.infer<z.ZodObject<{ [Name in keyof Table]: Table[Name]["schema"] }>>;
