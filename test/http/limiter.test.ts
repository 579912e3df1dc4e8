import { expect } from "chai";
import type { Load } from "../../provider/core/faults.ts";
import { createLimiter } from "../../provider/http/limiter.ts";
import { rejection } from "../fakes/http-server.ts";

const limiterAt = (max: number, start?: number) => {
  const time = { ms: 0 };
  const limiter = createLimiter({ max, now: () => time.ms, ...(start === undefined ? {} : { start }) });
  const feel = async (load: Load, afterMs = 1000): Promise<number> => {
    time.ms += afterMs;
    await limiter.run(
      async () => undefined,
      () => load,
      { kind: "GET" },
    );
    return limiter.limit;
  };
  return { limiter, feel };
};

describe("limiter", () => {
  it("opens fast until the first sign of load, then by one place a round", async () => {
    const { limiter, feel } = limiterAt(32, 4);
    for (let i = 0; i < 4; i += 1) await feel("fine");
    expect(limiter.limit).to.equal(8);
    expect(await feel("overloaded")).to.equal(4);
    for (let i = 0; i < 5; i += 1) await feel("fine");
    expect(limiter.limit).to.be.within(5, 5.2);
  });

  it("counts one burst of failures once, and never closes", async () => {
    const { limiter, feel } = limiterAt(32, 32);
    await feel("overloaded");
    await feel("overloaded", 10);
    expect(limiter.limit).to.equal(16);
    for (let i = 0; i < 20; i += 1) await feel("overloaded");
    expect(limiter.limit).to.equal(1);
    expect(await feel("unknown")).to.equal(1);
  });

  it("goes down gently when it is only busy, and never above its maximum", async () => {
    const { feel } = limiterAt(10, 10);
    expect(await feel("fine")).to.equal(10);
    expect(await feel("busy")).to.equal(8);
  });

  it("lets those that go first go before the others that wait, each sort in its order", async () => {
    const { limiter } = limiterAt(1, 1);
    const order: string[] = [];
    const go = (kind: string) =>
      limiter.run(
        async () => order.push(kind),
        () => "unknown",
        { kind, later: !kind.startsWith("GET") },
      );
    await Promise.all(["PUT 1", "PATCH 2", "GET 3", "PUT 4", "GET 5"].map(go));
    expect(order).to.deep.equal(["PUT 1", "GET 3", "GET 5", "PATCH 2", "PUT 4"]);
  });

  it("runs no more at once than it allows, first come first served", async () => {
    const { limiter } = limiterAt(2, 2);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const work = async (id: number): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      order.push(id);
      running -= 1;
    };
    await Promise.all(
      [1, 2, 3, 4, 5].map((id) =>
        limiter.run(
          () => work(id),
          () => "unknown",
          { kind: "GET" },
        ),
      ),
    );
    expect(most).to.equal(2);
    expect(order).to.deep.equal([1, 2, 3, 4, 5]);
    expect(limiter.active).to.equal(0);
  });

  it("lets who waits leave the queue", async () => {
    const { limiter } = limiterAt(1, 1);
    let finish = (): void => undefined;
    const first = limiter.run(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
      () => "fine",
      { kind: "GET" },
    );
    const abort = new AbortController();
    const second = rejection(
      limiter.run(
        async () => "never",
        () => "fine",
        { kind: "GET", signal: abort.signal },
      ),
    );
    abort.abort(new Error("enough"));
    expect((await second).message).to.equal("enough");
    finish();
    await first;
    expect(
      await limiter.run(
        async () => "third",
        () => "fine",
        { kind: "GET" },
      ),
    ).to.equal("third");
  });

  /** A server that works on `threads` requests at once, each for `workMs`, and keeps the others waiting. */
  const serve = async (threads: number, workMs: number, count: number) => {
    const time = { ms: 0 };
    const limiter = createLimiter({ max: 32, now: () => time.ms });
    const inServer: (() => void)[] = [];
    const all = Array.from({ length: count }, () =>
      limiter.run(
        () => new Promise<void>((resolve) => inServer.push(resolve)),
        () => "fine",
        { kind: "PUT" },
      ),
    );
    const limits: number[] = [];
    for (let done = 0; done < count; ) {
      time.ms += workMs;
      for (const resolve of inServer.splice(0, threads)) {
        resolve();
        done++;
      }
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      limits.push(limiter.limit);
    }
    await Promise.all(all);
    return limits;
  };

  it("keeps few waiting in a server whose answers take longer the more there are", async () => {
    const limits = await serve(2, 100, 200);
    expect(limits.at(-1)).to.be.within(4, 10);
  });

  it("opens up to its maximum where the server has room", async () => {
    const limits = await serve(64, 100, 400);
    expect(limits.at(-1)).to.equal(32);
  });

  it("lets one ahead of all who wait", async () => {
    const { limiter } = limiterAt(1, 1);
    let finish = (): void => undefined;
    const order: string[] = [];
    const slow = limiter.run(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
      () => "fine",
      { kind: "PUT" },
    );
    const queued = limiter.run(
      async () => order.push("queued"),
      () => "fine",
      { kind: "PUT" },
    );
    await limiter.run(
      async () => order.push("ahead"),
      () => "fine",
      { kind: "GET", ahead: true },
    );
    expect(limiter.active).to.equal(1);
    finish();
    await Promise.all([slow, queued]);
    expect(order).to.deep.equal(["ahead", "queued"]);
  });
});
