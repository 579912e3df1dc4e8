// Makes what is published: provider/ compiled to CommonJS, packed into build/. `node scripts/pack.ts`
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateDtsBundle } from "dts-bundle-generator";

const root = fileURLToPath(new URL("..", import.meta.url));
const timeoutMs = 120_000;

interface Manifest {
  name: string;
  version: string;
  bin?: Record<string, string>;
  [field: string]: unknown;
}

/** Fields that mean the same in the repository and in the package. */
const keptFields = [
  "name",
  "version",
  "description",
  "keywords",
  "license",
  "author",
  "repository",
  "homepage",
  "bugs",
  "engines",
  "dependencies",
  "peerDependencies",
  "peerDependenciesMeta",
];

/** Beside the code. */
const documents = ["README.md", "LICENSE", "CHANGELOG.md", "ARCHITECTURE.md", "docs"];

/** `./provider/x.ts` of the repository, in the package. */
const compiledPath = (path: string): string => path.replace(/^(\.\/)?provider\//, "./").replace(/\.ts$/, ".js");

/**
 * The paths of the shells and of the runtime are in every state ever written: an entry may be added, never removed.
 * Everything is CommonJS; the literal paths also serve the resolution that knows no `exports`.
 */
const manifestOf = (source: Manifest): Manifest => {
  const kept = Object.fromEntries(keptFields.filter((field) => field in source).map((field) => [field, source[field]]));
  const bin = Object.entries(source.bin ?? {}).map(([name, path]) => [name, compiledPath(path)]);
  return {
    ...(kept as Manifest),
    type: "commonjs",
    main: "./index.js",
    types: "./index.d.ts",
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./shells/*.cjs": { types: "./shells/*.d.cts", default: "./shells/*.cjs" },
      "./runtime": { types: "./runtime.d.ts", default: "./runtime.js" },
      "./package.json": "./package.json",
    },
    ...(bin.length > 0 ? { bin: Object.fromEntries(bin) } : {}),
  };
};

const runtimeTypes = `/** For this package's own shells; not meant for programs. */
export declare const attach: (self: object, kind: string, request: object) => void;
`;

/**
 * One file with the public types and what they refer to. A program's compiler so never reads the declarations of our
 * dependencies: zod's do not compile in Pulumi's TypeScript template, which sets neither esModuleInterop nor skipLibCheck.
 */
const publicTypes = (): string => {
  const entry = {
    filePath: join(root, "provider/index.ts"),
    libraries: { importedLibraries: ["@pulumi/pulumi"] },
    output: { noBanner: true },
  };
  const [types] = generateDtsBundle([entry], { preferredConfigPath: join(root, "tsconfig.build.json") });
  return types ?? "";
};

export interface Packed {
  /** The unpacked package, ready to be looked at. */
  folder: string;
  tarball: string;
  manifest: Manifest;
}

/** Compiles and packs into `build`; takes seconds. Throws with the compiler's output when the sources have errors. */
export const pack = (build = join(root, "build")): Packed => {
  const folder = join(build, "package");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const run = (command: string, args: string[], cwd: string): string =>
    execFileSync(command, args, { cwd, encoding: "utf8", timeout: timeoutMs, stdio: ["ignore", "pipe", "inherit"] });
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  try {
    run(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", folder], root);
  } catch (error) {
    throw new Error(`provider/ does not compile:\n${(error as { stdout?: string }).stdout ?? error}`);
  }
  cpSync(join(root, "provider/shells"), join(folder, "shells"), { recursive: true });
  writeFileSync(join(folder, "index.d.ts"), publicTypes());
  writeFileSync(join(folder, "runtime.d.ts"), runtimeTypes);
  for (const name of documents)
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true });
  const manifest = manifestOf(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", build], folder));
  return { folder, tarball: join(build, filename), manifest };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === "refuse") {
    process.stderr.write(
      "The repository's root is not what is published: `npm run package` makes the package in build/package and its tarball in build/.\n",
    );
    process.exit(1);
  }
  const { tarball } = pack();
  process.stdout.write(`${tarball} ${statSync(tarball).size} bytes\n`);
}
