import { expect } from "chai";
import { systemClock } from "../../provider/core/clock.ts";
import { servicesFor } from "../../provider/plugin/services.ts";
import { createRunContext } from "../../provider/run/context.ts";

/** Stack configuration that counts how often it is read. */
function scene() {
  const world = { config: {} as Record<string, string>, reads: 0 };
  const get = (key: string): unknown => {
    world.reads++;
    return world.config[key];
  };
  const run = createRunContext({ clock: systemClock, random: Math.random, env: {} });
  return { world, services: servicesFor(run, { config: { get } }, () => {}) };
}

describe("the services of a provider process", () => {
  it("find out once how to reach Ironic, however many calls ask at the same time or later", async () => {
    const { world, services } = scene();
    world.config = { "ironic:endpoint": "http://127.0.0.1:6385", "ironic:authType": "none" };
    const [first, second] = await Promise.all([services.client(), services.client()]);
    const { reads } = world;
    expect(reads).to.be.greaterThan(0);
    expect(await services.client())
      .to.equal(first)
      .and.to.equal(second);
    expect(world.reads).to.equal(reads);
  });

  it("look again after a configuration that could not be used", async () => {
    const { world, services } = scene();
    world.config = { "ironic:endpoint": "no address" };
    const refused = await services.client().catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
    world.config = { "ironic:endpoint": "http://127.0.0.1:6385", "ironic:authType": "none" };
    expect((await services.client()).endpoint).to.contain("127.0.0.1:6385");
  });
});
