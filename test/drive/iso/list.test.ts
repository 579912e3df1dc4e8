import { expect } from "chai";
import { buildIso } from "../../../provider/drive/iso/image.ts";
import { listIso, readApplicationUse } from "../../../provider/drive/iso/list.ts";

const tree: Record<string, string> = {
  "openstack/latest/meta_data.json": '{"uuid":"1"}',
  "one/two/three/four/five/six/seven/deep.txt": "deep",
  "with space/Ünïcödé 名前 😀.txt": "unicode",
  [`long/${"n".repeat(100)}.txt`]: "long",
  [`longest/${"ü".repeat(126)}x`]: "as long as Linux reads",
  empty: "",
  ...Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`many/file ${index}.txt`, String(index)])),
};
const image = Buffer.from(
  buildIso(
    Object.entries(tree).map(([path, text]) => ({ path, data: Buffer.from(text) })),
    { label: "config-2", note: "a note" },
  ),
);
const listed = (bytes: Uint8Array) =>
  listIso(bytes) && Object.fromEntries((listIso(bytes) ?? []).map(({ path, data }) => [path, String(data)]));

describe("listing an ISO image", () => {
  it("finds every file with its path and its bytes", () => expect(listed(image)).to.deep.equal(tree));

  it("goes by Joliet where there is no Rock Ridge", () => {
    const joliet = Buffer.from(image);
    const root = joliet.readUInt32LE(16 * 2048 + 156 + 2) * 2048;
    joliet.write("XX", root + 34, "latin1");
    expect(Object.keys(listed(joliet) ?? {})).to.include("with space/Ünïcödé 名前 😀.txt");
  });

  it("gives up on what is no image, on damage and on circles", () => {
    const circle = Buffer.from(image);
    // The root's first directory leads to the root.
    const root = circle.readUInt32LE(16 * 2048 + 156 + 2);
    for (let at = root * 2048, count = 0; count < 4; count++) {
      if (count > 1 && (circle[at + 25] ?? 0) === 2) circle.writeUInt32LE(root, at + 2);
      at += circle[at] ?? 0;
    }
    for (const odd of [circle, image.subarray(0, 50_000), Buffer.alloc(100), Buffer.alloc(100_000)])
      expect(listIso(odd)).to.equal(undefined);
  });

  it("never fails with anything else, whatever a byte is", () => {
    const damaged = Buffer.from(image);
    for (let at = 16 * 2048; at < 60 * 2048; at += 211) {
      const byte = damaged[at] ?? 0;
      damaged[at] = byte ^ 0xff;
      listIso(damaged);
      damaged[at] = byte;
    }
  });

  it("reads back what its maker noted", () => expect(readApplicationUse(image)).to.equal("a note"));
});
