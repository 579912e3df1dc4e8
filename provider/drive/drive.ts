import { canonicalJson, type Warning } from "../core/index.ts";
import { hasUnknown, InvalidInput } from "../schema/index.ts";
import {
  CONTENT,
  checkDrive,
  type DriveArgs,
  INLINE_MAX_BYTES,
  INLINE_WARN_BYTES,
  SOURCES,
  sizeOf,
  tooLarge,
} from "./args.ts";
import { defaultsNote, imageHash, jsonDriveHash } from "./content-hash.ts";
import { gzip } from "./gzip.ts";
import { encodeImage } from "./image.ts";
import { buildIso, type IsoFile } from "./iso/image.ts";
import { buildMetaData, type ReadText, readKeyFile } from "./meta-data.ts";
import { checkNetworkData, type Port, type PortGroup, toNetworkData } from "./network/network.ts";
import { buildUserData, type UserData } from "./user-data.ts";

export {
  checkDrive,
  type DriveArgs,
  driveShape,
  INLINE_MAX_BYTES,
} from "./args.ts";

/** What the node and its Ironic add to a drive. */
export interface DriveFacts {
  /** The node's ports and port groups in Ironic's order. */
  ports: readonly Port[];
  portGroups: readonly PortGroup[];
  nodeName: string | null | undefined;
  nodeUuid: string;
  /** Whether Ironic makes drives from JSON: API 1.56. */
  supportsJson: boolean;
  /** Whether that JSON may hold vendor data: API 1.59. */
  supportsVendorData: boolean;
}

/** A drive ready to be sent. */
export interface Drive {
  /** JSON text, or the gzipped image in base64. Secret. */
  content: string;
  format: "json" | "iso";
  /** Why this format, for people. */
  formatReason: string;
  /** Of what the drive holds, in hex, whatever its form: see content-hash.ts. */
  sha256: string;
  /** MAC addresses of the node's ports that the network uses. */
  ports: string[];
  warnings: Warning[];
  /** Length of `content`. */
  bytes: number;
}

interface Content {
  metaData: Record<string, unknown>;
  networkData?: unknown;
  userData?: UserData;
  vendorData?: Record<string, unknown>;
}

/** The form of the drive. A requested form that is not possible is an error. */
function chooseFormat(
  args: DriveArgs,
  { userData }: Content,
  facts: DriveFacts,
): Pick<Drive, "format" | "formatReason"> {
  const obstacles = [
    ...(facts.supportsJson ? [] : ["this Ironic does not make drives from JSON (API 1.56)"]),
    ...(args.vendorData && !facts.supportsVendorData
      ? ["this Ironic does not accept vendor data in JSON (API 1.59)"]
      : []),
    ...(userData && "bytes" in userData ? ["JSON cannot contain gzipped user data"] : []),
  ];
  if (args.format === "iso") return { format: "iso", formatReason: "format is iso" };
  if (obstacles.length === 0) {
    return {
      format: "json",
      formatReason: args.format === "json" ? "format is json" : "Ironic makes the drive from JSON",
    };
  }
  if (args.format === "json") {
    throw new InvalidInput([
      {
        path: "format",
        reason: `json is not possible: ${obstacles.join("; ")}. Use iso or auto`,
        code: "config-drive-format-unavailable",
      },
    ]);
  }
  return { format: "iso", formatReason: obstacles.join("; ") };
}

/** Ironic's JSON: https://docs.openstack.org/api-ref/baremetal/#change-node-provision-state (configdrive). */
const jsonContent = ({ metaData, networkData, userData, vendorData }: Content): string =>
  canonicalJson({
    meta_data: metaData,
    network_data: networkData,
    user_data: userData && "text" in userData ? userData.text : undefined,
    vendor_data: vendorData,
  });

const encode = (text: string): Uint8Array => Buffer.from(text, "utf8");

/** The files that Ironic would write for the same content: openstack/baremetal/configdrive.py in openstacksdk. */
function driveFiles({ metaData, networkData, userData, vendorData }: Content): IsoFile[] {
  const files: [string, Uint8Array][] = [["meta_data.json", encode(canonicalJson(metaData))]];
  if (networkData !== undefined) files.push(["network_data.json", encode(canonicalJson(networkData))]);
  if (userData) files.push(["user_data", "text" in userData ? encode(userData.text) : userData.bytes]);
  if (vendorData) files.push(["vendor_data2.json", encode(canonicalJson(vendorData))]);
  // cloud-init reads the newest version that it knows, Glean the latest.
  return ["2012-08-10", "latest"].flatMap((version) =>
    files.map(([name, data]) => ({ path: `openstack/${version}/${name}`, data })),
  );
}

function isoContent(content: Content, { nodeName, nodeUuid }: DriveFacts): string {
  // Ironic adds these to JSON: build_configdrive in ironic/conductor/configdrive_utils.py. cloud-init refuses a drive without uuid.
  const defaults = { uuid: nodeUuid, ...(nodeName ? { name: nodeName } : {}) };
  const files = driveFiles({ ...content, metaData: { ...defaults, ...content.metaData } });
  const added = Object.keys(defaults).filter((key) => !(key in content.metaData));
  const image = buildIso(files, { label: "config-2", ...(added.length > 0 && { note: defaultsNote(added) }) });
  return Buffer.from(gzip(image)).toString("base64");
}

function networkOf(args: DriveArgs, facts: DriveFacts) {
  if (args.network) return toNetworkData(args.network, facts.ports, facts.portGroups);
  if (!args.networkData) return { networkData: undefined, usedPorts: [], warnings: [] };
  const { failures, ...rest } = checkNetworkData(args.networkData, facts.ports);
  if (failures.length > 0) throw new InvalidInput(failures);
  return { networkData: args.networkData, ...rest };
}

/**
 * The drive for a node from content that is in the program. The same arguments and facts give the same bytes, whatever the
 * order of keys, on any machine.
 * @throws InvalidInput naming the property paths: wrong arguments, no such port, a form that the server does not take, too large.
 */
export function buildDrive(args: DriveArgs, facts: DriveFacts, read: ReadText = readKeyFile): Drive {
  const own = args as Record<string, unknown>;
  const failures = checkDrive(own);
  if (failures.length > 0) throw new InvalidInput(failures);
  if (hasUnknown(own))
    throw new InvalidInput([
      { path: "", reason: "the drive depends on values that are not known yet", code: "internal-error" },
    ]);
  const source = SOURCES.find((key) => key !== "imageBase64" && args[key] !== undefined);
  if (source)
    throw new InvalidInput([
      { path: source, reason: "is read at the deployment; there is nothing to build", code: "internal-error" },
    ]);

  if (args.imageBase64 !== undefined) return measured(readyImage(args.imageBase64), args, [], []);

  const { networkData, usedPorts, warnings } = networkOf(args, facts);
  const content: Content = {
    metaData: buildMetaData(args.metaData ?? {}, read),
    ...(networkData === undefined ? {} : { networkData }),
    ...(args.userData === undefined ? {} : { userData: buildUserData(args.userData) }),
    ...(args.vendorData === undefined ? {} : { vendorData: args.vendorData }),
  };
  const choice = chooseFormat(args, content, facts);
  const text = choice.format === "json" ? jsonContent(content) : isoContent(content, facts);
  return measured({ text, ...choice }, args, usedPorts, warnings);
}

/** The drive after the check of its size. The state contains the arguments as well, so they count. */
function measured(
  { text, ...choice }: Pick<Drive, "format" | "formatReason"> & { text: string },
  args: DriveArgs,
  usedPorts: readonly { address: string }[],
  warnings: readonly Warning[],
): Drive {
  const bytes = Buffer.byteLength(text, "utf8");
  if (bytes > INLINE_MAX_BYTES)
    throw new InvalidInput([{ path: "", reason: tooLarge(bytes), code: "config-drive-size" }]);
  const inState = Math.max(bytes, ...[...CONTENT, "imageBase64" as const].map((key) => sizeOf(args[key])));
  const large: Warning = {
    code: "config-drive-size",
    text: `the drive has ${inState} bytes; over ${INLINE_WARN_BYTES} makes the state and runs slow. Consider image, directory or url`,
  };
  return {
    content: text,
    ...choice,
    sha256:
      choice.format === "json"
        ? jsonDriveHash(JSON.parse(text) as Record<string, unknown>)
        : imageHash(Buffer.from(text, "latin1")),
    ports: usedPorts.map(({ address }) => address),
    warnings: inState > INLINE_WARN_BYTES ? [...warnings, large] : [...warnings],
    bytes,
  };
}

const readyImage = (image: string): Pick<Drive, "format" | "formatReason"> & { text: string } => ({
  text: encodeImage(Buffer.from(image, "latin1"), "the image", "imageBase64"),
  format: "iso",
  formatReason: "imageBase64 contains the image",
});
