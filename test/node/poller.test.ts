import { expect } from "chai";

import { IronicError } from "../../provider/core/errors.ts";
import type { Fault } from "../../provider/core/faults.ts";
import type { CallOptions, Client, ReadOptions } from "../../provider/http/client.ts";
import type { LightNode } from "../../provider/node/node.ts";

import { createPoller } from "../../provider/node/poller.ts";
import { virtualClock } from "../fakes/clock.ts";
import { nodeIn } from "../fakes/nodes.ts";
import { shaped } from "../fakes/shaped.ts";

interface Asked {
  path: string;
  query: CallOptions["query"];
  atMs: number;
}

/** A client that only reads, as slowly and as badly as the test says. */
function scene() {
  const clock = virtualClock();
  const asked: Asked[] = [];
  let underWay = 0;
  const world = {
    nodes: [] as LightNode[],
    latencyMs: 0,
    pageSize: 1_000,
    most: 0,
    fail: (_path: string): Fault | undefined => undefined,
  };
  const client = {
    async get<T>(path: string, { query, shape }: ReadOptions<T>): Promise<T> {
      asked.push({ path, query, atMs: clock.now() });
      world.most = Math.max(world.most, ++underWay);
      await clock.sleep(world.latencyMs);
      underWay--;
      const fault = world.fail(path);
      if (fault) throw new IronicError({ fault, operation: "watch", request: `GET ${path}`, detail: `it is ${fault}` });
      const answers = (body: unknown): T => shaped(shape, body, path);
      if (path !== "/nodes") return answers(world.nodes.find(({ uuid }) => path.endsWith(uuid)));
      const all = world.nodes.filter(({ instance_uuid }) => query?.associated !== "true" || instance_uuid !== null);
      const from = query?.marker ? all.findIndex(({ uuid }) => uuid === query.marker) + 1 : 0;
      const nodes = all.slice(from, from + world.pageSize);
      return answers({ nodes, ...(from + world.pageSize < all.length && { next: "more" }) });
    },
  } as unknown as Client;
  const add = (count: number): string[] => {
    for (let index = 0; index < count; index++)
      world.nodes.push({ ...nodeIn("deploying", "ours"), uuid: `n${world.nodes.length}` });
    return world.nodes.map(({ uuid }) => uuid);
  };
  const signal = new AbortController().signal;
  return { clock, asked, world, client, add, signal, poller: createPoller(client, clock, () => 0.5) };
}

describe("the poller", () => {
  it("reads one node by itself, with light fields only", async () => {
    const { clock, asked, add, poller, signal } = scene();
    add(3);
    const node = await clock.run(poller.next("n1", clock.now(), signal));
    expect(node.uuid).to.equal("n1");
    expect(asked.map(({ path }) => path)).to.deep.equal(["/nodes/n1"]);
    expect(asked[0]?.query?.fields).to.contain("provision_state").and.not.to.contain("instance_info");
  });

  it("never sleeps for less than no time, though time passes between two looks at the clock", async () => {
    const { clock, client, add, signal } = scene();
    add(1);
    const rests: number[] = [];
    let passed = 0;
    const poller = createPoller(
      client,
      {
        now: () => {
          passed += 90;
          return clock.now() + passed;
        },
        sleep: (ms, until) => {
          rests.push(ms);
          return clock.sleep(Math.max(0, ms), until);
        },
      },
      () => 0.5,
    );
    await clock.run(poller.next("n0", 0, signal));
    expect(rests).not.to.be.empty;
    expect(rests.filter((ms) => ms < 0)).to.deep.equal([]);
  });

  it("serves many who wait with one request a tick", async () => {
    const { clock, asked, add, poller, signal } = scene();
    const waiting = add(60).map(async (uuid) => {
      for (let round = 0; round < 5; round++)
        expect((await poller.next(uuid, clock.now(), signal)).uuid).to.equal(uuid);
    });
    await clock.run(Promise.all(waiting));
    expect(asked.map(({ path }) => path)).to.deep.equal(Array(5).fill("/nodes"));
  });

  it("reads few among many nodes one by one, once it knows how many rows a list has", async () => {
    const { clock, asked, add, poller, signal } = scene();
    const uuids = add(500);
    const rounds = async (uuid: string, count: number) => {
      for (let round = 0; round < count; round++)
        expect((await poller.next(uuid, clock.now(), signal)).uuid).to.equal(uuid);
    };
    await clock.run(Promise.all(["n7", "n8"].map((uuid) => rounds(uuid, 3))));
    const two = ["/nodes/n7", "/nodes/n8"];
    expect(asked.splice(0).map(({ path }) => path)).to.deep.equal(["/nodes", ...two, ...two]);
    await clock.run(Promise.all(uuids.slice(0, 40).map((uuid) => rounds(uuid, 2))));
    expect(asked.map(({ path }) => path)).to.deep.equal(["/nodes", "/nodes"]);
  });

  it("lists claimed nodes only, until one that is waited for has no claim", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(8);
    const rounds = async (uuid: string) => {
      for (let round = 0; round < 3; round++) {
        if (round === 1) world.nodes[0] = { ...nodeIn("cleaning", "free"), uuid: "n0" };
        expect((await poller.next(uuid, clock.now(), signal)).uuid).to.equal(uuid);
      }
    };
    await clock.run(Promise.all(["n0", "n1", "n2"].map(rounds)));
    expect(asked.map(({ path, query }) => [path, query?.associated])).to.deep.equal([
      ["/nodes", "true"],
      ["/nodes", "true"],
      ["/nodes/n0", undefined],
      ["/nodes", undefined],
    ]);
  });

  it("lists all at once where many of those who wait have lost their claims", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    const uuids = add(8);
    for (const uuid of uuids.slice(0, 5)) world.nodes[uuids.indexOf(uuid)] = { ...nodeIn("deleting", "free"), uuid };
    await clock.run(Promise.all(uuids.map((uuid) => poller.next(uuid, clock.now(), signal))));
    expect(asked.map(({ path, query }) => [path, query?.associated])).to.deep.equal([
      ["/nodes", "true"],
      ["/nodes", undefined],
    ]);
  });

  it("serves two who wait for the same node with one read of it", async () => {
    const { clock, asked, add, poller, signal } = scene();
    add(1);
    await clock.run(Promise.all([poller.next("n0", 0, signal), poller.next("n0", 0, signal)]));
    expect(asked.filter(({ path }) => path === "/nodes")).to.have.length(0);
  });

  it("pages, and stops when all who wait are found", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(10);
    world.pageSize = 3;
    await clock.run(Promise.all(["n1", "n4"].map((uuid) => poller.next(uuid, 0, signal))));
    expect(asked.map(({ query }) => query?.marker)).to.deep.equal([undefined, "n2"]);
  });

  it("asks by itself for a node that the list does not show", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(2);
    const fail = world.fail;
    world.fail = (path) => (path === "/nodes/gone" ? "nodeGone" : fail(path));
    const [here, gone] = await clock.run(
      Promise.allSettled([poller.next("n0", 0, signal), poller.next("gone", 0, signal)]),
    );
    expect(here.status).to.equal("fulfilled");
    expect(gone).to.have.nested.property("reason.fault", "nodeGone");
    expect(asked.map(({ path }) => path)).to.deep.equal(["/nodes", "/nodes/gone"]);
  });

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

  it("keeps the trouble of the last tick while it lasts, and goes on at its own pace", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(2);
    world.fail = () => (asked.length <= 3 ? "overloaded" : undefined);
    const both = Promise.all([poller.next("n0", 0, signal), poller.next("n1", 0, signal)]);
    await clock.pass(2_500);
    expect(poller.trouble()).to.contain("it is overloaded");
    await clock.run(both);
    expect(poller.trouble()).to.equal(undefined);
    expect(asked).to.have.length(4);
    const gaps = asked.slice(1).map(({ atMs }, index) => atMs - (asked[index]?.atMs ?? 0));
    for (const gap of gaps) expect(gap).to.be.at.least(1_000);
  });

  it("keeps the trouble of a single read, too", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(1);
    world.fail = () => (asked.length < 2 ? "ambiguous" : undefined);
    const one = poller.next("n0", 0, signal);
    await clock.pass(500);
    expect(poller.trouble()).to.contain("it is ambiguous");
    await clock.run(one);
  });

  for (const fault of ["unauthorized", "forbidden", "notFound", "unacceptable", "invalid"] as const)
    it(`rejects all who wait when Ironic answers "${fault}"`, async () => {
      const { clock, world, add, poller, signal } = scene();
      world.fail = () => fault;
      const waiting = add(3).map((uuid) => poller.next(uuid, 0, signal));
      for (const result of await clock.run(Promise.allSettled(waiting)))
        expect(result).to.have.nested.property("reason.fault", fault);
    });

  it("forgets one who leaves, and stops when nobody waits", async () => {
    const { clock, asked, add, poller } = scene();
    add(2);
    const leaving = new AbortController();
    const staying = new AbortController();
    const left = poller.next("n0", 0, leaving.signal);
    const stayed = poller.next("n1", 0, staying.signal);
    leaving.abort(new Error("left"));
    const [first, second] = await clock.run(Promise.allSettled([left, stayed]));
    expect(first).to.have.nested.property("reason.message", "left");
    expect(second.status).to.equal("fulfilled");
    expect(asked.map(({ path }) => path)).to.deep.equal(["/nodes/n1"]);
    await clock.pass(60_000);
    expect(asked).to.have.length(1);
  });

  it("does not begin for one who has left already", async () => {
    const { clock, asked, add, poller } = scene();
    add(1);
    const result = await clock.run(Promise.allSettled([poller.next("n0", 0, AbortSignal.abort(new Error("left")))]));
    expect(result[0]).to.have.nested.property("reason.message", "left");
    await clock.pass(10_000);
    expect(asked).to.have.length(0);
  });

  it("begins again after a rest", async () => {
    const { clock, asked, add, poller, signal } = scene();
    add(1);
    await clock.run(poller.next("n0", 0, signal));
    await clock.pass(100_000);
    await clock.run(poller.next("n0", clock.now(), signal));
    expect(asked).to.have.length(2);
  });
});
