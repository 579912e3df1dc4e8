import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Code } from "../core/index.ts";
import { InvalidInput } from "../schema/index.ts";
import { addressHash, filesHash, imageHash } from "./content-hash.ts";
import type { DriveArgs } from "./drive.ts";
import { gzip } from "./gzip.ts";
import { encodeImage, GZIP_MAX_BYTES, IMAGE_MAX_BYTES, imageTooLarge } from "./image.ts";
import { buildIso, type IsoFile } from "./iso/image.ts";
import { type DescribedSource, parseReference } from "./reference.ts";

const REQUIRED = "openstack/latest/meta_data.json";

const refuse = (kind: string, code: Code, reason: string): InvalidInput =>
  new InvalidInput([{ path: kind, reason, code }]);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).message;

/**
 * The content of a ready image for Ironic: gzipped, in base64. The image may come as it is, gzipped, or in base64 of either.
 * @throws InvalidInput with the path `image`: unreadable, no ISO 9660, another label than `config-2`, too large.
 */
export async function loadImage(path: string): Promise<string> {
  return encodeImage(await readImage(path), path);
}

async function readImage(path: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > IMAGE_MAX_BYTES) throw imageTooLarge(path, "image");
    return await readFile(path);
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    throw refuse("image", "config-drive-unreadable", `${path} cannot be read (${codeOf(error)})`);
  }
}

interface FoundFile {
  path: string;
  file: string;
  size: number;
}

/** Files below `root`, by path. Links are followed within the directory only, so that no file outside of it gets into a drive. */
function filesBelow(root: string, directory = root, depth = 0): FoundFile[] {
  if (depth > 16)
    throw refuse(
      "directory",
      "config-drive-directory-invalid",
      `${root} is more than 16 directories deep, or has a link to itself`,
    );
  return readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const file = join(directory, name);
      const path = relative(root, file).split(sep).join("/");
      const real = realpathSync(file);
      if (real !== root && !real.startsWith(root + sep)) {
        throw refuse(
          "directory",
          "config-drive-directory-invalid",
          `${path} is a link that leads out of the directory`,
        );
      }
      const info = statSync(file);
      if (info.isDirectory()) return filesBelow(root, file, depth + 1);
      if (!info.isFile())
        throw refuse("directory", "config-drive-directory-invalid", `${path} is neither a file nor a directory`);
      return [{ path, file, size: info.size }];
    });
}

function listDirectory(path: string): FoundFile[] {
  let files: FoundFile[];
  try {
    files = filesBelow(realpathSync(path));
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    throw refuse("directory", "config-drive-unreadable", `${path} cannot be read (${codeOf(error)})`);
  }
  if (!files.some((file) => file.path === REQUIRED)) {
    throw refuse(
      "directory",
      "config-drive-directory-invalid",
      `${path} has no ${REQUIRED}; without it no reader accepts the drive`,
    );
  }
  return files;
}

function boundedFiles(path: string): FoundFile[] {
  const found = listDirectory(path);
  if (found.reduce((sum, { size }) => sum + size, 0) > IMAGE_MAX_BYTES) throw imageTooLarge(path, "directory");
  return found;
}

/** Fills `target` with the file, which must not have changed its size since it was listed. */
function readInto(target: Uint8Array, { file, path }: FoundFile): void {
  const handle = openSync(file, "r");
  try {
    let done = 0;
    while (done < target.length) {
      const count = readSync(handle, target, done, target.length - done, null);
      if (count === 0) throw refuse("directory", "config-drive-changed", `${path} became shorter while it was read`);
      done += count;
    }
  } finally {
    closeSync(handle);
  }
}

/**
 * The content for Ironic of an image made from the directory's files: gzipped, in base64.
 * @throws InvalidInput with the path `directory`: unreadable, no `openstack/latest/meta_data.json`, too large.
 */
export async function loadDirectory(path: string): Promise<string> {
  const files = boundedFiles(path).map((each): IsoFile => {
    const write = (target: Uint8Array): void => readInto(target, each);
    return { path: each.path, data: { size: each.size, write } };
  });
  const content = gzip(buildIso(files, { label: "config-2" }));
  if (content.length > GZIP_MAX_BYTES) throw imageTooLarge(path, "directory");
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("base64");
}

/**
 * What the state keeps of a ready drive; `undefined` for arguments that name none.
 * @throws InvalidInput for what can't be read.
 */
export async function describeSource({ image, directory, url }: DriveArgs): Promise<DescribedSource | undefined> {
  if (url !== undefined) return { kind: "url", location: url, sha256: addressHash(url) };
  if (image !== undefined) {
    return { kind: "image", location: image, sha256: imageHash(await readImage(image)) };
  }
  if (directory === undefined) return undefined;
  const files = new Map<string, Uint8Array>();
  for (const { path, file } of boundedFiles(directory)) files.set(path, await readFile(file));
  return { kind: "directory", location: directory, sha256: filesHash(files) };
}

/** The content to send for a ready drive: an image's or a directory's base64, or the address, which Ironic fetches. */
async function loadSource({ image, directory, url }: DriveArgs): Promise<string | undefined> {
  if (image !== undefined) return await loadImage(image);
  if (directory !== undefined) return await loadDirectory(directory);
  return url;
}

/**
 * What goes into the request for a deployment's `configDrive`: the object of JSON text, the address or base64 as it is, and the
 * bytes that a reference (reference.ts) stands for.
 * @throws InvalidInput when a file can't be read, or is not what it was when the program ran: its hash is the state's.
 */
export async function loadDriveContent(configDrive: unknown, signal?: AbortSignal): Promise<unknown> {
  signal?.throwIfAborted();
  const reference = parseReference(configDrive);
  if (reference) {
    const { kind, location, sha256: expected } = reference;
    const args: DriveArgs = { [kind]: location };
    const content = await loadSource(args);
    const found = await describeSource(args);
    if (found?.sha256 === expected) return content;
    throw refuse(
      kind,
      "config-drive-changed",
      `${location} changed after the program read it; run \`pulumi up\` again`,
    );
  }
  if (typeof configDrive !== "string") return configDrive;
  const text = configDrive.trim();
  return text.startsWith("{") ? (JSON.parse(text) as unknown) : text;
}
