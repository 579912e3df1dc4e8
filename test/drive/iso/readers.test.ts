// Images read by programs that nobody here wrote. Each is skipped, with the reason, where the machine has no such program.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { expect } from "chai";
import { cacheRoot } from "../../../lab/cache.ts";
import { onPath } from "../../../lab/processes.ts";
import { isoTools } from "../../../matrix/tools.ts";
import { buildIso } from "../../../provider/drive/iso/image.ts";
import { listIso } from "../../../provider/drive/iso/list.ts";

const big = Buffer.alloc(3 * 1024 * 1024, "0123456789abcdef");
const tree: Record<string, Uint8Array> = Object.fromEntries(
  [
    ...["2012-08-10", "latest"].flatMap((version) => [
      [`openstack/${version}/meta_data.json`, '{"uuid":"1"}'],
      [`openstack/${version}/network_data.json`, '{"links":[{"mtu":1500}]}'],
      [`openstack/${version}/user_data`, "#cloud-config\n"],
    ]),
    ["one/two/three/four/five/six/seven/deep.txt", "deep"],
    ["with space/Ünïcödé 名前 😀.txt", "unicode"],
    [`long/${"n".repeat(100)}.txt`, "long"],
    [`longest/${"ü".repeat(126)}x`, "as long as Linux reads"],
    ["sector", "x".repeat(2048)],
    ["sector and one", "x".repeat(2049)],
    ["empty", ""],
    ...Array.from({ length: 150 }, (_, index) => [`many/file ${index}.txt`, String(index)]),
  ].map(([path = "", text = ""]) => [path, Buffer.from(text)]),
);
tree.big = big;

let env: NodeJS.ProcessEnv;
let folder: string;
const run = (program: string, ...args: string[]): Buffer =>
  execFileSync(program, args, {
    env,
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "ignore"],
  });

/** Files below `root` by path, with their content. */
function filesBelow(root: string, directory = root): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) Object.assign(found, filesBelow(root, path));
    else found[relative(root, path)] = readFileSync(path);
  }
  return found;
}
const sameFiles = (found: Record<string, Uint8Array>): void => {
  expect(Object.keys(found).sort()).to.deep.equal(Object.keys(tree).sort());
  for (const [path, data] of Object.entries(tree))
    expect(Buffer.compare(found[path] ?? Buffer.from("?"), data), path).to.equal(0);
};

describe("iso, read by others", function () {
  this.timeout(120_000);

  before(async function () {
    const cached = existsSync(join(cacheRoot(), "iso-tools-debian12"));
    if (!cached && !["xorriso", "isoinfo", "genisoimage"].every((program) => onPath(program))) {
      process.stdout.write("    no xorriso, isoinfo and genisoimage: npm run matrix fetches them\n");
      this.skip();
    }
    env = await isoTools(() => undefined);
    folder = mkdtempSync(join(tmpdir(), "iso-"));
    const files = Object.entries(tree).map(([path, data]) => ({ path, data }));
    writeFileSync(join(folder, "ours.iso"), buildIso(files, { label: "config-2" }));
    for (const [path, data] of Object.entries(tree)) {
      mkdirSync(dirname(join(folder, "tree", path)), { recursive: true });
      writeFileSync(join(folder, "tree", path), data);
    }
  });
  after(() => {
    if (folder === undefined) return;
    execFileSync("chmod", ["-R", "u+w", folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  const extract = (image: string, into: string): Record<string, Buffer> => {
    run("xorriso", "-osirrox", "on", "-indev", join(folder, image), "-extract", "/", join(folder, into));
    return filesBelow(join(folder, into));
  };

  it("xorriso extracts every file, and the same as from its own image of the tree", () => {
    sameFiles(extract("ours.iso", "ours"));
    run(
      "xorriso",
      "-as",
      "mkisofs",
      "-quiet",
      "-J",
      "-joliet-long",
      "-r",
      "-V",
      "config-2",
      "-o",
      join(folder, "theirs.iso"),
      join(folder, "tree"),
    );
    for (const name of ["ours.iso", "theirs.iso"])
      sameFiles(
        Object.fromEntries((listIso(readFileSync(join(folder, name))) ?? []).map(({ path, data }) => [path, data])),
      );
    sameFiles(extract("theirs.iso", "theirs"));
  });

  it("xorriso finds nothing to complain about", () => {
    const report = run(
      "xorriso",
      "-indev",
      join(folder, "ours.iso"),
      "-check_media",
      "--",
      "-find",
      "/",
      "-exec",
      "lsdl",
    );
    const lines = report
      .toString()
      .split("\n")
      .filter((line) => line.startsWith("d") || line.startsWith("-"));
    expect(lines.filter((line) => line.startsWith("-r--r--r--"))).to.have.length(Object.keys(tree).length);
    expect(lines.every((line) => /^(-r--r--r--|dr-xr-xr-x)\s+\d+ 0\s+0\s/.test(line))).to.equal(true);
  });

  it("isoinfo reads the label and the same names in Rock Ridge as in genisoimage's image", () => {
    const ours = join(folder, "ours.iso");
    expect(run("isoinfo", "-d", "-i", ours).toString())
      .to.match(/^Volume id: config-2$/m)
      .and.match(/Joliet with UCS level 3/)
      .and.match(/Rock Ridge signatures version 1/);
    const theirs = join(folder, "genisoimage.iso");
    const quiet = [
      "-quiet",
      "-ldots",
      "-allow-lowercase",
      "-allow-multidot",
      "-l",
      "-J",
      "-joliet-long",
      "-r",
      "-V",
      "config-2",
    ];
    run("genisoimage", ...quiet, "-o", theirs, join(folder, "tree"));
    const list = (image: string): string[] => run("isoinfo", "-f", "-R", "-i", image).toString().split("\n").sort();
    expect(list(ours)).to.deep.equal(list(theirs));
    for (const path of ["/openstack/latest/network_data.json;1", "/openstack/2012_08_10/user_data.;1"]) {
      expect(run("isoinfo", "-i", ours, "-x", path).length, path).to.be.above(0);
    }
  });

  it("the kernel mounts it", function () {
    const supported = readFileSync("/proc/filesystems", "utf8").includes("iso9660");
    if (process.getuid?.() !== 0 || !supported) {
      process.stdout.write(`    not mounted: ${supported ? "only root may mount" : "this kernel has no iso9660"}\n`);
      this.skip();
    }
    const target = join(folder, "mounted");
    mkdirSync(target);
    execFileSync("mount", ["-o", "loop,ro", join(folder, "ours.iso"), target], { timeout: 20_000 });
    try {
      sameFiles(filesBelow(target));
    } finally {
      execFileSync("umount", [target], { timeout: 20_000 });
    }
  });
});
