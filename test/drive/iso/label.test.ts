import { expect } from "chai";
import { buildIso } from "../../../provider/drive/iso/image.ts";
import { LABEL_BYTES, readLabel } from "../../../provider/drive/iso/label.ts";

const image = Buffer.from(buildIso([{ path: "a", data: Buffer.from("b") }], { label: "config-2" }));

describe("the label of an image", () => {
  it("needs no more than the first bytes", () => {
    expect(readLabel(image)).to.equal("config-2");
    expect(readLabel(image.subarray(0, LABEL_BYTES))).to.equal("config-2");
    expect(readLabel(image.subarray(0, LABEL_BYTES - 1))).to.equal(undefined);
  });

  it("ends before what fills it up", () => {
    const padded = Buffer.from(image);
    padded.fill(0, LABEL_BYTES - 2048 + 40, LABEL_BYTES - 2048 + 72);
    padded.write("two words ", LABEL_BYTES - 2048 + 40);
    expect(readLabel(padded)).to.equal("two words");
  });

  for (const [what, at] of [
    ["another kind of descriptor", 0],
    ["another standard", 1],
  ] as const)
    it(`is none with ${what}`, () => {
      const other = Buffer.from(image);
      other[LABEL_BYTES - 2048 + at] = 2;
      expect(readLabel(other)).to.equal(undefined);
    });
});
