import { expect } from "chai";
import { buildTree, directoriesOf, IsoError, type IsoNode, sortedChildren } from "../../../provider/drive/iso/tree.ts";

const data = Buffer.from("x");
const tree = (...paths: string[]): IsoNode => buildTree(paths.map((path) => ({ path, data })));
const names = (nodes: readonly IsoNode[] | undefined, key: "name" | "plain" | "joliet") =>
  nodes?.map((node) => node[key]);

describe("the tree of an image", () => {
  const WRONG: readonly [what: string, paths: string[]][] = [
    ["an empty name", ["a//b"]],
    ["a path from the root", ["/a"]],
    ["a name of one dot", ["a/./b"]],
    ["a way up", ["../a"]],
    ["NUL", ["a\0b"]],
    ["half of a character", ["\ud800"]],
    ["a name that is too long", ["x".repeat(254)]],
    ["directories that are too deep", [Array.from({ length: 17 }, () => "d").join("/")]],
    ["the same file twice", ["a", "a"]],
    ["a file where a directory is", ["a/b", "a"]],
    ["a directory where a file is", ["a", "a/b"]],
  ];
  for (const [what, paths] of WRONG) it(`does not take ${what}`, () => expect(() => tree(...paths)).to.throw(IsoError));

  it("takes names and depths up to the limits", () => {
    expect(tree("x".repeat(253)).children).to.have.length(1);
    expect(directoriesOf(tree(Array.from({ length: 16 }, () => "d").join("/")), "plain")).to.have.length(16);
  });

  it("is the same in whatever order files come: by the bytes of their names", () => {
    for (const paths of [
      ["b", "a/z", "a/B", "é"],
      ["é", "a/B", "b", "a/z"],
    ]) {
      const root = tree(...paths);
      expect(names(root.children, "name")).to.deep.equal(["a", "b", "é"]);
      expect(names(root.children?.[0]?.children, "name")).to.deep.equal(["B", "z"]);
    }
  });

  it("has plain names that keep Ironic's, and are unique within a directory", () => {
    const root = tree("network_data.json", "a b", "a+b", "noext", "d.ir/x", `${"l".repeat(40)}.json`);
    const plain = names(root.children, "plain");
    expect(plain).to.include.members(["network_data.json;1", "a_b.;1", "a_b_1.;1", "noext.;1", "d_ir"]);
    for (const name of plain ?? []) expect(name.replace(";1", "").length).to.be.at.most(31);
  });

  it("has Joliet names without what Joliet forbids, and unique", () => {
    expect(names(tree("a:b", "a?b", "c").children, "joliet")).to.deep.equal(["a_b", "a_b_1", "c"]);
  });

  it("lists directories level by level, and entries by the names of their tree", () => {
    const root = tree("b/x/f", "a/y/f", "f");
    expect(names(directoriesOf(root, "plain"), "name")).to.deep.equal(["", "a", "b", "y", "x"]);
    expect(names(sortedChildren(root, "joliet"), "joliet")).to.deep.equal(["a", "b", "f"]);
    expect(sortedChildren({}, "plain")).to.deep.equal([]);
  });
});
