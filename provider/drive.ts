import { createHash } from "node:crypto";
import * as z from "zod";
import { gzip } from "./gzip.ts";
import { buildIso, type IsoFile } from "./iso.ts";
import {
  buildMetaData,
  checkMetaData,
  type MetaDataArgs,
  metaDataSchema,
  type ReadText,
  readKeyFile,
} from "./meta-data.ts";
import {
  checkNetwork,
  checkNetworkData,
  type NetworkArgs,
  networkSchema,
  type Port,
  type PortGroup,
  toNetworkData,
} from "./network.ts";
import { type Failure, hasUnknown, InvalidInput, joinPath, known, object, parse } from "./schema.ts";
import { buildUserData, checkUserData, type UserData, type UserDataArgs, userDataSchema } from "./user-data.ts";

/** What a config drive holds: its content, or exactly one of `image`, `directory` and `url`, where a ready drive is. */
export interface DriveArgs {
  /** Host name, keys and what else the machine should know about itself. */
  metaData?: MetaDataArgs;
  /** The machine's network, described. Not together with `networkData`. */
  network?: NetworkArgs;
  /** OpenStack network data as it is. Not together with `network`. */
  networkData?: Record<string, unknown>;
  /** What the machine's first-boot program runs. */
  userData?: UserDataArgs;
  /** The provider's data for cloud-init, an object (`vendor_data2.json`); its key `cloud-init` holds a cloud-config. */
  vendorData?: Record<string, unknown>;
  /**
   * `json`: Ironic makes the drive. `iso`: it is made here. Default `auto`: `json` where the server can and the content fits
   * into it, else `iso`.
   */
  format?: "auto" | "json" | "iso";
  /** A file with a ready ISO image, as it is, gzipped, or gzipped and in base64. Read at each deployment. */
  image?: string;
  /** A directory with a drive's files (`openstack/latest/meta_data.json`, …), of which the image is made at each deployment. */
  directory?: string;
  /** An address from which Ironic fetches the drive, gzipped and in base64. */
  url?: string;
}

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
  /** Of `content`, in hex. */
  sha256: string;
  /** MAC addresses of the node's ports that the network uses. */
  ports: string[];
  warnings: string[];
  /** Length of `content`. */
  bytes: number;
}

/** Inline content lies in the state several times over: above this it slows every run down. */
export const INLINE_WARN_BYTES = 64 * 1024;
export const INLINE_MAX_BYTES = 1024 * 1024;
/** Ironic's default limit for the body that carries a drive ([api] in ironic.conf, since 37.0). */
export const CONTENT_MAX_BYTES = 64 * 1024 * 1024;

const CONTENT = ["metaData", "network", "networkData", "userData", "vendorData"] as const;
const SOURCES = ["image", "directory", "url"] as const;

/** The properties of {@link DriveArgs}, to be spread into the resource's own schema. */
export const driveShape = {
  metaData: metaDataSchema.optional(),
  network: networkSchema.optional(),
  networkData: z.record(z.string(), z.unknown()).optional(),
  userData: userDataSchema.optional(),
  vendorData: z.record(z.string(), z.unknown()).optional(),
  format: z.enum(["auto", "json", "iso"]).optional(),
  image: z.string().min(1).optional(),
  directory: z.string().min(1).optional(),
  url: z.string().min(1).optional(),
};
const driveSchema = object(driveShape);

const CHECKS: Readonly<Record<string, (value: unknown, at: string) => Failure[]>> = {
  metaData: checkMetaData,
  network: checkNetwork,
  networkData: (value, at) => checkNetworkData(value, undefined, at).failures,
  userData: checkUserData,
};

/** Values that JSON, and so Ironic, can't carry. */
function checkJson(value: unknown, path: string): Failure[] {
  if (typeof value === "string") {
    // Python can't encode half of a surrogate pair: Ironic would answer 500.
    return value.isWellFormed() ? [] : [{ path, reason: "holds half of a Unicode character" }];
  }
  if (typeof value === "number") return Number.isFinite(value) ? [] : [{ path, reason: "is not a finite number" }];
  if (Array.isArray(value)) return value.flatMap((each, index) => checkJson(each, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => checkJson(each, joinPath(path, key)));
}

function checkSizes(args: Record<string, unknown>): Failure[] {
  const sizes = CONTENT.map((key) => ({ key, bytes: sizeOf(args[key]) }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  return total > INLINE_MAX_BYTES ? [{ path: largest.key, reason: tooLarge(total) }] : [];
}

const sizeOf = (value: unknown): number => (value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value), "utf8"));

const tooLarge = (bytes: number): string =>
  `the drive's content has ${bytes} bytes; over ${INLINE_MAX_BYTES} is refused, as it lies in the state several times. ` +
  "Put it into files and give their directory, or give an image or a url";

function checkUrl(url: string): Failure[] {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  return protocol === "http:" || protocol === "https:"
    ? []
    : [{ path: "url", reason: "must be an http:// or https:// address, which Ironic fetches the drive from" }];
}

/** What is wrong with a drive's arguments, without the node. Values may be unknown; keys beside {@link DriveArgs} are ignored. */
export function checkDrive(args: Record<string, unknown>): Failure[] {
  const own = Object.fromEntries(Object.keys(driveShape).map((key) => [key, args[key]]));
  const checked = new Set(Object.keys(CHECKS));
  // Those with rules of their own are parsed by these, so that no failure comes twice.
  const failures = parse(driveSchema, own).failures.filter(({ path }) => !checked.has(path.split(/[.[]/)[0] ?? ""));
  const given = (key: string): boolean => own[key] !== undefined;
  for (const [key, check] of Object.entries(CHECKS)) if (given(key)) failures.push(...check(own[key], key));
  const sources = SOURCES.filter(given);
  const content = CONTENT.filter(given);
  for (const key of sources.slice(1)) failures.push({ path: key, reason: `is given beside ${sources[0]}; keep one` });
  if (sources.length > 0) {
    for (const key of content)
      failures.push({ path: key, reason: `can't be added to the drive that ${sources[0]} brings` });
    if (given("format"))
      failures.push({ path: "format", reason: `has no meaning beside ${sources[0]}, which brings a ready drive` });
  } else if (content.length === 0) {
    failures.push({
      path: "",
      reason: `the drive would be empty: give ${CONTENT.join(", ")}, or one of ${SOURCES.join(", ")}`,
    });
  }
  if (given("network") && given("networkData"))
    failures.push({ path: "networkData", reason: "is given beside network; keep one" });
  const url = known(own.url);
  if (typeof url === "string") failures.push(...checkUrl(url));
  const user = own.userData as { gzipBase64?: unknown } | undefined;
  if (own.format === "json" && typeof user === "object" && user?.gzipBase64 !== undefined) {
    failures.push({ path: "format", reason: "json can't carry gzipped user data; use iso or auto" });
  }
  failures.push(...CONTENT.flatMap((key) => checkJson(own[key], key)), ...checkSizes(own));
  return failures;
}

/** JSON whose text does not depend on the order in which keys were written. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => sorted(each));

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  // By code units, not by locale: the same on every machine.
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

interface Content {
  metaData: Record<string, unknown>;
  networkData?: unknown;
  userData?: UserData;
  vendorData?: Record<string, unknown>;
}

/** The form of the drive. A wanted form that can't be had is an error. */
function chooseFormat(
  args: DriveArgs,
  { userData }: Content,
  facts: DriveFacts,
): Pick<Drive, "format" | "formatReason"> {
  const obstacles = [
    ...(facts.supportsJson ? [] : ["this Ironic does not make drives from JSON (API 1.56)"]),
    ...(args.vendorData && !facts.supportsVendorData
      ? ["this Ironic does not take vendor data in JSON (API 1.59)"]
      : []),
    ...(userData && "bytes" in userData ? ["gzipped user data does not fit into JSON"] : []),
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
      { path: "format", reason: `json is not possible: ${obstacles.join("; ")}. Use iso or auto` },
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
export function driveFiles({ metaData, networkData, userData, vendorData }: Content): IsoFile[] {
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
  return Buffer.from(gzip(buildIso(files, { label: "config-2" }))).toString("base64");
}

function networkOf(args: DriveArgs, facts: DriveFacts) {
  if (args.network) return toNetworkData(args.network, facts.ports, facts.portGroups);
  if (!args.networkData) return { networkData: undefined, usedPorts: [], warnings: [] };
  const { failures, ...rest } = checkNetworkData(args.networkData, facts.ports);
  if (failures.length > 0) throw new InvalidInput(failures);
  return { networkData: args.networkData, ...rest };
}

/** SHA-256 in hex. */
export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

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
    throw new InvalidInput([{ path: "", reason: "the drive depends on values that are not known yet" }]);
  const source = SOURCES.find((key) => args[key] !== undefined);
  if (source)
    throw new InvalidInput([{ path: source, reason: "is read at the deployment; there is nothing to build" }]);

  const { networkData, usedPorts, warnings } = networkOf(args, facts);
  const content: Content = {
    metaData: buildMetaData(args.metaData ?? {}, read),
    ...(networkData === undefined ? {} : { networkData }),
    ...(args.userData === undefined ? {} : { userData: buildUserData(args.userData) }),
    ...(args.vendorData === undefined ? {} : { vendorData: args.vendorData }),
  };
  const choice = chooseFormat(args, content, facts);
  const text = choice.format === "json" ? jsonContent(content) : isoContent(content, facts);
  const bytes = Buffer.byteLength(text, "utf8");
  if (bytes > INLINE_MAX_BYTES) throw new InvalidInput([{ path: "", reason: tooLarge(bytes) }]);
  const inState = Math.max(bytes, ...CONTENT.map((key) => sizeOf(own[key])));
  const large = `the drive has ${inState} bytes; over ${INLINE_WARN_BYTES} makes state and runs slow: consider image, directory or url`;
  return {
    content: text,
    ...choice,
    sha256: sha256(text),
    ports: usedPorts.map(({ address }) => address),
    warnings: inState > INLINE_WARN_BYTES ? [...warnings, large] : warnings,
    bytes,
  };
}
