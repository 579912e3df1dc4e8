import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readImportOptions } from "../../provider/commands/import-options.ts";

describe("what import reads from files", () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "import-"));
    file = join(folder, "arguments");
    writeFileSync(file, "console=ttyS0 token=hunter2\n");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("are kernel arguments that hold a secret; among the arguments of the command they are refused", () => {
    for (const secret of ["token=a", "quiet join_token=a", "k3s.SECRET=a", "rd.password=a", "root_passwd=a"])
      expect(() => readImportOptions({ "kernel-arguments": `quiet ${secret}` }), secret).to.throw(
        "Use --kernel-arguments-file FILE",
      );
    expect(readImportOptions({ "kernel-arguments": "console=ttyS0 quiet" })).to.deep.include({
      kernelArguments: "console=ttyS0 quiet",
      secrets: [],
    });
    expect(readImportOptions({ "kernel-arguments-file": file })).to.deep.equal({
      configDrive: undefined,
      kernelArguments: "console=ttyS0 token=hunter2",
      secrets: ["the kernel arguments"],
    });
  });

  it("are config drives", () => {
    expect(readImportOptions({ "config-drive": file })).to.deep.include({ secrets: ["the config drive"] });
  });
});
