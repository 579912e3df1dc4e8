import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  asRaw,
  expandHome,
  loadFirst,
  mergeCloud,
  mergeDeep,
  normaliseKeys,
  pythonText,
  type Surroundings,
  searchFolders,
  systemSurroundings,
} from "../../provider/connection/cloud-files.ts";
import { ProblemError } from "../../provider/core/errors.ts";

const around = (files: Record<string, string>, more: Partial<Surroundings> = {}): Surroundings => ({
  env: {},
  cwd: "/project",
  home: "/home/u",
  platform: "linux",
  readFile: (path) => files[path],
  ...more,
});

/** What is loaded of a file, and the notes about those that are skipped. */
const load = (files: Record<string, string>, override?: string) => {
  const notes: string[] = [];
  return { loaded: loadFirst("clouds", around(files), override, notes), notes };
};
const dataOf = (text: string) => load({ "/project/clouds.yaml": text }).loaded?.data;

describe("files of clouds", () => {
  it("are looked for in the platform's own folders, each once", () => {
    const windows = around({}, { platform: "win32", env: { LOCALAPPDATA: "/local", PROGRAMDATA: "/data" } });
    expect(searchFolders(windows).slice(1, 4)).to.deep.equal([
      "/local/OpenStack/openstack",
      "/home/u/.config/openstack",
      "/data/OpenStack/openstack",
    ]);
    expect(searchFolders(around({}, { platform: "darwin" }))[3]).to.equal("/Library/Application Support/openstack");
    const same = around({}, { cwd: "/etc/openstack", env: { XDG_CONFIG_HOME: " ", XDG_CONFIG_DIRS: "/etc" } });
    expect(searchFolders(same)).to.deep.equal(["/etc/openstack", "/home/u/.config/openstack"]);
  });

  for (const [path, expanded] of [
    ["~", "/home/u"],
    ["~/a/../b", "/home/u/b"],
    ["~ann/a", "~ann/a"],
    ["/a/~", "/a/~"],
  ] as const)
    it(`are at ${expanded} for ${path}`, () => expect(expandHome(path, "/home/u")).to.equal(expanded));

  it("count in the order of folders, then .yaml, .yml and .json", () => {
    const files = { "/project/clouds.json": "{}", "/project/clouds.yml": "{}", "/etc/openstack/clouds.yaml": "{}" };
    expect(load(files).loaded?.path).to.equal("/project/clouds.yml");
    expect(load({ ...files, "/home/u/mine": "a: 1" }, "~/mine").loaded).to.deep.equal({
      path: "/home/u/mine",
      data: { a: 1n },
    });
  });

  it("are skipped with a note where they are named and missing; an empty one ends the search", () => {
    const other = { "/etc/openstack/clouds.yaml": "{}" };
    expect(load(other, "/mine.yaml")).to.deep.include({ notes: ["/mine.yaml cannot be read"] });
    expect(load(other, "/mine.yaml").loaded?.path).to.equal("/etc/openstack/clouds.yaml");
    const empty = load({ "/project/clouds.yaml": "# nothing\n", ...other });
    expect(empty).to.deep.equal({ loaded: undefined, notes: ["/project/clouds.yaml is empty"] });
  });

  for (const text of ["- a", "text", "5"])
    it(`are refused where they hold ${JSON.stringify(text)}, and not its content`, () =>
      expect(() => dataOf(text))
        .to.throw(ProblemError, /^\/project\/clouds\.yaml has no mapping at the top\. It needs a `clouds:` key\.$/)
        .with.property("code", "clouds-file-invalid"));

  it("are read as YAML 1.1, with exact integers and the last of equal keys", () =>
    expect(dataOf("yes: no\noctal: 010\nlong: 12345678901234567890\nlong2: 1.70\na: 1\na: 2\n")).to.deep.equal({
      true: false,
      octal: 8n,
      long: 12345678901234567890n,
      long2: 1.7,
      a: 2n,
    }));

  it("of the machine itself are below the working folder; what cannot be read is none", () => {
    const folder = mkdtempSync(join(tmpdir(), "clouds-"));
    try {
      writeFileSync(join(folder, "clouds.yaml"), "ü");
      const { readFile, home } = systemSurroundings({ HOME: "/home/ann" }, folder);
      expect([readFile("clouds.yaml"), readFile("none.yaml"), readFile(folder)]).to.deep.equal([
        "ü",
        undefined,
        undefined,
      ]);
      expect(home).to.equal("/home/ann");
      expect(systemSurroundings({ HOME: "" }).home).not.to.equal("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("values of clouds", () => {
  it("are merged at every depth between files, and leave both files as they are", () => {
    const base = { a: { b: { c: 1, d: 2 } }, list: [1], x: 1 };
    const extra = { a: { b: { d: 3 } }, list: [2], x: { y: 1 } };
    const merged = mergeDeep(base, extra);
    expect(merged).to.deep.equal({ a: { b: { c: 1, d: 3 } }, list: [2], x: { y: 1 } });
    expect(base).to.deep.equal({ a: { b: { c: 1, d: 2 } }, list: [1], x: 1 });
    expect(merged.x).not.to.equal(extra.x);
  });

  for (const [base, extra, merged] of [
    [
      { auth: { a: 1, b: 1 }, other: { a: 1 } },
      { auth: { b: 2 }, other: { b: 2 } },
      { auth: { a: 1, b: 2 }, other: { b: 2 } },
    ],
    [{ auth: { a: 1 } }, { x: 1 }, { auth: { a: 1 }, x: 1 }],
    [{ auth: { a: 1 } }, { auth: null }, { auth: { a: 1 } }],
    [{ auth: "text" }, { auth: { a: 1 } }, { auth: { a: 1 } }],
    [{}, {}, {}],
  ] as const)
    it(`are ${JSON.stringify(merged)} of ${JSON.stringify(base)} under ${JSON.stringify(extra)}`, () =>
      expect(mergeCloud(base, extra)).to.deep.equal(merged));

  for (const [value, text] of [
    [true, "True"],
    [false, "False"],
    [2, "2.0"],
    [1.5, "1.5"],
    [12345678901234567890n, "12345678901234567890"],
    ["yes", "yes"],
    [null, "null"],
  ] as const)
    it(`are sent as ${text} for ${typeof value} ${value}`, () => expect(pythonText(value)).to.equal(text));

  it("have keys with underscores and numbers as text at every depth; dates, flags and lists stay", () => {
    const date = new Date(0);
    const raw = { "a-b-c": { "d-e": 5n, f: 2 }, flag: true, date, "list-": [1, { "g-h": 1 }], none: null };
    expect(normaliseKeys(raw)).to.deep.equal({
      a_b_c: { d_e: "5", f: "2.0" },
      flag: true,
      date,
      list_: [1, { "g-h": 1 }],
      none: null,
    });
  });

  it("are an empty mapping where they are none", () => {
    for (const value of [undefined, null, "a", [1]]) expect(asRaw(value)).to.deep.equal({});
    expect(asRaw({ a: 1 })).to.deep.equal({ a: 1 });
  });
});
