import { expect } from "chai";
import { canonicalJson } from "../../provider/core/json.ts";

describe("canonical JSON", () => {
  const SAME: readonly [a: unknown, b: unknown][] = [
    [
      { a: 1, b: { c: 2, d: 3 } },
      { b: { d: 3, c: 2 }, a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    [[{ b: 1, a: 2 }], [{ a: 2, b: 1 }]],
  ];
  for (const [a, b] of SAME)
    it(`of ${JSON.stringify(a)} does not depend on the order of keys`, () =>
      expect(canonicalJson(a)).to.equal(canonicalJson(b)));

  it("keeps the order of lists, and null", () => {
    expect(canonicalJson([2, 1, null])).to.equal("[2,1,null]");
    expect(canonicalJson({ a: null })).to.equal('{"a":null}');
  });

  it("sorts by code units, as every machine does", () =>
    expect(canonicalJson({ ä: 1, b: 2, B: 3, "10": 4, _: 5 })).to.equal('{"10":4,"B":3,"_":5,"b":2,"ä":1}'));
});
