import { expect } from "chai";
import * as z from "zod";
import { object, text, typesOnly } from "../../provider/schema/index.ts";

const never = text(() => "is never right");

const CASES: Readonly<Record<string, { schema: z.ZodType; takes: readonly unknown[]; refuses: readonly unknown[] }>> = {
  "a text": { schema: z.string().min(3).max(4).regex(/^a/), takes: ["", "b", "x".repeat(5_000)], refuses: [1, null] },
  "a text with a rule of its own": { schema: never, takes: ["x"], refuses: [{}] },
  "a number": { schema: z.number().int().min(1).max(9), takes: [0, 1.5, 100], refuses: ["1"] },
  "a whole number": { schema: z.int().min(1), takes: [0.5], refuses: ["1"] },
  "a choice, whose words are its type": { schema: z.enum(["a", "b"]), takes: ["a"], refuses: ["c"] },
  "a flag": { schema: z.boolean(), takes: [true], refuses: ["true"] },
  "what may be left out": { schema: never.optional(), takes: [undefined, "x"], refuses: [1, null] },
  "a list": { schema: z.array(never).min(2), takes: [[], ["x"]], refuses: [[1], "x", {}] },
  "a record": {
    schema: z.record(z.string().regex(/^a/), z.number().max(1)),
    takes: [{}, { b: 7 }],
    refuses: [{ a: "x" }, []],
  },
  "several forms": {
    schema: z.union([never, z.array(z.int()).max(1)]),
    takes: ["x", [1.5, 2]],
    refuses: [1, ["x"]],
  },
  "an object": {
    schema: object({ name: never, deep: object({ size: z.int() }).optional() }),
    takes: [
      { name: "x", later: 1 },
      { name: "x", deep: { size: 0.5, later: { any: 1 } } },
    ],
    refuses: [{}, { name: 1 }, { name: "x", deep: {} }, []],
  },
};

describe("types without rules", () => {
  for (const [title, { schema, takes, refuses }] of Object.entries(CASES))
    it(`are of ${title}`, () => {
      const stored = z.object(typesOnly({ value: schema }));
      // What is in a state is given back whole, also what this version does not know.
      for (const value of takes) expect(stored.parse({ value }), JSON.stringify(value)).to.deep.equal({ value });
      for (const value of refuses) expect(stored.safeParse({ value }).success, JSON.stringify(value)).to.equal(false);
    });

  it("leave the rules of what they are made from in force", () => {
    const shape = { name: never, list: z.array(z.int().max(1)) };
    typesOnly(shape);
    expect(z.object(shape).safeParse({ name: "x", list: [2] }).error?.issues).to.have.length(2);
  });
});
