import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { engines } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { engines: { node: string } };

/** What the project's entry says in a Node.js of another version. */
const saidBy = (version: string): string => {
  const pretend = `data:text/javascript,Object.defineProperty(process.versions, "node", { value: "${version}" })`;
  const args = ["--import", pretend, "examples/main.mjs"];
  const { stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", timeout: 10_000 });
  return stderr;
};

describe("the repository's own project", () => {
  for (const version of ["20.20.2", "22.18.0"])
    it(`says that Node.js ${version} is too old, and what to do`, () => {
      expect(saidBy(version))
        .to.contain(`This project needs Node.js ${engines.node}, and \`node\` on PATH is ${version}`)
        .and.contain("node_modules/.bin");
    });

  for (const version of ["22.19.0", "24.0.0"])
    it(`runs in Node.js ${version}`, () => expect(saidBy(version)).to.not.contain("needs Node.js"));
});
