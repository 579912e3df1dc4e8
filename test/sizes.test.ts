// Limits of provider/, and of the files of test/: what is longer is split by noun, or tests by verb.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import ts from "typescript";

const root = fileURLToPath(new URL("../provider", import.meta.url));
const testRoot = fileURLToPath(new URL(".", import.meta.url));
const MAX_FUNCTION_LINES = 70;
const MAX_FILE_LINES = 300;

/** Files, those of test/ as `test/file`, and functions as `file name`, that may be longer, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

interface Size {
  what: string;
  lines: number;
}

const nameOf = (node: ts.Node): string => {
  const named =
    ts.isFunctionLike(node) && node.name ? node.name : ts.isVariableDeclaration(node.parent) && node.parent.name;
  return named
    ? named.getText()
    : ts.isPropertyAssignment(node.parent)
      ? node.parent.name.getText()
      : "(without a name)";
};

/** Every function of a source text, those within others too, from its first line to its last. */
function functionsOf(file: string, text: string): Size[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const found: Size[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body)
      found.push({ what: `${file} ${nameOf(node)}`, lines: lineOf(node.end) - lineOf(node.getStart()) + 1 });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

interface Source {
  file: string;
  text: string;
}
const sourcesIn = (folder: string): Source[] =>
  globSync("**/*.{ts,cts,cjs}", { cwd: folder }).map((file) => ({
    file: file.replaceAll("\\", "/"),
    text: readFileSync(join(folder, file), "utf8"),
  }));
const sizeOf = ({ file, text }: Source): Size => ({ what: file, lines: text.trimEnd().split("\n").length });

const sources = sourcesIn(root);
const files = sources.map(sizeOf);
const testFiles = sourcesIn(testRoot).map(({ file, text }) => sizeOf({ file: `test/${file}`, text }));
const functions = sources.flatMap(({ file, text }) => functionsOf(file, text));

const tooLong = (sizes: readonly Size[], max: number): Size[] => sizes.filter(({ lines }) => lines > max);
const shown = (sizes: readonly Size[]): string[] =>
  sizes.filter(({ what }) => !(what in EXCEPTIONS)).map(({ what, lines }) => `${what}: ${lines} lines`);

describe("sizes", () => {
  it(`has no function over ${MAX_FUNCTION_LINES} lines`, () => {
    const longest = functions.toSorted((a, b) => b.lines - a.lines)[0];
    if (process.env.SHOW_SIZES) process.stdout.write(`longest function: ${longest?.what}, ${longest?.lines} lines\n`);
    expect(shown(tooLong(functions, MAX_FUNCTION_LINES)), "split it by what it does").to.deep.equal([]);
  });

  it(`has no file over ${MAX_FILE_LINES} lines`, () => {
    const largest = files.toSorted((a, b) => b.lines - a.lines)[0];
    if (process.env.SHOW_SIZES) process.stdout.write(`largest file: ${largest?.what}, ${largest?.lines} lines\n`);
    expect(shown(tooLong(files, MAX_FILE_LINES)), "split it by noun").to.deep.equal([]);
  });

  it(`has no file of tests over ${MAX_FILE_LINES} lines`, () => {
    const largest = testFiles.toSorted((a, b) => b.lines - a.lines)[0];
    if (process.env.SHOW_SIZES) process.stdout.write(`largest test file: ${largest?.what}, ${largest?.lines} lines\n`);
    expect(testFiles.map(({ what }) => what)).to.include("test/sizes.test.ts");
    expect(shown(tooLong(testFiles, MAX_FILE_LINES)), "split it by verb, and put what is shared beside").to.deep.equal(
      [],
    );
  });

  it("has no exception that is not needed", () => {
    const allFiles = [...files, ...testFiles];
    const long = [...tooLong(functions, MAX_FUNCTION_LINES), ...tooLong(allFiles, MAX_FILE_LINES)].map(
      ({ what }) => what,
    );
    expect(Object.keys(EXCEPTIONS).filter((what) => !long.includes(what))).to.deep.equal([]);
  });

  it("measures functions of each form", () => {
    const text = "function a() {\n}\nconst b = () => {\n\n};\nconst c = { d() {}, e: () =>\n1 };\nclass F { g() {} }\n";
    expect(functionsOf("x.ts", text)).to.deep.equal([
      { what: "x.ts a", lines: 2 },
      { what: "x.ts b", lines: 3 },
      { what: "x.ts d", lines: 1 },
      { what: "x.ts e", lines: 2 },
      { what: "x.ts g", lines: 1 },
    ]);
  });
});
