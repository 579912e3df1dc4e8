// The codes of messages: each has its section in docs/troubleshooting.md, and each is used.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import ts from "typescript";
import { CODES } from "../provider/core/codes.ts";
import { FAULTS } from "../provider/core/faults.ts";
import { STATES } from "../provider/node/states.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");

interface Section {
  code: string;
  text: string;
  /** The blocks of code. */
  examples: string[];
}

const sections: Section[] = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    code: text.split("\n", 1)[0] ?? "",
    text,
    examples: [...text.matchAll(/^```text\n(.*?)\n```$/gms)].map(([, example = ""]) => example),
  }));

/** The texts in quotes of a file, without those in comments. */
const stringsIn = (file: string): string[] => {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest));
  return found;
};

describe("the codes of messages", () => {
  it("are the headings of docs/troubleshooting.md, in the same order", () => {
    expect(
      sections.map(({ code }) => code),
      "describe the code there, or add it to CODES in provider/core/codes.ts",
    ).to.deep.equal([...CODES]);
  });

  it("are each there once", () => expect(new Set(CODES).size).to.equal(CODES.length));

  it("are each used outside of their list", () => {
    const files = globSync("provider/**/*.ts", { cwd: root }).filter((file) => !file.endsWith("core/codes.ts"));
    const used = new Set(files.flatMap(stringsIn));
    expect(
      CODES.filter((code) => !used.has(code)),
      "give it to a message, or remove it",
    ).to.deep.equal([]);
  });

  for (const { code, text, examples } of sections)
    it(`are explained: ${code}`, () => {
      expect(text).to.contain("\n**Cause:** ").and.to.contain("\n**What to do:** ");
      expect(examples.filter((example) => example.endsWith(` [${code}]`))).to.not.be.empty;
    });

  it("have examples with the advice of the tables", () => {
    const examples = sections.flatMap((section) => section.examples).join("\n");
    const advice = [FAULTS.locked, FAULTS.conflict, FAULTS.wrongState, FAULTS.overloaded].map((row) => row.advice);
    const states = [STATES["deploy failed"], STATES.error, STATES["clean failed"], STATES.manageable, STATES.active];
    const pieces = [...advice, ...states.map((row) => row.advice.replaceAll("{node}", "worker-1"))];
    expect(pieces.filter((piece) => !examples.includes(piece))).to.deep.equal([]);
  });
});
