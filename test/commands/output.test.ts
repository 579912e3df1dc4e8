import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openOutput } from "../../provider/commands/output.ts";

describe("the output of a command", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "output-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = (file: string | undefined, holds: string[] = ["the config drive"]) => {
    const printed: string[] = [];
    return { printed, output: openOutput({ file, holds, print: (text) => void printed.push(text) }) };
  };

  it("is a new file that only its user can read, whatever the umask, from the beginning", () => {
    const file = join(folder, "import.json");
    const before = process.umask(0);
    try {
      const { output } = open(file);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      output.write("secret");
    } finally {
      process.umask(before);
    }
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readFileSync(file, "utf8")).to.equal("secret\n");
  });

  it("replaces nothing, and follows no link to a file that others may read", () => {
    const [file, link] = [join(folder, "old"), join(folder, "link")];
    writeFileSync(file, "old");
    symlinkSync(join(folder, "elsewhere"), link);
    for (const each of [file, link]) expect(() => open(each)).to.throw(`The file ${each} exists already`);
    expect(() => open(join(folder, "none", "file"))).to.throw("cannot be made (ENOENT)");
    expect(readFileSync(file, "utf8")).to.equal("old");
  });

  it("is standard output where it holds no secret, or where that was asked for", () => {
    expect(() => open(undefined)).to.throw("The output contains the config drive in plain text");
    for (const { printed, output } of [open(undefined, []), open("-")]) {
      output.write("text");
      expect(printed).to.deep.equal(["text"]);
    }
  });
});
