// Where Pulumi enters the repository's own project (Pulumi.yaml). Plain JavaScript, since a Node.js that cannot read the
// program's TypeScript must be able to say so.
import { readFileSync } from "node:fs";
import { RunError } from "@pulumi/pulumi";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const [oldestMajor = 0, oldestMinor = 0] = (engines.node.match(/\d+/g) ?? []).map(Number);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
  const error = new RunError(
    `This project needs Node.js ${engines.node}, and \`node\` on PATH is ${process.versions.node}. Install a newer one, or use ` +
      'the one that `npm ci` installed here: PATH="$PWD/node_modules/.bin:$PATH" pulumi up, or npm run pulumi -- up.',
  );
  // Nobody is shown it, and Node.js 20 takes a minute to colour it for Pulumi.
  error.stack = error.message;
  throw error;
}

export const { machines } = await import("./environment.ts");
