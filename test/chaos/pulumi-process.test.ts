import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Stack } from "../../chaos/pulumi-process.ts";

describe("a command of a stack", () => {
  it("is ended at the deadline that it was given", async () => {
    const dir = mkdtempSync(join(tmpdir(), "stack-"));
    try {
      const env = { PATH: process.env.PATH ?? "" };
      const options = { dir, project: "p", program: "p.ts", name: "s", env, pulumi: "sleep", config: {} };
      const { timedOut, code } = await new Stack({ ...options, deadlineMs: 100 }).run(["20"]);
      expect({ timedOut, code }).to.deep.equal({ timedOut: true, code: undefined });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
