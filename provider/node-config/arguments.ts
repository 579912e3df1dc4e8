/** The arguments of a BaremetalNodeConfig: all that is decided by argument. */
import * as z from "zod";
import { type ArgumentTable, IDENTITY_ARGUMENTS } from "../plugin/index.ts";
import { nodeName, text } from "../schema/index.ts";
import type { IdentityInputs } from "../stack/index.ts";
import type { BaremetalNodeConfigArgs } from "./index.ts";

export const DEFAULT_DEPLOY_INTERFACE = "ramdisk";

const word = text((value) => (/^[a-z0-9][a-z0-9-]*$/.test(value) ? undefined : "must be the name of an interface"));

export type NodeConfigTable = ArgumentTable<keyof BaremetalNodeConfigArgs | keyof IdentityInputs>;

export const NODE_CONFIG_ARGUMENTS = {
  node: {
    schema: nodeName,
    change: "replaces",
    meaning: "Name or UUID of the node. Another spelling of the same node changes nothing.",
  },
  deployInterface: {
    schema: word.optional(),
    change: "inPlace",
    default: `\`${DEFAULT_DEPLOY_INTERFACE}\``,
    meaning: "Ironic's deploy interface.",
  },
  bootInterface: {
    schema: word.optional(),
    change: "inPlace",
    default: "left as it is",
    meaning: "Ironic's boot interface, for example `ipxe` or `redfish-virtual-media`.",
  },
  automatedCleaning: {
    schema: z.boolean().optional(),
    change: "inPlace",
    needs: [{ feature: "automatedClean" }],
    default: "left as it is",
    meaning: "Whether Ironic cleans the node after use.",
  },
  driverInfo: {
    schema: z.record(z.string(), z.unknown()).optional(),
    change: "inPlace",
    meaning: "Keys of `driver_info`; other keys stay as they are. Credentials are refused.",
  },
  capabilities: {
    schema: z.record(z.string(), z.string()).optional(),
    change: "inPlace",
    meaning: "Keys of `properties.capabilities`, for example `boot_mode`; other keys stay as they are.",
  },
  description: {
    schema: z.string().max(4096).optional(),
    change: "inPlace",
    needs: [{ feature: "description" }],
    default: "left as it is",
    meaning: "The node's description, at most 4096 characters.",
  },
  extra: {
    schema: z.record(z.string(), z.unknown()).optional(),
    change: "inPlace",
    meaning: "Keys of `extra`; other keys stay as they are.",
  },
  onDestroy: {
    schema: z.enum(["restore", "keep"]).optional(),
    change: "nothing",
    default: "`restore`",
    meaning: "`restore` writes back what was there before; `keep` leaves everything.",
  },
  reenableAutomatedCleaning: {
    schema: z.boolean().optional(),
    change: "nothing",
    default: "restore",
    meaning: "On destroy: `true` turns cleaning on, `false` leaves it as it is.",
  },
  ...IDENTITY_ARGUMENTS,
} satisfies NodeConfigTable;

type Table = typeof NODE_CONFIG_ARGUMENTS;
export type NodeConfigProps = z.infer<z.ZodObject<{ [Name in keyof Table]: Table[Name]["schema"] }>>;
