import { both, CONTINUATION_LENGTH, continuation, RECORD_TIME, type SystemUse, systemUse } from "./rock-ridge.ts";
import {
  buildTree,
  directoriesOf,
  type IsoData,
  IsoError,
  type IsoFile,
  type IsoNode,
  sortedChildren,
} from "./tree.ts";

export type { IsoFile } from "./tree.ts";

/** ECMA-119: logical sectors, of which the first 16 are left to the system. */
export const SECTOR = 2048;
export const FIRST_DESCRIPTOR = 16;
const RECORD_HEADER = 33;
const RECORD_MAX = 254;
/** ISO 9660 counts in 32 bits; no config drive needs more than this. */
const IMAGE_MAX = 512 * 1024 * 1024;
const NOTE_MAX = 512;
const VOLUME_TIME = `19800101${"0".repeat(8)}`;

type Key = "plain" | "joliet";

/** Where everything lies. */
interface Layout {
  root: IsoNode;
  trees: Record<Key, TreeLayout>;
  extents: Map<IsoData, number>;
  sectors: number;
}

interface TreeLayout {
  key: Key;
  directories: IsoNode[];
  /** Directory → its first sector. */
  starts: Map<IsoNode, number>;
  /** Directory → its bytes. */
  sizes: Map<IsoNode, number>;
  pathTableBytes: number;
  littleTable: number;
  bigTable: number;
  /** Bytes of Rock Ridge fields that don't fit into records, and where they start. */
  overflow: number;
  overflowStart: number;
}

const sectorsFor = (bytes: number): number => Math.ceil(bytes / SECTOR);
const sizeOf = (data: IsoData): number => (data instanceof Uint8Array ? data.length : data.size);

const identifier = (node: IsoNode, key: Key): Buffer =>
  key === "plain" ? Buffer.from(node.plain, "latin1") : Buffer.from(node.joliet, "utf16le").swap16();

/** One entry of a directory as it will be written, without positions. */
interface Entry {
  node: IsoNode;
  name: Buffer;
  use: SystemUse;
}

const subdirectories = ({ children = [] }: Partial<IsoNode>): number =>
  (children ?? []).filter((each) => each.children).length;

function entry(node: IsoNode, name: Buffer, key: Key, dot: "." | ".." | undefined, first: boolean): Entry {
  if (key === "joliet") return { node, name, use: { inline: [], rest: [] } };
  const directory = node.children !== undefined;
  const room = RECORD_MAX - RECORD_HEADER - name.length - (name.length % 2 === 0 ? 1 : 0);
  const links = directory ? 2 + subdirectories(node) : 1;
  return { node, name, use: systemUse({ name: dot ? undefined : node.name, directory, links, first }, room) };
}

/** A directory's entries: itself, its parent, then the rest in the tree's order. */
const entriesOf = (directory: IsoNode, key: Key): Entry[] => [
  entry(directory, Buffer.from([0]), key, ".", directory.parent === undefined),
  entry(directory.parent ?? directory, Buffer.from([1]), key, "..", false),
  ...sortedChildren(directory, key).map((node) => entry(node, identifier(node, key), key, undefined, false)),
];

const recordLength = ({ name, use }: Entry): number => {
  const length = RECORD_HEADER + name.length + (name.length % 2 === 0 ? 1 : 0) + use.inline.length;
  return length + (use.rest.length > 0 ? CONTINUATION_LENGTH : 0) + (use.inline.length % 2);
};

/** Offsets of records, none of which may cross the end of a sector; the last number is the directory's size. */
function offsets(lengths: readonly number[]): number[] {
  let at = 0;
  const found = lengths.map((length) => {
    if (Math.floor(at / SECTOR) !== Math.floor((at + length - 1) / SECTOR)) at = sectorsFor(at) * SECTOR;
    const offset = at;
    at += length;
    return offset;
  });
  return [...found, sectorsFor(at) * SECTOR];
}

const tableRecord = (directory: IsoNode, key: Key): number => {
  const length = directory.parent ? identifier(directory, key).length : 1;
  return 8 + length + (length % 2);
};

/** The tree's sizes, laid out from sector `start`; returns the sector after it as well. */
function layTree(root: IsoNode, key: Key, start: number): { tree: TreeLayout; next: number } {
  const directories = directoriesOf(root, key);
  const pathTableBytes = directories.reduce((sum, each) => sum + tableRecord(each, key), 0);
  const littleTable = start;
  const bigTable = littleTable + sectorsFor(pathTableBytes);
  let next = bigTable + sectorsFor(pathTableBytes);
  const starts = new Map<IsoNode, number>();
  const sizes = new Map<IsoNode, number>();
  const rests: number[] = [];
  for (const directory of directories) {
    const entries = entriesOf(directory, key);
    const size = offsets(entries.map(recordLength)).at(-1) ?? 0;
    starts.set(directory, next);
    sizes.set(directory, size);
    next += sectorsFor(size);
    rests.push(...entries.map(({ use }) => use.rest.length).filter((length) => length > 0));
  }
  const overflow = offsets(rests).at(-1) ?? 0;
  const tree = {
    key,
    directories,
    starts,
    sizes,
    pathTableBytes,
    littleTable,
    bigTable,
    overflow,
    overflowStart: next,
  };
  return { tree, next: next + sectorsFor(overflow) };
}

function layOut(root: IsoNode): Layout {
  const plain = layTree(root, "plain", FIRST_DESCRIPTOR + 3);
  const joliet = layTree(root, "joliet", plain.next);
  let next = joliet.next;
  const extents = new Map<IsoData, number>();
  for (const directory of plain.tree.directories) {
    for (const { data } of directory.children ?? []) {
      if (data === undefined || extents.has(data)) continue;
      extents.set(data, next);
      next += sectorsFor(sizeOf(data));
      if (next * SECTOR > IMAGE_MAX)
        throw new IsoError(
          `the files have more than the ${IMAGE_MAX} bytes that an image can contain`,
          "config-drive-size",
        );
    }
  }
  return { root, trees: { plain: plain.tree, joliet: joliet.tree }, extents, sectors: next };
}

const both16 = (value: number): number[] => [value & 255, value >> 8, value >> 8, value & 255];

/** ECMA-119, 9.1. */
function record(layout: Layout, tree: TreeLayout, { node, name, use }: Entry, more: number[]): number[] {
  const start = node.data === undefined ? tree.starts.get(node) : layout.extents.get(node.data);
  const size = node.data === undefined ? tree.sizes.get(node) : sizeOf(node.data);
  const bytes = [
    0, // its length, below
    0,
    ...both(start ?? 0),
    ...both(size ?? 0),
    ...RECORD_TIME,
    node.data === undefined ? 2 : 0,
    0,
    0,
    ...both16(1),
    name.length,
    ...name,
    ...(name.length % 2 === 0 ? [0] : []),
    ...use.inline,
    ...more,
  ];
  if (bytes.length % 2 === 1) bytes.push(0);
  bytes[0] = bytes.length;
  return bytes;
}

function writeDirectories(image: Buffer, layout: Layout, tree: TreeLayout): void {
  const rests: number[][] = [];
  const all = tree.directories.map((directory) => ({ directory, entries: entriesOf(directory, tree.key) }));
  const lengths = all.flatMap(({ entries }) => entries.flatMap(({ use }) => use.rest.length || []));
  const places = offsets(lengths);
  for (const { directory, entries } of all) {
    const base = (tree.starts.get(directory) ?? 0) * SECTOR;
    const at = offsets(entries.map(recordLength));
    for (const [index, each] of entries.entries()) {
      let more: number[] = [];
      if (each.use.rest.length > 0) {
        const place = places[rests.length] ?? 0;
        const sector = tree.overflowStart + Math.floor(place / SECTOR);
        more = continuation(sector, place % SECTOR, each.use.rest.length);
        image.set(each.use.rest, tree.overflowStart * SECTOR + place);
        rests.push(each.use.rest);
      }
      image.set(record(layout, tree, each, more), base + (at[index] ?? 0));
    }
  }
}

/** ECMA-119, 9.4: directories by number, once with each byte order. */
function writePathTables(image: Buffer, tree: TreeLayout): void {
  const numbers = new Map(tree.directories.map((directory, index) => [directory, index + 1]));
  let offset = 0;
  for (const directory of tree.directories) {
    const name = directory.parent ? identifier(directory, tree.key) : Buffer.from([0]);
    const parent = numbers.get(directory.parent ?? directory) ?? 1;
    const start = tree.starts.get(directory) ?? 0;
    const little = tree.littleTable * SECTOR + offset;
    const big = tree.bigTable * SECTOR + offset;
    for (const at of [little, big]) {
      image[at] = name.length;
      image.set(name, at + 8);
    }
    image.writeUInt32LE(start, little + 2);
    image.writeUInt16LE(parent, little + 6);
    image.writeUInt32BE(start, big + 2);
    image.writeUInt16BE(parent, big + 6);
    offset += tableRecord(directory, tree.key);
  }
}

/** ECMA-119, 8.4 and 8.5: primary volume descriptor, and Joliet's supplementary one. */
function writeDescriptor(image: Buffer, layout: Layout, key: Key, { label, note = "" }: IsoOptions): void {
  const tree = layout.trees[key];
  const base = (FIRST_DESCRIPTOR + (key === "plain" ? 0 : 1)) * SECTOR;
  const put = (offset: number, bytes: Iterable<number>): void => image.set([...bytes], base + offset);
  const text = (offset: number, length: number, value = ""): void =>
    put(
      offset,
      key === "plain"
        ? Buffer.from(value.padEnd(length), "latin1")
        : Buffer.from(value.padEnd(length / 2), "utf16le").swap16(),
    );
  put(0, [key === "plain" ? 1 : 2, ...Buffer.from("CD001"), 1]);
  text(8, 32);
  text(40, 32, label);
  put(80, both(layout.sectors));
  // UCS-2 level 3: Joliet's mark.
  if (key === "joliet") put(88, Buffer.from("%/E"));
  for (const offset of [120, 124]) put(offset, both16(1));
  put(128, both16(SECTOR));
  put(132, both(tree.pathTableBytes));
  image.writeUInt32LE(tree.littleTable, base + 140);
  image.writeUInt32BE(tree.bigTable, base + 148);
  put(156, record(layout, tree, { node: layout.root, name: Buffer.from([0]), use: { inline: [], rest: [] } }, []));
  for (const offset of [190, 318, 446, 574]) text(offset, 128);
  // Odd lengths: the last byte stays zero in Joliet.
  for (const offset of [702, 739, 776]) text(offset, key === "plain" ? 37 : 36);
  for (const offset of [813, 830]) put(offset, [...Buffer.from(VOLUME_TIME), 0]);
  for (const offset of [847, 864]) put(offset, [...Buffer.from("0".repeat(16)), 0]);
  put(881, [1]);
  // Left to applications, and read by nobody else.
  if (key === "plain") put(883, Buffer.from(note, "latin1"));
}

export interface IsoOptions {
  label: string;
  /** For programs, in the application use field of the primary descriptor: at most 512 characters. */
  note?: string;
}

const LABEL = /^[A-Za-z0-9_.-]{1,16}$/;

/**
 * An ISO 9660 image with Rock Ridge and Joliet, read the same by Linux, cloud-init, Glean and Ironic.
 *
 * Its bytes depend on the files and the label only: one fixed time, owner 0, modes 0444 and 0555, entries in the order of
 * their names. The image is in memory once beside the files; files with the same `data` share their place.
 * @throws IsoError for paths that can't be in an image together, or are too many or too large.
 */
export function buildIso(files: readonly IsoFile[], options: IsoOptions): Uint8Array {
  const { label, note = "" } = options;
  if (note.length > NOTE_MAX) throw new IsoError(`the note has more than ${NOTE_MAX} characters`, "internal-error");
  if (!LABEL.test(label))
    throw new IsoError("the label must have 1 to 16 letters, digits, hyphens, dots and underscores", "internal-error");
  const layout = layOut(buildTree(files));
  const image = Buffer.alloc(layout.sectors * SECTOR);
  for (const key of ["plain", "joliet"] as const) {
    writeDescriptor(image, layout, key, options);
    writePathTables(image, layout.trees[key]);
    writeDirectories(image, layout, layout.trees[key]);
  }
  image.set([255, ...Buffer.from("CD001"), 1], (FIRST_DESCRIPTOR + 2) * SECTOR);
  for (const [data, sector] of layout.extents) {
    if (data instanceof Uint8Array) image.set(data, sector * SECTOR);
    else data.write(image.subarray(sector * SECTOR, sector * SECTOR + data.size));
  }
  return image;
}
