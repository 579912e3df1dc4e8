/** A deployment's config drive in the forms that programs give it. */
import { addressHash, type DriveReference, imageHash, jsonDriveHash, parseReference } from "../drive/index.ts";
import type { Props } from "../plugin/index.ts";

const DRIVE_KEYS = ["meta_data", "network_data", "user_data", "vendor_data"];

/** A config drive in one of the two forms that Ironic takes, a reference to one, or the reason why it is none of them. */
export type DriveValue = { json: Props } | { text: string } | { source: DriveReference } | { reason: string };

/** Ironic's rule: JSON with known keys, else a URL, else base64 of a gzipped image (api/controllers/v1/node.py). */
export function driveValue(value: string | Props): DriveValue {
  if (typeof value !== "string") return jsonDrive(value);
  const source = parseReference(value);
  if (source) return { source };
  const trimmed = value.trim();
  if (trimmed.startsWith("{")) {
    try {
      return jsonDrive(JSON.parse(trimmed) as Props);
    } catch {
      return { reason: "starts like JSON, but is not valid JSON" };
    }
  }
  if (/^https?:\/\/\S+$/.test(trimmed)) return { text: trimmed };
  // "H4sI" is how base64 of a gzip stream begins.
  if (/^H4sI[A-Za-z0-9+/\s]*={0,2}\s*$/.test(trimmed)) return { text: trimmed };
  return {
    reason:
      "must be an object or JSON text with meta_data, network_data, user_data, vendor_data; base64 of a gzipped ISO image; or an http(s) address",
  };
}

function jsonDrive(value: Props): DriveValue {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { reason: "must be a JSON object" };
  const strange = Object.keys(value).filter((key) => !DRIVE_KEYS.includes(key));
  return strange.length > 0
    ? { reason: `has the key ${strange.join(", ")}; Ironic accepts only ${DRIVE_KEYS.join(", ")}` }
    : { json: value };
}

/** The same for the same content, whatever the form in which it comes. */
export function driveHashOf(value: string | Props): string {
  const drive = driveValue(value);
  if ("json" in drive) return jsonDriveHash(drive.json);
  if ("source" in drive) return drive.source.sha256;
  const text = String(value).trim();
  return /^https?:/.test(text) ? addressHash(text) : imageHash(Buffer.from(text, "latin1"));
}

/** The hash of a drive's content; `undefined` without a drive. */
export const contentHashOf = (drive: string | Props | undefined): string | undefined =>
  drive === undefined ? undefined : driveHashOf(drive);
