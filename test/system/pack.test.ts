import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Packed, pack } from "../../scripts/pack.ts";
import { type Consumer, makeConsumer } from "./consumer.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const kinds = ["allocation", "config-drive", "deployment", "node-config", "stack-identity"];
const textBytesMax = 300;

/** A Pulumi program without an engine: its resources are printed instead. */
const program = `
pulumi.runtime.setMocks({
  newResource: (args) => {
    console.log(JSON.stringify({ type: args.type, provider: args.inputs.__provider }));
    return { id: args.name + "-id", state: args.inputs };
  },
  call: (args) => args.inputs,
});
const west = new ironic.Provider("west", { endpoint: "http://127.0.0.1:1", password: "planted" });
const deployment = new ironic.RamdiskDeployment(
  "worker-1",
  { node: "worker-1", kernel: "http://images/kernel", ramdisk: "http://images/initramfs" },
  { provider: west },
);
`;
const typedProgram = `import * as pulumi from "@pulumi/pulumi";
import * as ironic from "pulumi-ironic";
${program.replace("(args) => {", "(args: pulumi.runtime.MockResourceArgs) => {").replace("call: (args)", "call: (args: pulumi.runtime.MockCallArgs)")}
export const uuid: pulumi.Output<string> = deployment.nodeUuid;
const args: ironic.ProviderArgs = { authType: "none" };
// @ts-expect-error: there is no such argument
const wrong: ironic.ProviderArgs = { pasword: "x" };
export { args, wrong };
`;

interface Kind {
  title: string;
  manifest?: Record<string, unknown>;
  files: Record<string, string>;
  /** Package whose compiler makes `run` of the files. */
  compiler?: string;
  run: string;
}

/** `pulumi new typescript` writes this one. */
const templateConfig = {
  compilerOptions: {
    strict: true,
    outDir: "bin",
    target: "es2020",
    module: "commonjs",
    moduleResolution: "node",
    sourceMap: true,
    experimentalDecorators: true,
    pretty: false,
    noFallthroughCasesInSwitch: true,
    noImplicitReturns: true,
    forceConsistentCasingInFileNames: true,
    preserveSymlinks: true,
    types: ["node"],
  },
  files: ["index.ts"],
};

const nodenext = {
  compilerOptions: {
    strict: true,
    outDir: "bin",
    target: "es2022",
    module: "nodenext",
    exactOptionalPropertyTypes: true,
    preserveSymlinks: true,
    types: ["node"],
  },
  files: ["index.ts"],
};

const consumers: Kind[] = [
  {
    title: "Pulumi's TypeScript template (CommonJS, old module resolution, TypeScript 5)",
    files: { "tsconfig.json": JSON.stringify(templateConfig), "index.ts": typedProgram },
    compiler: "typescript5",
    run: "bin/index.js",
  },
  {
    title: "ES module TypeScript",
    manifest: { type: "module" },
    files: { "tsconfig.json": JSON.stringify(nodenext), "index.ts": typedProgram },
    compiler: "typescript",
    run: "bin/index.js",
  },
  {
    title: "ES module TypeScript with TypeScript 5",
    manifest: { type: "module" },
    files: { "tsconfig.json": JSON.stringify(nodenext), "index.ts": typedProgram },
    compiler: "typescript5",
    run: "bin/index.js",
  },
  {
    title: "CommonJS JavaScript",
    files: {
      "index.js": `const pulumi = require("@pulumi/pulumi");\nconst ironic = require("pulumi-ironic");\n${program}`,
    },
    run: "index.js",
  },
  {
    title: "ES module JavaScript",
    manifest: { type: "module" },
    files: {
      "index.js": `import * as pulumi from "@pulumi/pulumi";\nimport { Provider, RamdiskDeployment } from "pulumi-ironic";\nconst ironic = { Provider, RamdiskDeployment };\n${program}`,
    },
    run: "index.js",
  },
];

describe("the packed tarball", function () {
  this.timeout(120_000);
  let build: string;
  let packed: Packed;
  before(() => {
    build = mkdtempSync(join(tmpdir(), "pulumi-ironic-pack-"));
    packed = pack(build);
  });
  after(() => rmSync(build, { recursive: true, force: true }));

  it("holds the documents, every shell with its declarations, and no source", () => {
    const files = readdirSync(packed.folder, { recursive: true, encoding: "utf8" });
    for (const kind of kinds) expect(files).to.include.members([`shells/${kind}.cjs`, `shells/${kind}.d.cts`]);
    expect(files).to.include.members(["package.json", "index.js", "index.d.ts", "runtime.js"]);
    for (const name of ["README.md", "LICENSE", "CHANGELOG.md", "ARCHITECTURE.md", "docs/troubleshooting.md"]) {
      expect(files.includes(name), name).to.equal(existsSync(join(root, name)));
    }
    expect(files.filter((name) => name.endsWith(".ts")).sort()).to.deep.equal(["index.d.ts", "runtime.d.ts"]);
    for (const name of files.filter((name) => /\.c?js$/.test(name))) {
      expect(readFileSync(join(packed.folder, name), "utf8"), name).to.not.match(/require\("\.[^"]*\.ts"\)/);
    }
    expect(readFileSync(join(packed.folder, "index.d.ts"), "utf8").match(/from ['"].*['"]/g)).to.deep.equal([
      "from '@pulumi/pulumi'",
    ]);
  });

  it("satisfies publint and are-the-types-wrong", () => {
    const bin = join(root, "node_modules/.bin");
    const options = { encoding: "utf8", timeout: 60_000, cwd: packed.folder, stdio: "pipe" } as const;
    expect(execFileSync(process.execPath, [join(bin, "publint"), "--strict", packed.tarball], options)).to.contain(
      "All good",
    );
    // The shells are for Node.js alone, and a pattern cannot be resolved.
    execFileSync(process.execPath, [join(bin, "attw"), packed.tarball], options);
  });

  describe("in a project", () => {
    let consumer: Consumer;
    afterEach(() => consumer.remove());

    it(`puts at most ${textBytesMax} constant bytes of provider into the state, by reference`, () => {
      consumer = makeConsumer(packed.tarball);
      const texts: Record<string, string> = JSON.parse(
        consumer.node(
          "-e",
          `const { runtime } = require("@pulumi/pulumi");
          (async () => {
            const texts = {};
            for (const kind of ${JSON.stringify(kinds)}) {
              const provider = require("pulumi-ironic/shells/" + kind + ".cjs");
              texts[kind] = (await runtime.serializeFunction(() => provider, { allowSecrets: true })).text;
            }
            console.log(JSON.stringify(texts));
          })();`,
        ),
      );
      for (const kind of kinds) {
        const text = texts[kind] ?? "";
        expect(Buffer.byteLength(text), kind).to.be.at.most(textBytesMax);
        expect(text).to.equal(
          `exports.handler = __f0;\nconst provider = require("pulumi-ironic/shells/${kind}.cjs");\n\nfunction __f0() {\n  return (function() {\n    with({ this: undefined, arguments: undefined }) {\n\nreturn () => provider;\n\n    }\n  }).apply(undefined, undefined).apply(this, arguments);\n}\n`,
        );
      }
    });

    for (const { title, manifest, files, compiler, run } of consumers) {
      it(`works for ${title}`, () => {
        consumer = makeConsumer(packed.tarball, manifest);
        consumer.write(files);
        if (compiler) consumer.node(`node_modules/${compiler}/bin/tsc`, "-p", ".");
        const resources = consumer
          .node(run)
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line));
        const deployment = resources.find(({ type }) => type === "pulumi-nodejs:dynamic/ironic:RamdiskDeployment");
        expect(deployment?.provider).to.contain('require("pulumi-ironic/shells/deployment.cjs")');
        expect(resources.map(({ type }) => type)).to.include("pulumi:providers:pulumi-nodejs");
      });
    }
  });

  it("is not what `npm pack` at the root makes", () => {
    expect(() =>
      execFileSync(process.execPath, ["scripts/pack.ts", "refuse"], { cwd: root, stdio: "pipe", timeout: 10_000 }),
    ).to.throw(/npm run package/);
  });
});
