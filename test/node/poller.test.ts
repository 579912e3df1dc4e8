import { expect } from "chai";
import { createPoller } from "../../provider/node/poller.ts";
import { nodeIn } from "../fakes/nodes.ts";
import { scene } from "./polled.ts";

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

  it("reads the list anew where a stranger between two pages is deleted: nobody's node has ended by that", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(6);
    world.pageSize = 3;
    world.fail = () => {
      if (asked.length === 2) world.nodes = world.nodes.filter(({ uuid }) => uuid !== "n2");
      return undefined;
    };
    const both = await clock.run(Promise.all(["n0", "n4"].map((uuid) => poller.next(uuid, 0, signal))));
    expect(both.map(({ uuid }) => uuid)).to.deep.equal(["n0", "n4"]);
    expect(asked.map(({ query }) => query?.marker)).to.deep.equal([undefined, "n2", undefined, "n3"]);
  });

  it("goes on with the next tick where the list changes faster than it can be read", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(20);
    world.pageSize = 1;
    const troubles = new Set<string | undefined>();
    world.fail = () => {
      troubles.add(poller.trouble());
      return asked.length <= 12 && asked.at(-1)?.query?.marker ? "listChanged" : undefined;
    };
    const both = await clock.run(Promise.all(["n0", "n19"].map((uuid) => poller.next(uuid, 0, signal))));
    expect(both.map(({ uuid }) => uuid)).to.deep.equal(["n0", "n19"]);
    expect([...troubles].join()).to.contain("it is listChanged");
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

  it("rests as long as the server asks, also when another comes to wait meanwhile", async () => {
    const { clock, asked, world, add, poller, signal } = scene();
    add(2);
    world.retryAfterMs = 200_000;
    world.fail = () => (asked.length <= 1 ? "overloaded" : undefined);
    const first = poller.next("n0", 0, signal);
    await clock.pass(50_000);
    await clock.run(Promise.all([first, poller.next("n1", clock.now(), signal)]));
    expect((asked[1]?.atMs ?? 0) - (asked[0]?.atMs ?? 0)).to.be.at.least(200_000);
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
