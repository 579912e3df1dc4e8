import { expect } from "chai";
import fc from "fast-check";
import { parse } from "yaml";
import { yamlOf } from "../../provider/drive/yaml.ts";

describe("YAML of user data", () => {
  it("has the layout that it always had: another one would reboot every machine with a cloudConfig", () => {
    const value = {
      b: [1, "two", [true, [null]], { d: { e: "é" }, c: [] }],
      a: { "k: ": "two\nlines that are longer than a fold of forty characters", empty: {}, n: -1.5 },
    };
    expect(yamlOf(value)).to.equal(
      [
        '"a":',
        '  "empty": {}',
        '  "k: ": "two\\nlines that are longer than a fold of forty characters"',
        '  "n": -1.5',
        '"b":',
        "  - 1",
        '  - "two"',
        "  - - true",
        "    - - null",
        '  - "c": []',
        '    "d":',
        '      "e": "é"',
        "",
      ].join("\n"),
    );
    expect([{}, [], "x", null].map(yamlOf)).to.deep.equal(["{}\n", "[]\n", '"x"\n', "null\n"]);
  });

  it("is read back as the same value, in both versions of YAML", () => {
    const values = fc.jsonValue({ noUnicodeString: false, maxDepth: 4 });
    fc.assert(
      fc.property(values, (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        // 1.1 takes a number such as 1e-7 for a text.
        const versions = /\de[+-]?\d/.test(JSON.stringify(plain)) ? ["1.2" as const] : (["1.1", "1.2"] as const);
        for (const version of versions)
          expect(parse(yamlOf(plain), { version, maxAliasCount: 0 })).to.deep.equal(plain);
      }),
      { numRuns: 200 },
    );
  });
});
