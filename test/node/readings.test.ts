import { expect } from "chai";
import { createReadings, REREAD_MS } from "../../provider/node/readings.ts";
import { PATIENCE_MS } from "../../provider/node/recency.ts";
import { fakeClient } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";

const { signal } = new AbortController();
const OLD = "2020-01-01T00:00:00+00:00";

const scene = () => {
  const clock = virtualClock();
  const ironic = fakeIronic({ clock });
  const [one, other] = [ironic.add(), ironic.add()];
  const client = fakeClient({ ironic, clock });
  const readings = createReadings(client, clock);
  const read = (ident: string, ended = signal) => clock.run(readings.read(ident, "read the node", ended));
  return { clock, one: one.node, other: other.node, client, readings, read };
};

describe("readings of nodes", () => {
  it("are known by UUID, whatever name was asked for, and each node by itself", async () => {
    const { one, other, read, client } = scene();
    await read(one.name ?? "");
    Object.assign(one, { provision_updated_at: OLD });
    Object.assign(other, { provision_updated_at: OLD });
    expect((await read(other.uuid)).provision_updated_at).to.equal(OLD);
    expect(client.requests).to.have.length(2);
    await read(one.uuid);
    expect(client.requests).to.have.length(2 + 1 + PATIENCE_MS / REREAD_MS);
  });

  it("are repeated each second until one is no older, and that one counts", async () => {
    const { clock, one, read, readings } = scene();
    Object.assign(one, { updated_at: "2026-01-01T00:00:00+00:00" });
    const first = await read(one.uuid);
    const { provision_updated_at } = one;
    Object.assign(one, { provision_updated_at: OLD });
    void clock
      .sleep(2_500)
      .then(() => Object.assign(one, { provision_updated_at, updated_at: "2030-01-01T00:00:00+00:00" }));
    const second = await read(one.uuid);
    expect(clock.now()).to.equal(3_000);
    expect(second.updated_at).to.match(/^2030/);
    expect(readings.of(one).isStale(first)).to.equal(true);
  });

  it("are one memory for all who look at a node; it begins with the first of them", () => {
    const { one, other, readings } = scene();
    const recency = readings.of(one);
    expect(readings.of({ ...one, provision_updated_at: OLD })).to.equal(recency);
    expect(readings.of(other)).not.to.equal(recency);
    expect(recency.isStale({ ...one, provision_updated_at: OLD })).to.equal(true);
  });

  it("end with the reason of the interruption, or with Ironic's refusal", async () => {
    const { clock, one, read } = scene();
    await read(one.uuid);
    Object.assign(one, { provision_updated_at: OLD });
    const interruption = new AbortController();
    void clock.sleep(1_500).then(() => interruption.abort(new Error("stop")));
    const [ended, refused] = await Promise.allSettled([read(one.uuid, interruption.signal), read("nobody")]);
    expect(ended).to.have.nested.property("reason.message", "stop");
    expect(refused).to.have.nested.property("reason.fault", "nodeGone");
  });
});
