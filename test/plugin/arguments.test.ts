import { expect } from "chai";
import * as z from "zod";
import {
  type ArgumentRow,
  argumentsThat,
  CHANGES,
  type Change,
  changedArguments,
  declaredIn,
  needsIn,
  shapeOf,
  undeclaredIn,
} from "../../provider/plugin/arguments.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";

const size = z.number();

const TABLE = {
  node: { schema: z.string(), change: "replaces" },
  kernel: { schema: z.string(), change: "reboots" },
  drive: {
    schema: z.unknown(),
    change: "reboots",
    needs: [
      { feature: "configDriveJson", when: (value) => typeof value === "object" },
      { feature: "vendorData", when: (_value, { node }) => node === "worker-9" },
    ],
  },
  size: { schema: size, change: "inPlace", needs: [{ feature: "protected" }] },
  timeoutSeconds: { schema: size, change: "nothing" },
  adopt: { schema: z.string(), change: "onlyAtCreation" },
  stackId: { schema: z.string(), change: "identity" },
} as const satisfies Record<string, ArgumentRow>;

describe("a table of arguments", () => {
  it("gives a shape that parses each argument by its own schema", () => {
    expect(shapeOf(TABLE)).to.have.all.keys(Object.keys(TABLE));
    expect(shapeOf(TABLE).size).to.equal(size);
  });

  it("lists the arguments by what their change does, in its own order; all where nothing is said", () => {
    expect(argumentsThat(TABLE)).to.deep.equal(Object.keys(TABLE));
    expect(argumentsThat(TABLE, "inPlace", "reboots")).to.deep.equal(["kernel", "drive", "size"]);
    const each = (Object.keys(CHANGES) as Change[]).flatMap((change) => argumentsThat(TABLE, change));
    expect(each).to.have.members(Object.keys(TABLE)).and.to.have.length(Object.keys(TABLE).length);
  });

  const before = { node: "a", drive: { a: 1, b: [{ c: 2, d: 3 }] }, size: 0, connection: "x" };
  const comparisons: [title: string, after: Record<string, unknown>, changed: string[]][] = [
    ["nothing", before, []],
    ["the order of keys", { ...before, drive: { b: [{ d: 3, c: 2 }], a: 1 } }, []],
    ["null in the place of nothing", { ...before, kernel: null }, []],
    ["what is no argument", { ...before, connection: "y", later: 1 }, []],
    ["a text that looks like the number", { ...before, size: "0" }, ["size"]],
    ["a value that is taken away", { drive: before.drive, size: 0 }, ["node"]],
    ["a value below", { ...before, drive: { a: 1, b: [{ c: 2, d: 4 }] } }, ["drive"]],
    ["the order of a list", { ...before, drive: [2, 1] }, ["drive"]],
    ["values that are not known yet", { ...before, node: UNKNOWN, drive: { a: UNKNOWN } }, ["node", "drive"]],
  ];
  for (const [title, after, changed] of comparisons)
    it(`finds of ${title} ${changed.length === 0 ? "no change" : `a change of ${changed.join(", ")}`}`, () => {
      expect(changedArguments(TABLE, before, after)).to.deep.equal(changed);
      expect(changedArguments(TABLE, after, before)).to.deep.equal(changed);
    });

  it("takes two values that are not known yet for different ones", () =>
    expect(changedArguments(TABLE, { node: UNKNOWN }, { node: UNKNOWN })).to.deep.equal(["node"]));

  it("compares those whose change does what is asked for", () =>
    expect(changedArguments(TABLE, {}, { node: "a", kernel: "b", size: 1 }, "replaces", "inPlace")).to.deep.equal([
      "node",
      "size",
    ]));

  it("tells arguments from all else that a state holds", () => {
    const props = { ...before, kernel: undefined, toString: "own" };
    expect(declaredIn(TABLE, props)).to.deep.equal({ node: "a", drive: before.drive, size: 0 });
    expect(undeclaredIn(TABLE, props)).to.deep.equal({ connection: "x", toString: "own" });
    expect(undeclaredIn(TABLE, { kernel: undefined })).to.deep.equal({});
  });

  const needs: [title: string, props: Record<string, unknown>, found: string[]][] = [
    ["nothing of arguments that are not set", { node: "worker-9", drive: undefined }, []],
    ["nothing of arguments that any version has", { kernel: "x", timeoutSeconds: 1 }, []],
    ["what any value needs, zero as well", { size: 0 }, ["size: protected"]],
    ["nothing for a value that does not need it", { drive: "base64" }, []],
    ["what this value needs", { drive: {} }, ["drive: configDriveJson"]],
    ["what it needs beside the others", { drive: "base64", node: "worker-9" }, ["drive: vendorData"]],
    [
      "all of it",
      { size: 1, drive: {}, node: "worker-9" },
      ["drive: configDriveJson", "drive: vendorData", "size: protected"],
    ],
  ];
  for (const [title, props, found] of needs)
    it(`asks of Ironic ${title}`, () =>
      expect(needsIn(TABLE, props).map(({ path, feature }) => `${path}: ${feature}`)).to.deep.equal(found));
});
