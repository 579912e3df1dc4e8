// The command `pulumi-ironic`, where it ends before it asks any Ironic.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const cli = fileURLToPath(new URL("../provider/cli.ts", import.meta.url));
const run = (args: readonly string[], input = "") =>
  spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", env: { HOME: "/nonexistent" }, input });
const PASSWORD = "hunter2hunter2";

describe("the command pulumi-ironic", function () {
  this.timeout(20_000);
  const IMPORT = ["import", "worker-1", "--node", "n", "--instance", "unclaimed", "--stack-id", "o"];
  const ISO = ["--boot-iso", "http://images/iso"];
  let folder: string;
  let drive: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "cli-"));
    drive = join(folder, "drive.json");
    writeFileSync(drive, '{"user_data":"hunter2hunter2"}');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("says which config drive cannot be read, and why", () => {
    const { status, stderr } = run([...IMPORT, ...ISO, "--config-drive", "/nonexistent/drive"]);
    expect(stderr).to.equal(
      "The config drive /nonexistent/drive cannot be read (ENOENT). --config-drive expects a file with the same content as in the program. [config-drive-unreadable]\n",
    );
    expect(status).to.equal(2);
  });

  it("refuses a secret among its arguments, and does not repeat it", () => {
    const { status, stdout, stderr } = run(["claims", "--config", `ironic:password=${PASSWORD}`]);
    expect({ status, stdout }).to.deep.equal({ status: 2, stdout: "" });
    expect(stderr).to.match(/^--config ironic:password is a secret, .*--config-file FILE .*\[cli-secret-exposed\]\n$/);
    expect(stderr).not.to.contain(PASSWORD);
  });

  it("takes one from standard input, which only one option may read", () => {
    const lines = `ironic:endpoint: http://127.0.0.1:1\nironic:username: a\nironic:password: ${PASSWORD}\n`;
    const { stderr } = run(["claims", "--config-file", "-", "--config", "ironic:requestTimeoutSeconds=none"], lines);
    expect(stderr).to.match(/^ironic:requestTimeoutSeconds is "none"/);
    expect(run(["claims", "--config-file", "-", "--state", "-"]).stderr).to.match(
      /^--state and --config-file cannot both read standard input\. .*\[cli-usage\]\n$/,
    );
  });

  it("prints no config drive where nobody said so: shells make files that others can read", () => {
    const { status, stdout, stderr } = run([...IMPORT, ...ISO, "--config-drive", drive]);
    expect({ status, stdout }).to.deep.equal({ status: 2, stdout: "" });
    expect(stderr).to.match(/^The output contains the config drive .*--output FILE.*\[cli-secret-exposed\]\n$/);
  });

  it("overwrites no file, and leaves none behind when it fails", () => {
    const args = [...IMPORT, ...ISO, "--config-drive", drive, "--output"];
    expect(run([...args, drive]).stderr).to.match(/^The file \S+ exists already\. .*\[cli-usage\]\n$/);
    expect(readFileSync(drive, "utf8")).to.contain("user_data");
    const file = join(folder, "import.json");
    expect(run([...args, file]).stderr).to.match(/^No Ironic is configured/);
    expect(existsSync(file)).to.equal(false);
    expect(statSync(drive).size).to.be.greaterThan(0);
  });
});
