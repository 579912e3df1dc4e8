import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readSettingsOptions } from "../../provider/commands/settings.ts";
import { connectionKeyNames, secretConnectionKeys } from "../../provider/connection/keys.ts";

const SECRET = "hunter2hunter2";

describe("the connection's settings on the command line", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "settings-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const read = (pairs: readonly string[], text?: string, mode = 0o600) => {
    const file = text === undefined ? undefined : join(folder, "settings.yaml");
    if (file !== undefined) {
      writeFileSync(file, text ?? "");
      chmodSync(file, mode);
    }
    const [warnings, secrets] = [[] as string[], new Set<string>()];
    const warn = (code: string, warning: string) => void warnings.push(`${warning} [${code}]`);
    const settings = readSettingsOptions({ pairs, file, warn, secrets });
    return { settings: Object.fromEntries(settings), warnings, secrets: [...secrets] };
  };

  it("are refused as arguments where they are secrets, whichever they are, without the value", () => {
    for (const name of connectionKeyNames) {
      const take = () => read([`ironic:${name}=${SECRET}`]);
      if (secretConnectionKeys.includes(name))
        expect(take).to.throw(`--config ironic:${name} is a secret`).with.property("message").not.contain(SECRET);
      else expect(take().settings).to.deep.equal({ [`ironic:${name}`]: SECRET });
    }
  });

  it("may be given as pairs only", () => {
    for (const pair of ["ironic:endpoint", "endpoint=x", "=x", "password=hunter2hunter2"])
      expect(() => read([pair])).to.throw("--config expects ironic:KEY=VALUE. See --help.");
  });

  it("come from a file as well, arguments being stronger; its secrets are known as such", () => {
    const text = `ironic:endpoint: http://one\nironic:password: ${SECRET}\nironic:insecure: true\nother:key: x\n`;
    const { settings, warnings, secrets } = read(["ironic:endpoint=http://two"], text);
    expect(settings).to.deep.equal({
      "ironic:endpoint": "http://two",
      "ironic:password": SECRET,
      "ironic:insecure": "true",
    });
    expect({ warnings, secrets }).to.deep.equal({ warnings: [], secrets: [SECRET] });
  });

  it("come from what `pulumi config --show-secrets --json` prints", () => {
    const json = { "ironic:password": { value: SECRET, secret: true }, "ironic:interface": { value: '["public"]' } };
    expect(read([], JSON.stringify(json)).settings).to.deep.equal({
      "ironic:password": SECRET,
      "ironic:interface": '["public"]',
    });
    expect(() => read([], '{"ironic:password": {"secret": true}}')).to.throw(
      "has ironic:password without its value. Use lines",
    );
  });

  it("warn where others may read a file with secrets", function () {
    if (process.platform === "win32") {
      process.stderr.write("    not tried: files have no permissions of that kind on Windows\n");
      this.skip();
    }
    const text = `ironic:password: ${SECRET}`;
    for (const mode of [0o644, 0o640, 0o602])
      expect(read([], text, mode).warnings)
        .to.have.length(1)
        .and.match(/chmod 600 .*\[cli-secret-exposed\]$/);
    expect(read([], "ironic:endpoint: http://one", 0o644).warnings).to.deep.equal([]);
  });

  it("are never repeated from a file that cannot be read", () => {
    for (const text of [`ironic:password: "${SECRET}`, `- ${SECRET}`, SECRET, `ironic:password: {a: ${SECRET}}`])
      expect(() => read([], text), text)
        .to.throw("The --config-file")
        .with.property("message")
        .not.contain(SECRET);
    expect(read([], "").settings).to.deep.equal({});
  });
});
