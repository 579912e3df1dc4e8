/** The files of an ISO 9660 image, whoever made it: by the names of Rock Ridge, else of Joliet, else plain ones. */
import { FIRST_DESCRIPTOR, SECTOR } from "./image.ts";

export interface ListedFile {
  path: string;
  data: Uint8Array;
}

const DESCRIPTORS_MAX = 64;
const DEPTH_MAX = 32;
const ENTRIES_MAX = 65_536;
const CONTINUATIONS_MAX = 64;
const RECORD_HEADER = 33;
const DIRECTORY = 0x02;
const MULTI_EXTENT = 0x80;
/** ECMA-119, 8.4.32. */
const APPLICATION_USE = { start: 883, end: 1395 };
/** Escape sequences of Joliet in a supplementary descriptor. */
const JOLIET = ["%/@", "%/C", "%/E"];
/** Rock Ridge: links, moved directories and compressed files are more than a path and its bytes. */
const UNSUPPORTED = ["SL", "CL", "PL", "RE", "ZF"];

/** Thrown within this file where an image has what is not read here, or is damaged. */
class Unlisted extends Error {}

const slice = (image: Buffer, start: number, length: number): Buffer => {
  if (start < 0 || length < 0 || start + length > image.length) throw new Unlisted();
  return image.subarray(start, start + length);
};

type Names = "rock ridge" | "joliet" | "plain";

interface Walk {
  image: Buffer;
  names: Names;
  /** Bytes before the system use fields of each record. */
  skip: number;
  seen: Set<number>;
  count: number;
  files: ListedFile[];
}

const descriptors = (image: Buffer): Buffer[] => {
  const found: Buffer[] = [];
  for (let index = 0; index < DESCRIPTORS_MAX; index++) {
    const descriptor = slice(image, (FIRST_DESCRIPTOR + index) * SECTOR, SECTOR);
    if (descriptor.toString("latin1", 1, 6) !== "CD001") throw new Unlisted();
    if (descriptor[0] === 255) return found;
    found.push(descriptor);
  }
  throw new Unlisted();
};

const rootOf = (descriptor: Buffer): Buffer => {
  if (descriptor.readUInt16LE(128) !== SECTOR) throw new Unlisted();
  return descriptor.subarray(156, 190);
};

/** A record's extent in the image. Files in several parts or with gaps are not read here. */
function extentOf(image: Buffer, record: Buffer): Buffer {
  const flags = record[25] ?? 0;
  if ((flags & MULTI_EXTENT) !== 0 || record[26] !== 0 || record[27] !== 0) throw new Unlisted();
  return slice(image, (record.readUInt32LE(2) + (record[1] ?? 0)) * SECTOR, record.readUInt32LE(10));
}

/** System use fields of a record, those in continuation areas as well. */
function systemUse(image: Buffer, area: Buffer): { signature: string; data: Buffer }[] {
  const fields: { signature: string; data: Buffer }[] = [];
  let next: Buffer | undefined = area;
  for (let rounds = 0; next !== undefined; rounds++) {
    if (rounds > CONTINUATIONS_MAX) throw new Unlisted();
    const bytes: Buffer = next;
    next = undefined;
    for (let at = 0; at + 4 <= bytes.length; ) {
      const length = bytes[at + 2] ?? 0;
      if (length < 4) break;
      const field = slice(bytes, at, length);
      const signature = field.toString("latin1", 0, 2);
      if (signature === "ST") break;
      if (signature === "CE")
        next = slice(image, field.readUInt32LE(4) * SECTOR + field.readUInt32LE(12), field.readUInt32LE(20));
      else fields.push({ signature, data: field.subarray(4) });
      at += length;
    }
  }
  return fields;
}

function nameOf(walk: Walk, record: Buffer): string {
  const length = record[32] ?? 0;
  const raw = slice(record, RECORD_HEADER, length);
  if (walk.names === "joliet") return Buffer.from(raw).swap16().toString("utf16le").replace(/;1$/, "");
  const plain = raw.toString("latin1").replace(/\.?;\d+$/, "");
  if (walk.names === "plain") return plain;
  const area = record.subarray(RECORD_HEADER + length + (length % 2 === 0 ? 1 : 0) + walk.skip);
  const fields = systemUse(walk.image, area);
  if (fields.some(({ signature }) => UNSUPPORTED.includes(signature))) throw new Unlisted();
  const names = fields.filter(({ signature }) => signature === "NM").map(({ data }) => data.subarray(1));
  return names.length > 0 ? Buffer.concat(names).toString("utf8") : plain;
}

function walkDirectory(walk: Walk, record: Buffer, path: string, depth: number): void {
  const start = record.readUInt32LE(2);
  if (depth > DEPTH_MAX || walk.seen.has(start)) throw new Unlisted();
  walk.seen.add(start);
  const directory = extentOf(walk.image, record);
  for (let at = 0; at < directory.length; ) {
    const length = directory[at] ?? 0;
    // No record crosses the end of a sector; what is left of it is zero.
    if (length === 0) {
      at = (Math.floor(at / SECTOR) + 1) * SECTOR;
      continue;
    }
    if (length <= RECORD_HEADER || ++walk.count > ENTRIES_MAX) throw new Unlisted();
    const entry = slice(directory, at, length);
    at += length;
    // "." and ".."
    if (entry[32] === 1 && (entry[33] ?? 0) <= 1) continue;
    const child = path === "" ? nameOf(walk, entry) : `${path}/${nameOf(walk, entry)}`;
    if (((entry[25] ?? 0) & DIRECTORY) !== 0) walkDirectory(walk, entry, child, depth + 1);
    else walk.files.push({ path: child, data: extentOf(walk.image, entry) });
  }
}

/** Where Rock Ridge's fields begin in each record, if the image has them (SUSP, 5.3). */
function rockRidge(image: Buffer, root: Buffer): number | undefined {
  const dot = extentOf(image, root);
  const field = dot.subarray(RECORD_HEADER + 1, dot[0] ?? 0);
  return field.toString("latin1", 0, 2) === "SP" && field[4] === 0xbe && field[5] === 0xef ? field[6] : undefined;
}

/** The files by path; `undefined` where the image is none, is damaged, or has more to its files than paths and bytes. */
export function listIso(bytes: Uint8Array): ListedFile[] | undefined {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const all = descriptors(image);
    const primary = all.find(([type]) => type === 1);
    if (!primary) return undefined;
    const joliet = all.find((each) => each[0] === 2 && JOLIET.includes(each.toString("latin1", 88, 91)));
    const skip = rockRidge(image, rootOf(primary));
    const names: Names = skip !== undefined ? "rock ridge" : joliet ? "joliet" : "plain";
    const walk: Walk = { image, names, skip: skip ?? 0, seen: new Set(), count: 0, files: [] };
    walkDirectory(walk, rootOf(names === "joliet" && joliet ? joliet : primary), "", 0);
    const paths = new Set(walk.files.map(({ path }) => path));
    return paths.size === walk.files.length ? walk.files : undefined;
  } catch (error) {
    if (error instanceof Unlisted || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What the program that made the image has left in the field that is its own, without padding. */
export function readApplicationUse(image: Uint8Array): string {
  const descriptor = Buffer.from(image.subarray(FIRST_DESCRIPTOR * SECTOR, (FIRST_DESCRIPTOR + 1) * SECTOR));
  return descriptor.toString("latin1", APPLICATION_USE.start, APPLICATION_USE.end).replace(/[ \0]+$/, "");
}
