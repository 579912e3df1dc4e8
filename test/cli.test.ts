// The command `pulumi-ironic`, where it ends before it asks any Ironic.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const cli = fileURLToPath(new URL("../provider/cli.ts", import.meta.url));
const run = (...args: string[]) =>
  spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", env: { HOME: "/nonexistent" } });

describe("the command pulumi-ironic", function () {
  this.timeout(20_000);
  const IMPORT = ["import", "worker-1", "--node", "n", "--instance", "unclaimed", "--stack-id", "o"];

  it("says which config drive cannot be read, and why", () => {
    const { status, stderr } = run(
      ...IMPORT,
      "--boot-iso",
      "http://images/iso",
      "--config-drive",
      "/nonexistent/drive",
    );
    expect(stderr).to.equal(
      "The config drive /nonexistent/drive cannot be read (ENOENT). --config-drive expects a file with the same content as in the program. [config-drive-unreadable]\n",
    );
    expect(status).to.equal(2);
  });
});
