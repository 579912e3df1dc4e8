import { expect } from "chai";
import {
  both,
  CONTINUATION_LENGTH,
  continuation,
  type Described,
  RECORD_TIME,
  systemUse,
} from "../../../provider/drive/iso/rock-ridge.ts";

const PLENTY = 4096;
const file: Described = { name: "a.txt", directory: false, links: 1, first: false };

/** Fields by signature and data; the length of each, and its version, are checked on the way. */
const fieldsOf = (bytes: readonly number[]): [signature: string, data: Buffer][] => {
  const found: [string, Buffer][] = [];
  for (let at = 0; at < bytes.length; at += bytes[at + 2] ?? 0) {
    const field = Buffer.from(bytes.slice(at, at + (bytes[at + 2] ?? 0)));
    expect(field.length).to.be.at.least(4).and.equal(field[2]);
    expect(field[3]).to.equal(1);
    found.push([field.toString("latin1", 0, 2), field.subarray(4)]);
  }
  return found;
};
const described = (more: Partial<Described>, room = PLENTY) => {
  const { inline, rest } = systemUse({ ...file, ...more }, room);
  return { inline: fieldsOf(inline), rest: fieldsOf(rest) };
};
const signatures = (fields: readonly [string, Buffer][]): string[] => fields.map(([signature]) => signature);
const dataOf = (fields: readonly [string, Buffer][], signature: string): Buffer[] =>
  fields.flatMap(([each, data]) => (each === signature ? [data] : []));

describe("Rock Ridge fields", () => {
  it("name a file, its mode, its owner and one time for all", () => {
    const { inline, rest } = described({ name: "ü b" });
    expect(signatures(inline)).to.deep.equal(["RR", "NM", "PX", "TF"]);
    expect(rest).to.deep.equal([]);
    const [rr, nm, px, tf] = inline.map(([, data]) => data);
    expect([...(rr ?? [])]).to.deep.equal([0x89]);
    expect(nm?.toString()).to.equal("\0ü b");
    expect([0, 8, 16, 24].map((at) => px?.readUInt32LE(at))).to.deep.equal([0o100444, 1, 0, 0]);
    expect([4, 12, 20, 28].map((at) => px?.readUInt32BE(at))).to.deep.equal([0o100444, 1, 0, 0]);
    expect([...(tf ?? [])]).to.deep.equal([0x0e, ...RECORD_TIME, ...RECORD_TIME, ...RECORD_TIME]);
  });

  it("give a directory its own mode and its links, and no name to the entries for itself and its parent", () => {
    const { inline } = described({ name: undefined, directory: true, links: 5 });
    expect(signatures(inline)).to.deep.equal(["RR", "PX", "TF"]);
    expect([...(dataOf(inline, "RR")[0] ?? [])]).to.deep.equal([0x81]);
    const [px] = dataOf(inline, "PX");
    expect([px?.readUInt32LE(0), px?.readUInt32LE(8)]).to.deep.equal([0o040555, 5]);
  });

  it("begin the root with the protocol's mark and end it with the extension's", () => {
    const { inline } = described({ name: undefined, directory: true, first: true });
    expect(signatures(inline)).to.deep.equal(["SP", "RR", "PX", "TF", "ER"]);
    expect([...(dataOf(inline, "SP")[0] ?? [])]).to.deep.equal([0xbe, 0xef, 0]);
    const [er] = dataOf(inline, "ER");
    const [id = 0, description = 0, source = 0, version] = er ?? [];
    expect(version).to.equal(1);
    expect(er?.length).to.equal(4 + id + description + source);
    expect(er?.toString("latin1", 4, 4 + id)).to.equal("RRIP_1991A");
  });

  for (const [length, parts] of [
    [250, [[0, 250]]],
    [
      251,
      [
        [1, 250],
        [0, 1],
      ],
    ],
    [
      500,
      [
        [1, 250],
        [0, 250],
      ],
    ],
  ] as const)
    it(`split a name of ${length} bytes into ${parts.length}, of which all but the last say that more follows`, () => {
      const names = dataOf(described({ name: "n".repeat(length) }).inline, "NM");
      expect(names.map((data) => [data[0], data.length - 1])).to.deep.equal(parts);
    });

  it("stay in a record that they just fill", () => {
    const { inline } = systemUse(file, PLENTY);
    expect(systemUse(file, inline.length)).to.deep.equal({ inline, rest: [] });
    expect(systemUse(file, inline.length - 1).rest).not.to.deep.equal([]);
  });

  it("go on elsewhere, whole and in their order, where the room for the rest and its field ends", () => {
    const entry = { ...file, name: "n".repeat(300), first: true };
    const { inline: all } = systemUse(entry, PLENTY);
    for (let room = CONTINUATION_LENGTH; room < all.length; room++) {
      const { inline, rest } = systemUse(entry, room);
      expect([...inline, ...rest], `room ${room}`).to.deep.equal(all);
      expect(inline.length + CONTINUATION_LENGTH, `room ${room}`).to.be.at.most(room);
      const next = rest[2] ?? 0;
      expect(inline.length + next + CONTINUATION_LENGTH, `room ${room}`).to.be.greaterThan(room);
      fieldsOf(inline);
      fieldsOf(rest);
    }
  });

  it("say where they go on, in both byte orders", () => {
    const bytes = continuation(0x01020304, 5, 6);
    expect(bytes).to.have.length(CONTINUATION_LENGTH);
    expect(fieldsOf(bytes)).to.deep.equal([["CE", Buffer.from([...both(0x01020304), ...both(5), ...both(6)])]]);
    expect(both(0x01020304)).to.deep.equal([4, 3, 2, 1, 1, 2, 3, 4]);
    expect(both(0xffff_fffe)).to.deep.equal([0xfe, 255, 255, 255, 255, 255, 255, 0xfe]);
  });
});
