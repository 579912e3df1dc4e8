import { expect } from "chai";
import { memoise, raceAbort } from "../../provider/core/promises.ts";
import { rejection } from "../fakes/http-server.ts";

const REASON = new Error("interrupted");

describe("a shared promise", () => {
  it("is the same for one who cannot be interrupted", () => {
    const shared = Promise.resolve(1);
    expect(raceAbort(shared, undefined)).to.equal(shared);
  });

  it("is left as soon as the signal aborts, and goes on for the others", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const controller = new AbortController();
    const [leaves, stays] = [rejection(raceAbort(promise, controller.signal)), raceAbort(promise, undefined)];
    controller.abort(REASON);
    expect(await leaves).to.equal(REASON);
    resolve("done");
    expect(await stays).to.equal("done");
  });

  it("is not entered by one who is interrupted already", async () => {
    expect(await rejection(raceAbort(Promise.resolve(1), AbortSignal.abort(REASON)))).to.equal(REASON);
  });

  it("passes result and failure on", async () => {
    const { signal } = new AbortController();
    expect(await raceAbort(Promise.resolve(1), signal)).to.equal(1);
    expect(await rejection(raceAbort(Promise.reject(REASON), signal))).to.equal(REASON);
  });
});

describe("memoised work", () => {
  const scene = (...results: (number | Error)[]) => {
    let calls = 0;
    const memo = memoise(async () => {
      const result = results[calls++];
      if (result === undefined || result instanceof Error) throw result ?? new Error("asked too often");
      return result;
    });
    return { memo, calls: () => calls };
  };

  it("is done once for all who ask, at the same time or later", async () => {
    const { memo, calls } = scene(1);
    expect(await Promise.all([memo.get(), memo.get()])).to.deep.equal([1, 1]);
    expect(await memo.get()).to.equal(1);
    expect(calls()).to.equal(1);
  });

  it("fails for all who wait, and is done again for who asks later", async () => {
    const { memo, calls } = scene(REASON, 2);
    const all = await Promise.allSettled([memo.get(), memo.get()]);
    expect(all.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
    expect(await memo.get()).to.equal(2);
    expect(calls()).to.equal(2);
  });

  it("is done again once it is forgotten", async () => {
    const { memo } = scene(1, 2);
    await memo.get();
    memo.forget();
    expect(await memo.get()).to.equal(2);
  });

  it("does not forget a newer attempt because an older one failed", async () => {
    const first = Promise.withResolvers<number>();
    const works = [() => first.promise, async () => 2];
    const memo = memoise(() => (works.shift() ?? expect.fail)());
    const failed = rejection(memo.get());
    memo.forget();
    expect(await memo.get()).to.equal(2);
    first.reject(REASON);
    expect(await failed).to.equal(REASON);
    expect(await memo.get()).to.equal(2);
  });
});
