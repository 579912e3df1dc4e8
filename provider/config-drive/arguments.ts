/** The arguments of a ConfigDrive: all that is decided by argument. */
import * as z from "zod";
import { driveShape } from "../drive/index.ts";
import type { ArgumentTable } from "../plugin/index.ts";
import { nodeName } from "../schema/index.ts";
import type { ConfigDriveArgs } from "./index.ts";
import type { SECRET_ARGUMENTS } from "./secrets.ts";

/** `filesSha256` is hidden: the check adds it, so that a changed file is a changed argument. */
export type ConfigDriveTable = ArgumentTable<keyof ConfigDriveArgs | "filesSha256", (typeof SECRET_ARGUMENTS)[number]>;

export const CONFIG_DRIVE_ARGUMENTS = {
  node: {
    schema: nodeName,
    change: "replaces",
    meaning:
      "Name or UUID of the node whose ports give the MAC addresses. Another spelling of the same node changes nothing.",
  },
  metaData: {
    schema: driveShape.metaData,
    change: "reboots",
    meaning: "Host name, keys and anything else the machine should know, see below.",
  },
  network: {
    schema: driveShape.network,
    change: "reboots",
    meaning: "The network, described, see below. Conflicts with `networkData`.",
  },
  networkData: {
    schema: driveShape.networkData,
    change: "reboots",
    meaning: "OpenStack network data as it is. Checked against its schema, its own references and the node's ports.",
  },
  userData: {
    schema: driveShape.userData,
    change: "reboots",
    secret: true,
    meaning: "What the machine's first-boot program runs, see below.",
  },
  vendorData: {
    schema: driveShape.vendorData,
    change: "reboots",
    secret: true,
    // Without a word about the format, an image does everywhere.
    needs: [{ feature: "vendorData", when: (_value, { format }) => format === "json", says: "As JSON it needs" }],
    meaning: "`vendor_data2.json`; cloud-init reads its key `cloud-init`.",
  },
  format: {
    schema: driveShape.format,
    change: "inPlace",
    needs: [{ feature: "configDriveJson", when: (value) => value === "json", says: "`json` needs" }],
    default: "`auto`",
    meaning:
      "`json`: Ironic makes the image. `iso`: it is made here. `auto`: `json` where possible. Conflicts with a ready drive.",
  },
  image: {
    schema: driveShape.image,
    change: "reboots",
    meaning: "Path of a ready ISO image: plain, gzipped, or gzipped and in base64. Read at each deployment.",
  },
  imageBase64: {
    schema: driveShape.imageBase64,
    change: "reboots",
    secret: true,
    meaning: "A ready ISO image in base64, gzipped or not.",
  },
  directory: {
    schema: driveShape.directory,
    change: "reboots",
    meaning: "Directory with a drive's files (`openstack/latest/meta_data.json`, …). Read at each deployment.",
  },
  url: {
    schema: driveShape.url,
    change: "reboots",
    meaning: "http(s) address from which Ironic fetches the drive, gzipped and in base64.",
  },
  filesSha256: { schema: z.string().optional(), change: "reboots", secret: true },
} satisfies ConfigDriveTable;

type Table = typeof CONFIG_DRIVE_ARGUMENTS;
export type ConfigDriveProps = z.infer<z.ZodObject<{ [Name in keyof Table]: Table[Name]["schema"] }>>;
