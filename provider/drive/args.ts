import * as z from "zod";
import { type Failure, failuresIn, joinPath, known, object } from "../schema/index.ts";
import { checkMetaData, type MetaDataArgs, metaDataSchema } from "./meta-data.ts";
import { checkNetwork, checkNetworkData, type NetworkArgs, networkSchema } from "./network/network.ts";
import { checkUserData, type UserDataArgs, userDataSchema } from "./user-data.ts";

/** What a config drive holds: its content, or exactly one of `image`, `imageBase64`, `directory` and `url`, which bring a ready drive. */
export interface DriveArgs {
  /** Host name, keys and what else the machine should know about itself. */
  metaData?: MetaDataArgs | undefined;
  /** The machine's network, described. Not together with `networkData`. */
  network?: NetworkArgs | undefined;
  /** OpenStack network data as it is. Not together with `network`. */
  networkData?: Record<string, unknown> | undefined;
  /** What the machine's first-boot program runs. */
  userData?: UserDataArgs | undefined;
  /** The provider's data for cloud-init, an object (`vendor_data2.json`); its key `cloud-init` holds a cloud-config. */
  vendorData?: Record<string, unknown> | undefined;
  /**
   * `json`: Ironic makes the drive. `iso`: it is made here. Default `auto`: `json` where the server can and the content fits
   * into it, else `iso`.
   */
  format?: "auto" | "json" | "iso" | undefined;
  /** A file with a ready ISO image, as it is, gzipped, or gzipped and in base64. Read at each deployment. */
  image?: string | undefined;
  /** A ready ISO image in base64, gzipped or not: for small images. */
  imageBase64?: string | undefined;
  /** A directory with a drive's files (`openstack/latest/meta_data.json`, …), of which the image is made at each deployment. */
  directory?: string | undefined;
  /** An address from which Ironic fetches the drive, gzipped and in base64. */
  url?: string | undefined;
}

/** The state contains inline content several times: above this size it makes every run slow. */
export const INLINE_WARN_BYTES = 64 * 1024;
export const INLINE_MAX_BYTES = 1024 * 1024;
/** Ironic's default limit for the body that carries a drive ([api] in ironic.conf, since 37.0). */
export const CONTENT_MAX_BYTES = 64 * 1024 * 1024;

/** What a drive is built of. */
export const CONTENT = ["metaData", "network", "networkData", "userData", "vendorData"] as const;
/** What brings a ready drive. */
export const SOURCES = ["image", "imageBase64", "directory", "url"] as const;

/** The properties of {@link DriveArgs}, to be spread into the resource's own schema. */
export const driveShape = {
  metaData: metaDataSchema.optional(),
  network: networkSchema.optional(),
  networkData: z.record(z.string(), z.unknown()).optional(),
  userData: userDataSchema.optional(),
  vendorData: z.record(z.string(), z.unknown()).optional(),
  format: z.enum(["auto", "json", "iso"]).optional(),
  image: z.string().min(1).optional(),
  imageBase64: z.string().min(1).optional(),
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
    return value.isWellFormed()
      ? []
      : [{ path, reason: "contains half of a Unicode character", code: "value-not-storable" }];
  }
  if (typeof value === "number")
    return Number.isFinite(value) ? [] : [{ path, reason: "is not a finite number", code: "value-not-storable" }];
  if (Array.isArray(value)) return value.flatMap((each, index) => checkJson(each, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key.isWellFormed()
      ? checkJson(each, joinPath(path, key))
      : [{ path, reason: "has a key with half of a Unicode character", code: "value-not-storable" }],
  );
}

function checkSizes(args: Record<string, unknown>): Failure[] {
  const sizes = [...CONTENT, "imageBase64" as const].map((key) => ({ key, bytes: sizeOf(args[key]) }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  return total > INLINE_MAX_BYTES ? [{ path: largest.key, reason: tooLarge(total), code: "config-drive-size" }] : [];
}

/** Bytes that a value takes as JSON, as the state holds it. */
export const sizeOf = (value: unknown): number =>
  value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value), "utf8");

/** Why content of this size is refused. */
export const tooLarge = (bytes: number): string =>
  `the drive's content has ${bytes} bytes; over ${INLINE_MAX_BYTES} is refused, because the state contains it several times. ` +
  "Move it to files and set directory, or set image or url";

function checkUrl(url: string): Failure[] {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  return protocol === "http:" || protocol === "https:"
    ? []
    : [
        {
          path: "url",
          reason: "must be an http:// or https:// address from which Ironic fetches the drive",
          code: "argument-invalid",
        },
      ];
}

/** What is wrong with a drive's arguments, without the node. Values may be unknown; keys beside {@link DriveArgs} are ignored. */
export function checkDrive(args: Record<string, unknown>): Failure[] {
  const own = Object.fromEntries(Object.keys(driveShape).map((key) => [key, args[key]]));
  const checked = new Set(Object.keys(CHECKS));
  // Those with rules of their own are parsed by these, so that no failure comes twice.
  const failures = failuresIn(driveSchema, own).filter(({ path }) => !checked.has(path.split(/[.[]/)[0] ?? ""));
  const given = (key: string): boolean => own[key] !== undefined;
  for (const [key, check] of Object.entries(CHECKS)) if (given(key)) failures.push(...check(own[key], key));
  const sources = SOURCES.filter(given);
  const content = CONTENT.filter(given);
  for (const key of sources.slice(1))
    failures.push({ path: key, reason: `conflicts with ${sources[0]}: set only one`, code: "argument-conflict" });
  if (sources.length > 0) {
    for (const key of content)
      failures.push({
        path: key,
        reason: `conflicts with ${sources[0]}, which is a complete drive: set only one`,
        code: "argument-conflict",
      });
    if (given("format"))
      failures.push({
        path: "format",
        reason: `has no effect with ${sources[0]}, which is a complete drive`,
        code: "argument-no-effect",
      });
  } else if (content.length === 0) {
    failures.push({
      path: "",
      reason: `the drive would be empty: set ${CONTENT.join(", ")}, or one of ${SOURCES.join(", ")}`,
      code: "config-drive-empty",
    });
  }
  if (given("network") && given("networkData"))
    failures.push({ path: "networkData", reason: "conflicts with network: set only one", code: "argument-conflict" });
  const url = known(own.url);
  if (typeof url === "string") failures.push(...checkUrl(url));
  const user = own.userData as { gzipBase64?: unknown } | undefined;
  if (own.format === "json" && typeof user === "object" && user?.gzipBase64 !== undefined) {
    failures.push({
      path: "format",
      reason: "json cannot contain gzipped user data; use iso or auto",
      code: "config-drive-format-unavailable",
    });
  }
  failures.push(...CONTENT.flatMap((key) => checkJson(own[key], key)), ...checkSizes(own));
  return failures;
}
