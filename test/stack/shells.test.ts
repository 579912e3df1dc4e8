import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { runtime } from "@pulumi/pulumi";
import { expect } from "chai";
import { mustGoByValue, shells } from "../../provider/stack/shells.ts";

const folder = fileURLToPath(new URL("../../provider/shells/", import.meta.url));
const sdk = createRequire(fileURLToPath(import.meta.resolve("@pulumi/pulumi")));
const load: (text: string) => { handler(): object } = sdk("require-from-string");
const textBytesMax = 700;

describe("shells", () => {
  it("has one file per kind, named like it, with declarations", () => {
    const files = readdirSync(folder).filter((name) => !name.startsWith("here."));
    expect(files.sort()).to.deep.equal(
      Object.keys(shells)
        .flatMap((kind) => [`${kind}.cjs`, `${kind}.d.cts`])
        .sort(),
    );
    for (const kind of Object.keys(shells)) {
      expect(readFileSync(`${folder}${kind}.cjs`, "utf8")).to.contain(`attach(this, "${kind}", request)`);
    }
  });

  for (const [kind, shell] of Object.entries(shells)) {
    it(`stores ${kind} by value in this repository, and it attaches itself`, async () => {
      const { text, containsSecrets } = await runtime.serializeFunction(() => shell, { allowSecrets: true });
      expect(containsSecrets).to.equal(false);
      expect(Buffer.byteLength(text)).to.be.at.most(textBytesMax);
      const restored = load(text).handler() as { configure(request: unknown): void };
      restored.configure({ config: { get: () => undefined } });
      expect(restored).to.include.keys("check", "diff", "create", "read", "update", "delete");
    });
  }

  const guards: [string, string, boolean][] = [
    ["/p/node_modules/.pnpm/pulumi-ironic@1.0.0/node_modules/pulumi-ironic/shells/here.cjs", "3.250.1", true],
    ["C:\\p\\node_modules\\.pnpm\\pulumi-ironic@1.0.0\\node_modules\\pulumi-ironic\\shells\\here.cjs", "3.216.0", true],
    ["/p/node_modules/.pnpm/pulumi-ironic@1.0.0/node_modules/pulumi-ironic/shells/here.cjs", "3.251.0", false],
    ["/p/node_modules/pulumi-ironic/shells/here.cjs", "3.216.0", false],
  ];
  for (const [path, version, byValue] of guards) {
    it(`goes ${byValue ? "by value" : "by reference"} from ${path} with SDK ${version}`, () => {
      expect(mustGoByValue(path, version)).to.equal(byValue);
    });
  }
});
