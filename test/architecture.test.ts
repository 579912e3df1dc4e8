// The rooms of provider/: who may import whom, by which doors, and no circles. Types count like values.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import ts from "typescript";

const root = fileURLToPath(new URL("../provider", import.meta.url));

/** Every room, and every file at the top, with the rooms that it may import. A new arrow is a decision: it is added here. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  schema: ["core"],
  connection: ["core"],
  http: ["core", "connection"],
  node: ["core", "http"],
  run: ["core", "connection", "http", "node"],
  plugin: ["core", "schema", "connection", "http", "run"],
  drive: ["core", "schema"],
  stack: ["core", "schema", "connection", "plugin", "shells"],
  preflight: ["core", "schema", "http", "node", "run", "plugin"],
  "node-config": ["core", "schema", "node", "plugin", "preflight", "stack"],
  "config-drive": ["core", "schema", "http", "node", "drive", "plugin", "preflight", "stack"],
  allocation: ["core", "schema", "http", "node", "plugin", "preflight", "stack"],
  deployment: ["core", "schema", "http", "node", "drive", "run", "plugin", "preflight", "stack", "node-config"],
  fleet: ["core", "allocation", "config-drive", "deployment", "node-config"],
  lookups: ["core", "http", "node", "run", "plugin", "stack"],
  commands: [
    "core",
    "schema",
    "connection",
    "http",
    "node",
    "plugin",
    "stack",
    "allocation",
    "deployment",
    "node-config",
  ],
  "index.ts": ["allocation", "config-drive", "deployment", "fleet", "lookups", "node-config", "stack"],
  "handlers.ts": ["plugin", "stack", "allocation", "config-drive", "deployment", "node-config"],
  "runtime.ts": ["core", "run", "plugin", "handlers.ts"],
  "cli.ts": ["core", "run", "plugin", "commands"],
};

/**
 * How a room is entered. Default: `index.ts`. A room with a resource has two doors: the class, for programs, and the
 * handler, for the provider process: one door would load the HTTP client into every program. `connection/keys.ts` is the
 * program's door for the same reason.
 */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "node-config": ["index.ts", "handler.ts"],
  "config-drive": ["index.ts", "handler.ts"],
  allocation: ["index.ts", "handler.ts"],
  deployment: ["index.ts", "handler.ts"],
  stack: ["index.ts", "handler.ts"],
  connection: ["index.ts", "keys.ts"],
};

interface Import {
  from: string;
  to: string;
}

const roomOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] ?? "") : file);
const filesOf = (folder: string): string[] =>
  globSync("**/*.ts", { cwd: folder }).map((file) => file.replaceAll("\\", "/"));

/** Imports between files of `folder`, static, dynamic and of types alike. */
const importsOf = (folder: string): Import[] =>
  filesOf(folder).flatMap((from) =>
    ts
      .preProcessFile(readFileSync(join(folder, from), "utf8"), true, true)
      .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
      .map(({ fileName }) => ({
        from,
        to: relative(folder, resolve(folder, dirname(from), fileName)).replaceAll("\\", "/"),
      })),
  );

const imports = importsOf(root);
const crossings = imports.filter(({ from, to }) => roomOf(from) !== roomOf(to));
const shown = ({ from, to }: Import): string => `${from} imports ${to}`;

/** The files of one circle, in its order; empty if there is none. */
const circleIn = (edges: readonly Import[]): string[] => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const { to } of edges.filter(({ from }) => from === file)) {
      const circle = visit(to, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const { from } of edges) {
    const circle = visit(from, []);
    if (circle.length > 0) return circle;
  }
  return [];
};

describe("architecture", () => {
  it("has an entry for each room and each file at the top", () => {
    const rooms = [...new Set(filesOf(root).map(roomOf))].filter((room) => room !== "shells").sort();
    expect(Object.keys(ARROWS).sort()).to.deep.equal(rooms);
  });

  it("has no arrow between rooms that is not in the list", () => {
    const strange = crossings.filter(({ from, to }) => !ARROWS[roomOf(from)]?.includes(roomOf(to)));
    expect(strange.map(shown), "add the arrow to ARROWS, or move what is imported").to.deep.equal([]);
  });

  it("has no arrow in the list that nothing uses", () => {
    const used = new Set(crossings.map(({ from, to }) => `${roomOf(from)} → ${roomOf(to)}`));
    const listed = Object.entries(ARROWS).flatMap(([from, tos]) => tos.map((to) => `${from} → ${to}`));
    expect(listed.filter((arrow) => !used.has(arrow))).to.deep.equal([]);
  });

  it("enters rooms by their doors only", () => {
    const around = crossings.filter(({ to }) => {
      const room = roomOf(to);
      if (room === to || room === "shells") return false;
      return !(DOORS[room] ?? ["index.ts"]).includes(to.slice(room.length + 1));
    });
    expect(around.map(shown), "import from the room's door, and export it there").to.deep.equal([]);
  });

  it("has no circle of files, of types neither", () => {
    expect(circleIn(imports)).to.deep.equal([]);
  });

  it("has arrows between rooms that run one way", () => {
    const edges = crossings.map(({ from, to }) => ({ from: roomOf(from), to: roomOf(to) }));
    expect(circleIn(edges)).to.deep.equal([]);
    if (process.env.SHOW_ARROWS)
      for (const [from, tos] of Object.entries(ARROWS)) process.stdout.write(`${from} → ${tos.join(", ") || "–"}\n`);
  });

  it("finds a circle where there is one", () => {
    expect(
      circleIn([
        { from: "a", to: "b" },
        { from: "b", to: "c" },
        { from: "c", to: "a" },
      ]),
    ).to.deep.equal(["a", "b", "c", "a"]);
  });
});
