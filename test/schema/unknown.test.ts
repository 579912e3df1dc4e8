// How schemas take them is in index.test.ts.
import { expect } from "chai";
import { unknownValue } from "../../provider/plugin/secrets.ts";
import { hasUnknown, isUnknown, known, UNKNOWN } from "../../provider/schema/unknown.ts";

describe("unknown", () => {
  it("is the value that is never marked as a secret", () => expect(UNKNOWN).to.equal(unknownValue));

  const cases: [title: string, value: unknown, is: boolean, has: boolean][] = [
    ["the value itself", UNKNOWN, true, true],
    ["a list of it", [UNKNOWN], false, true],
    ["a list that has it in another", ["x", [1, UNKNOWN]], false, true],
    ["an object in a list that has it", [{ a: "x" }, { b: { c: UNKNOWN } }], false, true],
    ["a property beside null", { a: null, b: UNKNOWN }, false, true],
    ["a text around it", `http://${UNKNOWN}/kernel`, false, false],
    ["a name of a property", { [UNKNOWN]: "x" }, false, false],
    ["an empty list", [], false, false],
    ["an empty object", {}, false, false],
    ["no value", undefined, false, false],
    ["null", null, false, false],
    ["zero", 0, false, false],
    ["an empty text", "", false, false],
    ["false", false, false, false],
  ];
  for (const [title, value, is, has] of cases)
    it(`${is ? "is" : has ? "is found in" : "is not in"} ${title}`, () => {
      expect({ is: isUnknown(value), has: hasUnknown(value) }).to.deep.equal({ is, has });
      // What is known is given as it is, and is no copy.
      expect(known(value)).to.equal(has ? undefined : value);
    });
});
