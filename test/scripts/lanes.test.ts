import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { execute, grouped, inLanes } from "../../scripts/lanes.ts";

const cwd = process.cwd();
const node = (code: string) => execute(process.execPath, ["-e", code], { cwd });

describe("lanes", () => {
  it("give each job to the lane that is free first, and keep the order of results", async () => {
    const byLane: number[][] = [[], []];
    const results = await inLanes([60, 10, 10, 10], 2, async (ms, lane) => {
      byLane[lane]?.push(ms);
      await sleep(ms);
      return ms * 2;
    });
    expect(results).to.deep.equal([120, 20, 20, 20]);
    expect(byLane).to.deep.equal([[60], [10, 10, 10]]);
  });

  it("fail as a whole when a job fails", async () => {
    const failed = await inLanes([1, 2], 2, async (job) => {
      if (job === 2) throw new Error("no");
    }).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
  });

  it("keep apart what takes long", () => {
    const seconds = new Map([
      ["a", 10],
      ["b", 4],
      ["c", 4],
      ["d", 3],
    ]);
    expect(grouped([...seconds.keys()], 2, (item) => seconds.get(item) ?? 0)).to.deep.equal([["b", "c", "d"], ["a"]]);
    expect(grouped(["a"], 4, () => 1)).to.deep.equal([["a"]]);
  });

  it("give output and exit code, and the signal of what was killed", async () => {
    const ended = await node(
      "process.stdout.write('out'); setTimeout(() => { console.error('err'); process.exit(3) }, 50)",
    );
    expect(ended).to.deep.include({ status: 3, output: "outerr\n" });
    expect((await node("process.kill(process.pid, 'SIGKILL')")).status).to.equal("SIGKILL");
  });

  it("do not wait for what a program left behind", async () => {
    const left = `require("node:child_process").spawn("sleep", ["5"], { stdio: "inherit" }).unref(); process.exit(0)`;
    expect((await node(left)).seconds).to.be.lessThan(4);
  });
});
