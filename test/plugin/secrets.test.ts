import { expect } from "chai";
import { sanitized, secretTexts, unknownValue, unwrapped, withSecrets } from "../../provider/plugin/secrets.ts";

const signatureKey = "4dabf18193072939515e22adb298388d";
const secret = (value: unknown) => ({ [signatureKey]: "1b47061264138c4ac30d75fd1eb44270", value });

describe("secrets", () => {
  it("marks named keys, once", () => {
    const marked = withSecrets({ a: "x", b: { c: 1 }, d: "open" }, ["a", "b", "missing"]);
    expect(marked).to.deep.equal({ a: secret("x"), b: secret({ c: 1 }), d: "open" });
    expect(withSecrets(marked, ["a"])).to.deep.equal(marked);
  });

  it("leaves nothing and the unknown as they are", () => {
    const props = { a: null, b: unknownValue, c: undefined };
    expect(withSecrets(props, ["a", "b", "c"])).to.deep.equal(props);
  });

  it("takes marks away at any depth", () => {
    expect(unwrapped({ a: [secret({ b: secret("x") })], c: 1 })).to.deep.equal({ a: [{ b: "x" }], c: 1 });
  });

  const values: [string, unknown, unknown, string?][] = [
    ["text", "x", "x"],
    ["zero", 0, 0],
    ["null", null, null],
    ["undefined", undefined, undefined],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["a big integer", 2n ** 64n, "18446744073709551616"],
    ["a record without prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ["a hole in a list", [1, undefined, 3], [1, null, 3]],
    ["not a number", Number.NaN, undefined, "key: is not a finite number (NaN)"],
    ["infinity", [1, Number.POSITIVE_INFINITY], [1, null], "key[1]: is not a finite number (Infinity)"],
    ["an invalid date", new Date(Number.NaN), undefined, "key: is an invalid date"],
    ["a function", { f: () => 1 }, {}, "key.f: is a function"],
    ["a symbol", Symbol("s"), undefined, "key: is a symbol"],
    ["a map", new Map(), undefined, "key: is an object of class Map"],
    ["bytes", Buffer.from("x"), undefined, "key: is an object of class Buffer"],
  ];
  for (const [title, value, expected, problem] of values) {
    it(`makes ${title} storable`, () => {
      const { props, problems } = sanitized({ key: value });
      expect(props).to.deep.equal(expected === undefined ? {} : { key: expected });
      expect(problems).to.deep.equal(problem === undefined ? [] : [problem]);
    });
  }

  it("ends at a cycle", () => {
    const cycle: Record<string, unknown> = { name: "x" };
    cycle.self = cycle;
    const { problems } = sanitized({ cycle });
    expect(problems).to.have.length(1);
    expect(problems[0]).to.contain("nested deeper than 64 levels");
  });

  it("finds the texts that no message may hold: values, and lines of them", () => {
    const userData = "#!/bin/sh\necho planted-in-a-line\n";
    const texts = secretTexts(
      [{ userData, pin: 1, list: [secret({ deep: "planted-deep" })] }, undefined],
      ["userData", "list"],
    );
    expect(texts).to.have.members([userData, "#!/bin/sh", "echo planted-in-a-line", "planted-deep"]);
  });

  it("keeps readable what also stands in the open, and the unknown", () => {
    const bags = [{ node: "worker-1", configDrive: { hostname: "worker-1", key: unknownValue, token: "planted" } }];
    expect(secretTexts(bags, ["configDrive"])).to.deep.equal(["planted"]);
  });
});
