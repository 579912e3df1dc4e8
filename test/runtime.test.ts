import { expect } from "chai";
import type { Handler, Props } from "../provider/plugin/handler.ts";
import { attached, thrown } from "./fakes/attached.ts";

const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

describe("runtime", () => {
  it("gives the object its methods synchronously", () => {
    const { self } = attached({});
    expect(Object.keys(self)).to.have.members(["check", "diff", "create", "read", "update", "delete"]);
  });

  it("does not show the handler its own code, and answers with the same code", async () => {
    const seen: Props[] = [];
    const { self } = attached({
      create: async (inputs) => {
        seen.push(inputs);
        return { id: "a", outs: { state: "active" } };
      },
    });
    const result = await self.create({ node: "worker-1", __provider: "text" });
    expect(seen).to.deep.equal([{ node: "worker-1" }]);
    expect(result).to.deep.equal({
      id: "a",
      outs: { node: "worker-1", state: "active", version: 1, __provider: "text" },
    });
  });

  it("lets a handler drop an input from the outputs", async () => {
    const { self } = attached({ create: async () => ({ id: "a", outs: { bulky: undefined } }) });
    expect((await self.create({ bulky: "x" })).outs).to.not.have.property("bulky");
  });

  it("treats a first check as one without old inputs", async () => {
    const seen: unknown[] = [];
    const check: Handler["check"] = async (olds, inputs) => {
      seen.push(olds);
      return { inputs, failures: [] };
    };
    const { self } = attached({ check });
    await self.check({}, { a: 1 });
    await self.check({ a: 1, __provider: "text" }, { a: 1 });
    expect(seen).to.deep.equal([undefined, { a: 1 }]);
  });

  it("refuses inputs that cannot be stored, at preview", async () => {
    const { self } = attached({});
    const { failures } = await self.check({}, { seconds: Number.NaN });
    expect(failures).to.deep.equal([
      { property: "", reason: "seconds: is not a finite number (NaN) [value-not-storable]" },
    ]);
  });

  it("passes a diff on as it is, and to it the signal that ends the run", async () => {
    const answer = { changes: true, replaces: ["node"], deleteBeforeReplace: true };
    const signals: unknown[] = [];
    const { self } = attached({
      diff: async (_id, _olds, _news, _services, call) => {
        signals.push(call?.signal);
        return answer;
      },
    });
    expect(await self.diff("a", {}, {})).to.equal(answer);
    expect(signals).to.have.length(1);
    expect(signals[0]).to.be.instanceOf(AbortSignal);
  });

  it("passes on what refresh found, inputs included", async () => {
    const { self } = attached({ read: async (id) => ({ id, props: { a: 1, password: "p" }, inputs: { a: 1 } }) });
    expect(await self.read("a", {})).to.deep.equal({
      id: "a",
      props: { a: 1, password: secret("p"), version: 1 },
      inputs: { a: 1 },
    });
  });

  it("hides the state's version from the handler, and touches no state of a newer one", async () => {
    const seen: unknown[] = [];
    const see = async (_id: string, props: Props) => {
      seen.push(props);
    };
    const { self } = attached({ delete: see });
    await self.delete("a", { a: 1, version: 1 });
    expect(seen).to.deep.equal([{ a: 1 }]);
    const newer = { a: 1, version: 2 };
    const calls = [
      () => self.diff("a", newer, {}),
      () => self.read("a", newer),
      () => self.update("a", newer, {}),
      () => self.delete("a", newer),
    ];
    for (const call of calls) expect((await thrown(call())).message).to.contain("has version 2");
    expect(seen).to.have.length(1);
  });

  it("answers a vanished resource with nothing", async () => {
    const { self } = attached({ read: async () => undefined });
    expect(await self.read("a", {})).to.deep.equal({});
  });

  it("keeps a resource whose update returned something that cannot be stored", async () => {
    const { self } = attached({ update: async () => ({ outs: { rate: Number.POSITIVE_INFINITY } }) });
    const error = await thrown(self.update("a", { __provider: "old" }, { __provider: "new" }));
    expect(error).to.include({ id: "a" });
    expect(error.properties).to.deep.equal({ version: 1, __provider: "new" });
    expect(error.reasons).to.have.length(1);
  });

  it("does not keep a resource without an id", async () => {
    const { self } = attached({ create: async () => ({ id: "", outs: {} }) });
    expect((await thrown(self.create({}))).message).to.contain("has no id");
  });
});
