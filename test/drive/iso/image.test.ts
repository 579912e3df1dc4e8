import { createHash } from "node:crypto";
import { expect } from "chai";
import { buildIso, type IsoFile } from "../../../provider/drive/iso/image.ts";
import { LABEL_BYTES, readLabel } from "../../../provider/drive/iso/label.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const file = (path: string, text = path): IsoFile => ({ path, data: bytes(text) });
const build = (...files: IsoFile[]): Buffer => Buffer.from(buildIso(files, { label: "config-2" }));
const sector = (image: Buffer, number: number): Buffer => image.subarray(number * 2048, (number + 1) * 2048);

/** Names in the directory at `start`, as the directory spells them. */
function names(image: Buffer, start: number, length = 2048): string[] {
  const found: string[] = [];
  const directory = image.subarray(start * 2048, start * 2048 + length);
  for (let at = 0; at < length; ) {
    const size = directory[at] ?? 0;
    if (size === 0) {
      at = (Math.floor(at / 2048) + 1) * 2048;
      continue;
    }
    found.push(directory.toString("latin1", at + 33, at + 33 + (directory[at + 32] ?? 0)));
    at += size;
  }
  return found.slice(2);
}

describe("iso", () => {
  it("has the descriptors where ECMA-119 wants them", () => {
    const image = build(file("openstack/latest/meta_data.json"));
    expect(image.length % 2048).to.equal(0);
    expect(image.subarray(0, 16 * 2048).every((byte) => byte === 0)).to.equal(true);
    const primary = sector(image, 16);
    expect(primary.toString("latin1", 0, 7)).to.equal("\x01CD001\x01");
    expect(primary.toString("latin1", 40, 72)).to.equal("config-2".padEnd(32));
    expect(primary.readUInt32LE(80)).to.equal(image.length / 2048);
    expect(primary.readUInt32BE(84)).to.equal(image.length / 2048);
    expect(primary.readUInt16LE(128)).to.equal(2048);
    const joliet = sector(image, 17);
    expect(joliet.toString("latin1", 0, 7)).to.equal("\x02CD001\x01");
    expect(joliet.toString("latin1", 88, 91)).to.equal("%/E");
    expect(joliet.subarray(40, 56).swap16().toString("utf16le")).to.equal("config-2");
    expect(sector(image, 18).toString("latin1", 0, 7)).to.equal("\xffCD001\x01");
  });

  it("spells names as Ironic's checker looks for them", () => {
    const image = build(file("network_data.json"), file("user_data"), file("a-b/c"));
    const root = sector(image, 16).readUInt32LE(156 + 2);
    expect(names(image, root)).to.deep.equal(["a_b", "network_data.json;1", "user_data.;1"]);
  });

  it("keeps names apart that become the same", () => {
    const image = build(file("a-b"), file("a b"), file("a+b"), file(`${"x".repeat(40)}1`), file(`${"x".repeat(40)}2`));
    const found = names(image, sector(image, 16).readUInt32LE(156 + 2));
    expect(new Set(found).size).to.equal(5);
    expect(found.every((name) => name.length <= 31)).to.equal(true);
  });

  it("gives the same bytes for the same files, in any order", () => {
    const files = [file("b/x"), file("a"), file("b/a"), file("ü/名前")];
    const hash = (list: IsoFile[]) =>
      createHash("sha256")
        .update(build(...list))
        .digest("hex");
    expect(hash([...files].reverse())).to.equal(hash(files));
    // Known since the first version: another hash means that every machine's drive changes, and machines reboot.
    expect(hash(files)).to.equal("9c99274b6267b80ecb008850f7ee5dca77e158a14f7044d657c7fb8a8f327fd4");
  });

  it("stores shared content once, and streams content that is not in memory", () => {
    const data = Buffer.alloc(100_000, 7);
    const once = build({ path: "a", data });
    expect(build({ path: "a", data }, { path: "b", data }).length).to.equal(once.length);
    const streamed = build({ path: "a", data: { size: data.length, write: (target) => void target.fill(7) } });
    expect(streamed.equals(once)).to.equal(true);
  });

  it("splits directories over sectors without splitting entries", () => {
    const files = Array.from({ length: 200 }, (_, index) =>
      file(`directory/with a rather long name, number ${index}.txt`),
    );
    const image = build(...files);
    const root = sector(image, 16).readUInt32LE(156 + 2);
    const at = image.indexOf("directory", root * 2048) - 33;
    const found = names(image, image.readUInt32LE(at + 2), image.readUInt32LE(at + 10));
    expect(found).to.have.length(200);
  });

  const wrong: [what: string, files: IsoFile[], message: RegExp][] = [
    ["an empty name", [file("a//b")], /is not the path of a file/],
    ["a path from the root", [file("/a")], /is not the path of a file/],
    ["..", [file("a/../b")], /is not the path of a file/],
    ["NUL", [file("a\0b")], /is not the path of a file/],
    ["half of a character", [file("a\ud800")], /is not the path of a file/],
    ["a name of 254 bytes", [file("ü".repeat(127))], /more than 253 bytes/],
    ["a file twice", [file("a"), file("a")], /a file of this name exists already/],
    ["a file that is a directory", [file("a/b"), file("a")], /a directory of this name exists already/],
    ["a directory that is a file", [file("a"), file("a/b")], /a file of this name exists already/],
    ["17 levels", [file(`${"a/".repeat(16)}b`)], /more than 16 directories deep/],
    [
      "more than an image takes",
      [{ path: "a", data: { size: 2 ** 30, write: () => undefined } }],
      /more than the 536870912 bytes/,
    ],
  ];
  for (const [what, files, message] of wrong)
    it(`refuses ${what}`, () => expect(() => build(...files)).to.throw(message));

  it("refuses labels that readers would not find again", () => {
    expect(() => buildIso([], { label: "config 2" })).to.throw(/label/);
    expect(() => buildIso([], { label: "x".repeat(17) })).to.throw(/label/);
  });

  it("reads a label back, from the start of an image", () => {
    const image = build(file("a"));
    expect(readLabel(image.subarray(0, LABEL_BYTES))).to.equal("config-2");
    expect(readLabel(image.subarray(0, LABEL_BYTES - 1))).to.equal(undefined);
    expect(readLabel(Buffer.alloc(LABEL_BYTES))).to.equal(undefined);
    expect(readLabel(Buffer.concat([Buffer.alloc(3), image]).subarray(3))).to.equal("config-2");
  });
});
