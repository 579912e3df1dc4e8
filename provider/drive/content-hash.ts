/**
 * The hash of a drive's content: file by file, the same whatever the form of the drive, the order of keys, the tool that made
 * the image or the one that compressed it. What Ironic would add by itself does not count: a node may be renamed.
 */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { canonicalJson } from "../core/index.ts";
import { fromBase64, IMAGE_MAX_BYTES, isGzip } from "./image.ts";
import { listIso, readApplicationUse } from "./iso/list.ts";

/** SHA-256 in hex. */
const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Where an image made here says which keys of its meta data are only defaults. */
const DEFAULTS = "pulumi-ironic defaults:";
export const defaultsNote = (keys: readonly string[]): string => `${DEFAULTS}${keys.join(",")}`;
const defaultsOf = (image: Uint8Array): string[] => {
  const note = readApplicationUse(image);
  return note.startsWith(DEFAULTS) ? note.slice(DEFAULTS.length).split(",") : [];
};

/** The files of a drive as Ironic makes them, by the keys of its JSON. */
const FILES: Readonly<Record<string, string>> = {
  "meta_data.json": "meta_data",
  "network_data.json": "network_data",
  user_data: "user_data",
  "vendor_data2.json": "vendor_data",
};
/** Ironic writes every file twice. */
const VERSIONS = ["openstack/2012-08-10/", "openstack/latest/"] as const;

const hashOfHashes = (what: object): string => sha256(`pulumi-ironic/1/drive-content\n${canonicalJson(what)}`);

/** Of files by their names: those of a drive as Ironic makes it by key, all others by path. */
function hashOfFiles(files: ReadonlyMap<string, Uint8Array>, defaults: readonly string[]): string {
  const parts = logicalFiles(files);
  if (!parts)
    return hashOfHashes({ files: Object.fromEntries([...files].map(([path, data]) => [path, sha256(data)])) });
  return hashOfHashes({
    parts: Object.fromEntries([...parts].map(([name, data]) => [name, sha256(canonicalPart(name, data, defaults))])),
  });
}

function logicalFiles(files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> | undefined {
  const [first, second] = VERSIONS.map((version) => [...files].filter(([path]) => path.startsWith(version)));
  if (!first || !second || first.length === 0 || first.length + second.length !== files.size) return undefined;
  const parts = new Map<string, Uint8Array>();
  for (const [path, data] of first) {
    const name = path.slice(VERSIONS[0].length);
    const twin = files.get(VERSIONS[1] + name);
    const part = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
    if (part === undefined || twin === undefined || Buffer.compare(data, twin) !== 0) return undefined;
    parts.set(part, data);
  }
  return parts.size === second.length ? parts : undefined;
}

function canonicalPart(name: string, data: Uint8Array, defaults: readonly string[]): string | Uint8Array {
  if (name === "user_data") return data;
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString("utf8"));
    if (name !== "meta_data" || typeof value !== "object" || value === null) return canonicalJson(value);
    return canonicalJson(Object.fromEntries(Object.entries(value).filter(([key]) => !defaults.includes(key))));
  } catch {
    return data;
  }
}

/** Of a drive as JSON: what Ironic would write into the files. */
export function jsonDriveHash(drive: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(drive)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [
      name,
      sha256(name === "user_data" && typeof value === "string" ? value : canonicalJson(value)),
    ]);
  return hashOfHashes({ parts: Object.fromEntries(parts) });
}

/** Of files that are not yet in an image. */
export const filesHash = (files: ReadonlyMap<string, Uint8Array>): string => hashOfFiles(files, []);

/** Of an address that Ironic fetches the drive from: what it holds is not known. */
export const addressHash = (url: string): string => hashOfHashes({ url: url.trim() });

function unpacked(bytes: Buffer): Buffer {
  const raw = isGzip(bytes) ? bytes : (fromBase64(bytes) ?? bytes);
  if (!isGzip(raw)) return raw;
  try {
    return gunzipSync(raw, { maxOutputLength: IMAGE_MAX_BYTES });
  } catch {
    // What is wrong with it is reported when it is sent.
    return raw;
  }
}

/** Of an image as it is, gzipped, or in base64 of either; of its bytes where its files cannot be listed. */
export function imageHash(bytes: Uint8Array): string {
  const image = unpacked(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const files = listIso(image);
  if (!files) return hashOfHashes({ image: sha256(image) });
  return hashOfFiles(new Map(files.map(({ path, data }) => [path, data])), defaultsOf(image));
}
