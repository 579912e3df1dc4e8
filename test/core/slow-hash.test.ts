import { scryptSync } from "node:crypto";
import { expect } from "chai";
import { createSlowHash } from "../../provider/core/slow-hash.ts";

const CHEAP = { N: 16, r: 1 };

describe("slow hashes", () => {
  it("are eight bytes of scrypt in hexadecimal, as every other run of the program computes them", async () => {
    const hash = await createSlowHash()("kernel arguments", "salt", CHEAP);
    expect(hash).to.equal(scryptSync("kernel arguments", "salt", 8, CHEAP).toString("hex"));
    expect(hash).to.match(/^[0-9a-f]{16}$/);
  });

  it("are computed once, also for those who ask at the same time", async () => {
    const slowHash = createSlowHash();
    const first = slowHash("content", "salt", CHEAP);
    expect(slowHash("content", "salt", { ...CHEAP })).to.equal(first);
    await first;
    expect(slowHash("content", "salt", CHEAP)).to.equal(first);
  });

  it("are remembered by their own run only", () => {
    expect(createSlowHash()("content", "salt", CHEAP)).not.to.equal(createSlowHash()("content", "salt", CHEAP));
  });

  for (const [title, content, salt, cost] of [
    ["content", "other", "salt", CHEAP],
    ["salt", "content", "other", CHEAP],
    ["cost N", "content", "salt", { ...CHEAP, N: 32 }],
    ["cost r", "content", "salt", { ...CHEAP, r: 2 }],
  ] as const)
    it(`are others for another ${title}`, async () => {
      const slowHash = createSlowHash();
      const first = await slowHash("content", "salt", CHEAP);
      const second = await slowHash(content, salt, cost);
      expect(second).to.equal(scryptSync(content, salt, 8, cost).toString("hex"));
      expect(second).not.to.equal(first);
    });
});
