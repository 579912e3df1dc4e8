import { gunzipSync } from "node:zlib";
import type { Code } from "../core/index.ts";
import { InvalidInput } from "../schema/index.ts";
import { CONTENT_MAX_BYTES } from "./args.ts";
import { gzip } from "./gzip.ts";
import { readLabel } from "./iso/label.ts";

/** A small gzip file can unpack to gigabytes, which must not fill the memory. */
export const IMAGE_MAX_BYTES: number = 512 * 1024 * 1024;
/** What {@link CONTENT_MAX_BYTES} of base64 stand for. */
export const GZIP_MAX_BYTES: number = Math.floor(CONTENT_MAX_BYTES / 4) * 3;

const GZIP_MAGIC = [0x1f, 0x8b];
const LABELS = ["config-2", "CONFIG-2"];

const refuse = (path: string, code: Code, reason: string): InvalidInput => new InvalidInput([{ path, reason, code }]);

export const imageTooLarge = (name: string, path: string): InvalidInput =>
  refuse(
    path,
    "config-drive-size",
    `the drive ${name} has more than ${CONTENT_MAX_BYTES} bytes in base64, which Ironic does not accept; consider url`,
  );

export const isGzip = (bytes: Uint8Array): boolean => GZIP_MAGIC.every((byte, index) => bytes[index] === byte);

/** The bytes that a base64 text stands for; `undefined` if `bytes` is something else. */
export function fromBase64(bytes: Buffer): Buffer | undefined {
  // Images start with zeros and gzip with a byte that no text has: the rest need not be looked at.
  if (!/^[A-Za-z0-9+/\s]{4}/.test(bytes.toString("latin1", 0, 4))) return undefined;
  const text = bytes.toString("latin1").replace(/\s+/g, "");
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0 ? Buffer.from(text, "base64") : undefined;
}

function unpack(bytes: Uint8Array, name: string, path: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: IMAGE_MAX_BYTES });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw code === "ERR_BUFFER_TOO_LARGE"
      ? refuse(path, "config-drive-image-invalid", `${name} unpacks to more than ${IMAGE_MAX_BYTES} bytes`)
      : refuse(path, "config-drive-image-invalid", `${name} starts like gzip, but cannot be unpacked (${code})`);
  }
}

/**
 * A ready image for Ironic: gzipped, in base64. `bytes` are the image as it is, gzipped, or base64 of either; `name` stands
 * for it in messages, and `path` is the property that brought it.
 * @throws InvalidInput: no ISO 9660, another label than `config-2`, too large.
 */
export function encodeImage(bytes: Uint8Array, name: string, path = "image"): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const raw = isGzip(buffer) ? buffer : (fromBase64(buffer) ?? buffer);
  const packed = isGzip(raw);
  const label = readLabel(packed ? unpack(raw, name, path) : raw);
  if (label === undefined)
    throw refuse(path, "config-drive-image-invalid", `${name} is not an ISO 9660 image (plain, gzipped or in base64)`);
  if (!LABELS.includes(label)) {
    throw refuse(
      path,
      "config-drive-image-invalid",
      `${name} has the volume label ${JSON.stringify(label)}; cloud-init and Glean look only for config-2`,
    );
  }
  const content = packed ? raw : gzip(raw);
  if (content.length > GZIP_MAX_BYTES) throw imageTooLarge(name, path);
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("base64");
}
