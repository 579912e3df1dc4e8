import { expect } from "chai";
import { nodeIn } from "../fakes/nodes.ts";
import { scene } from "./polled.ts";

describe("the poller", () => {
  it("is quick soon after a change and slower later, within bounds", async () => {
    const { clock, asked, add, poller, signal } = scene();
    add(1);
    const watch = async () => {
      while (clock.now() < 120_000) await poller.next("n0", 0, signal);
    };
    await clock.run(watch());
    const gaps = asked.slice(1).map(({ atMs }, index) => atMs - (asked[index]?.atMs ?? 0));
    expect(gaps[0]).to.be.closeTo(200, 1);
    expect(Math.max(...gaps)).to.be.at.most(5_000.1);
    expect(gaps.at(-1)).to.be.closeTo(5_000, 1);
    for (const [index, gap] of gaps.entries()) if (index > 0) expect(gap).to.be.at.least((gaps[index - 1] ?? 0) - 1);
  });

  it("moves the next look forward for one who joins with a change that is nearer", async () => {
    const { clock, asked, add, poller, signal } = scene();
    add(3);
    await clock.run(clock.sleep(100_000));
    const old = poller.next("n0", 0, signal);
    await clock.run(clock.sleep(1_000));
    const young = poller.next("n1", clock.now(), signal);
    const older = poller.next("n2", 0, signal);
    await clock.run(Promise.all([old, young, older]));
    expect(asked.map(({ atMs }) => Math.round(atMs))).to.deep.equal([101_200]);
  });

  it("is quick again for all when one of those who are waited for changes", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(2);
    const watch = async (uuid: string, untilMs: number) => {
      while (clock.now() < untilMs) await poller.next(uuid, 0, signal);
    };
    const both = Promise.all([watch("n0", 70_000), watch("n1", 70_000)]);
    await clock.pass(60_000);
    world.nodes[0] = { ...nodeIn("active", "ours"), uuid: "n0" };
    await clock.run(both);
    const after = asked.map(({ atMs }) => atMs).filter((atMs) => atMs > 60_000);
    expect((after[1] ?? 0) - (after[0] ?? 0)).to.be.closeTo(200, 1);
  });

  it("never has two ticks under way, and rests longer than a slow server worked, within its bounds", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    world.latencyMs = 500;
    const waiting = add(5).map(async (uuid) => {
      for (let round = 0; round < 4; round++) await poller.next(uuid, clock.now(), signal);
    });
    await clock.run(Promise.all(waiting));
    expect(world.most).to.equal(1);
    const gaps = asked.slice(1).map(({ atMs }, index) => atMs - (asked[index]?.atMs ?? 0));
    for (const gap of gaps.slice(1)) expect(gap).to.be.at.least(5 * world.latencyMs);
    world.latencyMs = 30_000;
    const from = asked.length;
    await clock.run(
      (async () => {
        for (let round = 0; round < 3; round++)
          await Promise.all(["n0", "n1"].map((uuid) => poller.next(uuid, clock.now(), signal)));
      })(),
    );
    const slow = asked.slice(from).map(({ atMs }) => atMs);
    expect((slow[2] ?? 0) - (slow[1] ?? 0)).to.be.closeTo(35_000, 1);
  });
});
