// The README's tables of messages against the sources, where a message is one text there.
import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";

const provider = new URL("../provider/", import.meta.url);
const sources = readdirSync(provider, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(new URL(name, provider), "utf8"))
  .join("\n");

/** The rows below a heading. */
function rowsOf(heading: string): string[] {
  const [, section = ""] = readFileSync(new URL("../README.md", import.meta.url), "utf8").split(`\n### ${heading}\n`);
  const [table = ""] = section.split("\n### ");
  return table.split("\n").filter((line) => line.startsWith("| ") && line.includes("`"));
}

describe("the README's messages", () => {
  for (const heading of [
    "Arguments, refused before anything is touched",
    "Config drives",
    "The command `pulumi-ironic`",
  ])
    it(`are those of the sources: ${heading}`, () => {
      const rows = rowsOf(heading);
      expect(rows).to.not.be.empty;
      const quoted = rows.flatMap((row) => (row.split(" | ")[0] ?? "").match(/`[^`]+`/g) ?? []);
      // "…" stands for what differs.
      const pieces = quoted.flatMap((text) => text.slice(1, -1).split("…")).map((piece) => piece.trim());
      expect(pieces.filter((piece) => !sources.includes(piece))).to.deep.equal([]);
    });
});
