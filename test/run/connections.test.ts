// What a run has by its connections, and that runs share none, is in context.test.ts.
import { expect } from "chai";
import type { Code } from "../../provider/core/codes.ts";
import { createConnections } from "../../provider/run/connections.ts";
import { virtualClock } from "../fakes/clock.ts";

const BASIC = { endpoint: "http://10.0.0.5:6385", authType: "http_basic", username: "admin", password: "swordfish" };

function scene(env: NodeJS.ProcessEnv = {}) {
  const secrets = new Set<string>();
  const warned: Code[] = [];
  const connections = createConnections({ clock: virtualClock(), random: () => 0.5, env, secrets });
  const open = (settings: Record<string, string>) =>
    connections.open(
      (key) => settings[key],
      (code) => warned.push(code),
    );
  return { open, secrets, warned };
}

describe("connections", () => {
  for (const [key, value] of Object.entries({
    endpoint: "http://10.0.0.6:6385",
    username: "other",
    password: "other",
    apiVersion: "1.82",
  }))
    it(`are others where ${key} is another`, async () => {
      const { open } = scene();
      expect(await open({ ...BASIC, [key]: value })).not.to.equal(await open(BASIC));
    });

  it("warn where they are opened first, and not each resource again", async () => {
    const { open, warned } = scene();
    await Promise.all([open(BASIC), open(BASIC)]);
    await open(BASIC);
    expect(warned).to.deep.equal(["credentials-unencrypted"]);
    await open({ ...BASIC, username: "other" });
    expect(warned).to.deep.equal(["credentials-unencrypted", "credentials-unencrypted"]);
  });

  it("give out what they send as secrets, those of the environment as well", async () => {
    const { open, secrets } = scene({ http_proxy: "http://ops:perch-in-proxy@10.0.0.9:3128" });
    await open(BASIC);
    expect([...secrets]).to.include.members(["swordfish", "admin:swordfish", "perch-in-proxy"]);
  });

  it("that cannot be used say why by a code, and leave those that can be used alone", async () => {
    const { open } = scene();
    const first = await open(BASIC);
    const { password: _password, ...incomplete } = BASIC;
    expect(await open(incomplete).catch(({ code }) => code)).to.equal("login-incomplete");
    expect(await open(BASIC)).to.equal(first);
  });
});
