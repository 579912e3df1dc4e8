import { expect } from "chai";
import * as z from "zod";
import { DOCUMENTS, documentOf, optionTable } from "../../scripts/option-tables.ts";

describe("the tables of arguments in the documents", () => {
  for (const resource of Object.keys(DOCUMENTS))
    it(`are up to date: ${resource}`, () => {
      const { before, after } = documentOf(resource);
      expect(before, "run npm run docs:options").to.equal(after);
    });

  it("have a row for each argument that is not hidden", () => {
    for (const [resource, { table }] of Object.entries(DOCUMENTS))
      for (const [name, { meaning, change }] of Object.entries(table))
        expect(meaning !== undefined, `${resource}.${name}: say what it means`).to.equal(
          change !== "identity" && name !== "filesSha256",
        );
  });

  it("say type, default, change, secrecy and needed version", () => {
    const table = optionTable({
      mode: {
        schema: z.enum(["slow", "fast"]).optional(),
        change: "nothing",
        secret: true,
        needs: [{ feature: "protected" }],
        meaning: "How fast.",
      },
      hidden: { schema: z.string(), change: "identity" },
    });
    expect(table.split("\n").slice(2)).to.deep.equal([
      "| `mode` | `slow` or `fast` | none | state only | How fast. Secret. Needs API 1.48. |",
    ]);
  });
});
