import type { Code } from "../../core/index.ts";
import { InvalidInput } from "../../schema/index.ts";

/** Content of a file: its bytes, or who writes `size` bytes straight into the image, so that they are in memory once. */
export type IsoData = Uint8Array | { size: number; write(target: Uint8Array): void };

/** A file of the image; `path` has `/` between names and none at its start. Two files may share one `data`. */
export interface IsoFile {
  path: string;
  data: IsoData;
}

/** A directory or file with its names in the image's two trees. */
export interface IsoNode {
  /** The real name: Rock Ridge's, UTF-8. Empty for the root. */
  readonly name: string;
  readonly parent: IsoNode | undefined;
  /** Entries in the order of their real names' UTF-8 bytes; `undefined` for files. */
  readonly children: IsoNode[] | undefined;
  readonly data: IsoData | undefined;
  /** Name in the ISO 9660 tree, for readers without Rock Ridge and for Ironic, which looks for `network_data.json;1`. */
  plain: string;
  /** Name in the Joliet tree. */
  joliet: string;
}

/** A tree that the format, or one of its readers, does not take. */
export class IsoError extends InvalidInput {
  constructor(reason: string, code: Code = "config-drive-directory-invalid") {
    super([{ path: "", reason, code }]);
  }
}

/** Linux cuts longer Rock Ridge names off: fs/isofs/rock.c, get_rock_ridge_filename. */
const NAME_BYTES_MAX = 253;
/** ISO 9660 allows 8; Rock Ridge readers accept more. */
const DEPTH_MAX = 16;
const FILES_MAX = 10_000;
// ECMA-119, 7.5 and mkisofs -l: 31 characters, with the version ";1" of files.
const PLAIN_MAX = 31;
// The specification's 64 is less than what readers take: mkisofs -joliet-long.
const JOLIET_MAX = 103;

const byBytes = (a: IsoNode, b: IsoNode): number => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));

function checkName(name: string, path: string): void {
  const bad = name === "" || name === "." || name === ".." || name.includes("\0") || !name.isWellFormed();
  if (bad)
    throw new IsoError(
      `${JSON.stringify(path)} is not the path of a file: empty names, ".", ".." and NUL are not allowed`,
    );
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
    throw new IsoError(`a name in ${JSON.stringify(path)} has more than ${NAME_BYTES_MAX} bytes`);
  }
}

const node = (name: string, parent: IsoNode | undefined, data: IsoData | undefined): IsoNode => ({
  name,
  parent,
  children: data === undefined ? [] : undefined,
  data,
  plain: "",
  joliet: "",
});

function addFile(root: IsoNode, { path, data }: IsoFile, seen: Map<string, IsoNode>): void {
  const names = path.split("/");
  if (names.length > DEPTH_MAX)
    throw new IsoError(`${JSON.stringify(path)} is more than ${DEPTH_MAX} directories deep`);
  let directory = root;
  for (const [index, name] of names.entries()) {
    checkName(name, path);
    const key = names.slice(0, index + 1).join("/");
    const last = index === names.length - 1;
    const there = seen.get(key);
    if (there && (last || !there.children)) {
      throw new IsoError(
        `${JSON.stringify(path)}: a ${there.children ? "directory" : "file"} of this name exists already`,
      );
    }
    const entry = there ?? node(name, directory, last ? data : undefined);
    if (!there) directory.children?.push(entry);
    seen.set(key, entry);
    directory = entry;
  }
}

/** Adds the lowest free number to `stem` where its name is taken; the order of entries is fixed, so the numbers are. */
function unique(stem: string, end: string, max: number, taken: ReadonlySet<string>): string {
  const plain = stem.slice(0, max - end.length) + end;
  if (!taken.has(plain)) return plain;
  for (let number = 1; ; number++) {
    const suffix = `_${number}${end}`;
    const name = stem.slice(0, max - suffix.length) + suffix;
    if (!taken.has(name)) return name;
  }
}

/** Letters keep their case, as mkisofs -allow-lowercase does: Ironic looks for the lower-case name in this tree. */
function plainName({ name, children }: IsoNode, taken: ReadonlySet<string>): string {
  const safe = name.replace(/[^A-Za-z0-9_.]/gu, "_");
  if (children) return unique(safe.replaceAll(".", "_"), "", PLAIN_MAX, taken);
  const dot = safe.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [safe.slice(0, dot), safe.slice(dot, dot + 9)] : [safe, "."];
  return unique(stem, `${extension};1`, PLAIN_MAX, taken);
}

const jolietName = ({ name }: IsoNode, taken: ReadonlySet<string>): string => {
  // These six, and control characters, are not allowed in Joliet names.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the rule is about
  const safe = name.replace(/[\x00-\x1f*/:;?\\]/g, "_");
  return unique(safe, "", JOLIET_MAX, taken);
};

function nameChildren(directory: IsoNode): void {
  const plain = new Set<string>();
  const joliet = new Set<string>();
  directory.children?.sort(byBytes);
  for (const child of directory.children ?? []) {
    child.plain = plainName(child, plain);
    child.joliet = jolietName(child, joliet);
    plain.add(child.plain);
    joliet.add(child.joliet);
    nameChildren(child);
  }
}

/**
 * The tree of `files`, which may come in any order.
 * @throws IsoError for paths that can't be in an image together.
 */
export function buildTree(files: readonly IsoFile[]): IsoNode {
  if (files.length > FILES_MAX)
    throw new IsoError(`${files.length} files are more than the ${FILES_MAX} that an image can contain`);
  const root = node("", undefined, undefined);
  const seen = new Map<string, IsoNode>();
  for (const file of files) addFile(root, file, seen);
  nameChildren(root);
  return root;
}

/** Directories level by level, each level in the order of its parents: the order of path tables. */
export function directoriesOf(root: IsoNode, key: "plain" | "joliet"): IsoNode[] {
  const found: IsoNode[] = [root];
  for (let index = 0; index < found.length; index++) {
    found.push(...sortedChildren(found[index] as IsoNode, key).filter(({ children }) => children));
  }
  return found;
}

/** Entries in the order that the tree `key` wants them: by code units, which is the order of both encodings. */
export const sortedChildren = ({ children = [] }: Partial<IsoNode>, key: "plain" | "joliet"): IsoNode[] =>
  [...(children ?? [])].sort((a, b) => (a[key] < b[key] ? -1 : 1));
