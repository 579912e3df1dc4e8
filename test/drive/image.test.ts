import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { encodeImage, fromBase64, isGzip } from "../../provider/drive/image.ts";
import { buildIso } from "../../provider/drive/iso/image.ts";
import { InvalidInput } from "../../provider/schema/index.ts";

const iso = (label: string): Buffer => Buffer.from(buildIso([{ path: "a", data: Buffer.from("b") }], { label }));

describe("a ready image", () => {
  it("may have the label in capitals, and comes gzipped in base64 in each of its forms", () => {
    for (const image of [iso("config-2"), iso("CONFIG-2")])
      for (const form of [image, gzipSync(image), Buffer.from(image.toString("base64"))])
        expect(gunzipSync(Buffer.from(encodeImage(form, "drive"), "base64")).equals(image)).to.equal(true);
  });

  const WRONG: readonly [what: string, bytes: Buffer][] = [
    ["no image", Buffer.from("hello")],
    ["another label", iso("cidata")],
    ["gzip that is cut", gzipSync(iso("config-2")).subarray(0, 100)],
  ];
  for (const [what, bytes] of WRONG)
    it(`that is ${what} is refused by the property that brought it`, () =>
      expect(() => encodeImage(bytes, "drive", "imageBase64"))
        .to.throw(InvalidInput)
        .with.nested.property("failures[0].path", "imageBase64"));

  it("does not depend on where its bytes lie in memory", () => {
    const around = Buffer.concat([Buffer.from("xyz"), iso("config-2")]);
    expect(encodeImage(around.subarray(3), "drive")).to.equal(encodeImage(iso("config-2"), "drive"));
  });

  const BASE64: readonly [text: string, bytes: string | undefined][] = [
    ["aGVsbG8=", "hello"],
    ["aGVs\r\nbG8=\n", "hello"],
    ["aGVsbG8", undefined],
    ["aGV-bG8=", undefined],
    ["", undefined],
    ["\0\0\0\0", undefined],
  ];
  for (const [text, bytes] of BASE64)
    it(`${JSON.stringify(text)} ${bytes === undefined ? "is not base64" : "is base64"}`, () =>
      expect(fromBase64(Buffer.from(text))?.toString()).to.equal(bytes));

  it("is gzip by its first two bytes", () => {
    expect(isGzip(gzipSync("x"))).to.equal(true);
    for (const bytes of [[], [0x1f], [0x1f, 0x8c]]) expect(isGzip(Buffer.from(bytes))).to.equal(false);
  });
});
