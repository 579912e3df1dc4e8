import { expect } from "chai";
import { stackIdentityHandler } from "../../provider/stack/handler.ts";
import { world } from "../fakes/world.ts";

describe("the stack's identity, in the provider process", () => {
  const scene = () => world(stackIdentityHandler);

  it("is random, or what the configuration says when it is made", async () => {
    const { outs } = await scene().made(undefined, {});
    expect(outs.stackId).to.match(/^[0-9a-f-]{36}$/);
    expect((await scene().made(undefined, {})).outs.stackId).not.to.equal(outs.stackId);
    expect((await scene().made(undefined, { configured: "lab" })).outs.stackId).to.equal("lab");
  });

  it("goes over to what replaces it, whatever the configuration says by now", async () => {
    for (const configured of [undefined, "later"]) {
      const w = scene();
      const first = await w.made(undefined, {});
      expect(await w.destroy(first)).to.equal(undefined);
      const { id, outs } = await w.made(undefined, configured === undefined ? {} : { configured });
      expect({ id, stackId: outs.stackId }).to.deep.equal({ id: first.id, stackId: first.outs.stackId });
    }
  });

  it("goes over within one run of the engine only: a stack that was destroyed comes back with another", async () => {
    const w = scene();
    const first = await w.made(undefined, {});
    await w.destroy(first);
    expect((await scene().made(undefined, {})).outs.stackId).not.to.equal(first.outs.stackId);
  });
});
