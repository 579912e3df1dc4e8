import { expect } from "chai";
import { systemClock } from "../../provider/core/clock.ts";
import { createRunContext } from "../../provider/run/context.ts";

const URL = "http://127.0.0.1:6385";

/** A run, and its connection to `endpoint`. */
function scene() {
  const run = createRunContext({ clock: systemClock, random: Math.random, env: {} });
  const open = (endpoint: string, more: Record<string, string> = {}) => {
    const settings: Record<string, string> = { endpoint, authType: "none", ...more };
    return run.connections.open(
      (key) => settings[key],
      () => undefined,
    );
  };
  return { run, open };
}

describe("a run", () => {
  it("has one client, poller and queue for all resources of the same connection", async () => {
    const { open } = scene();
    expect(await open(URL)).to.equal(await open(URL));
    const [first, second] = await Promise.all([open("http://127.0.0.2:6385"), open("http://127.0.0.2:6385")]);
    expect(first).to.equal(second);
  });

  it("has others for another connection", async () => {
    const { open } = scene();
    const [one, other] = [await open(URL), await open(URL, { requestTimeoutSeconds: "7" })];
    expect(one.client).not.to.equal(other.client);
    expect(one.poller).not.to.equal(other.poller);
    expect(one.patches).not.to.equal(other.patches);
  });

  it("knows the secrets of a connection that is refused", async () => {
    const { open, run } = scene();
    const settings = { authType: "http_basic", username: "admin", password: "swordfish", concurrency: "0" };
    expect(await open(URL, settings).catch(({ code }) => code)).to.equal("setting-invalid");
    expect([...run.secrets]).to.include("swordfish");
  });

  it("shares nothing with another run", async () => {
    const [one, other] = [scene(), scene()];
    expect(await one.open(URL)).not.to.equal(await other.open(URL));
    one.run.settings.add({ node: "worker-1", uncertain: false });
    expect(other.run.settings.of({ uuid: "worker-1", name: null })).to.equal(undefined);
    await one.open(URL, { authType: "http_basic", username: "admin", password: "swordfish" });
    expect([...one.run.secrets]).to.include("swordfish");
    expect(other.run.secrets.size).to.equal(0);
  });
});
