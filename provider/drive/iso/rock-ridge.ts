/**
 * Rock Ridge: POSIX names and modes in the system use fields of ISO 9660 directories.
 * System Use Sharing Protocol (IEEE P1281) and Rock Ridge Interchange Protocol (IEEE P1282), version 1.09 as mkisofs writes it.
 */

/** 1980-01-01 00:00:00 UTC in a directory record (ECMA-119, 9.1.5): one time for all, so that equal files make equal images. */
export const RECORD_TIME: readonly number[] = [80, 1, 1, 0, 0, 0, 0];

const DIRECTORY_MODE = 0o040555;
const FILE_MODE = 0o100444;
// A field's length is one byte; NM has five of its own.
const NM_TEXT_MAX = 250;
const CE_LENGTH = 28;
// RR's flags for the fields that follow: PX, NM, TF.
const HAS_PX_TF = 0x81;
const HAS_NM = 0x08;

const EXTENSION = {
  id: "RRIP_1991A",
  description: "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS",
  source:
    "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION.",
};

const ascii = (text: string): number[] => [...Buffer.from(text, "latin1")];

/** A number in both byte orders (ECMA-119, 7.3.3). */
export function both(value: number): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value, 0);
  bytes.writeUInt32BE(value, 4);
  return [...bytes];
}

const field = (signature: string, ...data: number[]): number[] => [...ascii(signature), data.length + 4, 1, ...data];

const px = (directory: boolean, links: number): number[] =>
  field("PX", ...both(directory ? DIRECTORY_MODE : FILE_MODE), ...both(links), ...both(0), ...both(0));

// Modification, access and attribute change.
const tf = (): number[] => field("TF", 0x0e, ...RECORD_TIME, ...RECORD_TIME, ...RECORD_TIME);

function nm(name: string): number[][] {
  const bytes = [...Buffer.from(name, "utf8")];
  const parts: number[][] = [];
  for (let start = 0; start < bytes.length; start += NM_TEXT_MAX) {
    const more = start + NM_TEXT_MAX < bytes.length ? 1 : 0;
    parts.push(field("NM", more, ...bytes.slice(start, start + NM_TEXT_MAX)));
  }
  return parts;
}

const extensionReference = (): number[] => {
  const { id, description, source } = EXTENSION;
  return field(
    "ER",
    id.length,
    description.length,
    source.length,
    1,
    ...ascii(id),
    ...ascii(description),
    ...ascii(source),
  );
};

/** System use fields of one directory record: what fits into it, and what goes into a continuation area. */
export interface SystemUse {
  inline: number[];
  /** Empty where everything fits; otherwise `inline` must be followed by {@link continuation}. */
  rest: number[];
}

/** What is said about an entry; `"."` of the root carries the protocol's own marks. */
export interface Described {
  name: string | undefined;
  directory: boolean;
  links: number;
  first: boolean;
}

/** The fields for one record that has room for `room` bytes of them. */
export function systemUse({ name, directory, links, first }: Described, room: number): SystemUse {
  const fields = [
    ...(first ? [field("SP", 0xbe, 0xef, 0)] : []),
    field("RR", HAS_PX_TF | (name === undefined ? 0 : HAS_NM)),
    ...(name === undefined ? [] : nm(name)),
    px(directory, links),
    tf(),
    ...(first ? [extensionReference()] : []),
  ];
  const total = fields.reduce((sum, each) => sum + each.length, 0);
  if (total <= room) return { inline: fields.flat(), rest: [] };
  let used = 0;
  const split = fields.findIndex((each) => {
    used += each.length;
    return used > room - CE_LENGTH;
  });
  return { inline: fields.slice(0, split).flat(), rest: fields.slice(split).flat() };
}

/** The field that says where the rest is. */
export const continuation = (sector: number, offset: number, length: number): number[] =>
  field("CE", ...both(sector), ...both(offset), ...both(length));
export const CONTINUATION_LENGTH: number = CE_LENGTH;
