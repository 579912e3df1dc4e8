// Several replicas answer behind a load balancer, and some are seconds behind: nothing older than what was seen is believed.
import { expect } from "chai";
import type { Node } from "../../provider/node/node.ts";
import { createPoller } from "../../provider/node/poller.ts";
import { createReadings } from "../../provider/node/readings.ts";
import { createView } from "../../provider/node/view.ts";
import { fakeClient, type Request } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";
import { INFO } from "../fakes/nodes.ts";
import { replicas } from "../fakes/replicas.ts";
import { sightOf } from "../fakes/sight.ts";

const { signal } = new AbortController();

const scene = (resolution: "us" | "s" = "us") => {
  const clock = virtualClock();
  const past = replicas();
  const ironic = fakeIronic({ clock, resolution, onChange: past.save });
  const fake = ironic.add({ provision_state: "active", instance_info: { ...INFO } });
  ironic.find(fake.node.uuid);
  const lagsMs = [0];
  const sight = sightOf(ironic, { lagsMs, replicas: past });
  const onRequest = (request: Request) => {
    sight.onRequest(request);
    return undefined;
  };
  const client = fakeClient({ ironic: sight.ironic, clock, onRequest });
  const poller = createPoller(client, clock, () => 0.5);
  const observed: Node[] = [];
  const onObserved = (node: Node) => observed.push(node);
  const initial = structuredClone(fake.node);
  const view = createView({
    readings: createReadings(client, clock),
    clock,
    poller,
    initial,
    operation: "read the node",
    onObserved,
  });
  const look = (how: "now" | "next") => clock.run(view.observe(how, signal));
  const lag = (ms: number) => {
    lagsMs[0] = ms;
  };
  return { clock, ironic, fake, view, look, lag, client, observed };
};

describe("a reading that is older than what was seen", () => {
  for (const how of ["now", "next"] as const)
    it(`by its provision state is not believed (${how})`, async () => {
      const { clock, ironic, fake, look, lag, observed } = scene();
      await look("now");
      await clock.pass(60_000);
      ironic.move(fake, "available");
      expect((await look("next")).node.provision_state).to.equal("available");
      lag(4_000);
      expect((await look(how)).node.provision_state).to.equal("available");
      expect(observed.map(({ provision_state }) => provision_state)).to.deep.equal([
        "active",
        "available",
        "available",
      ]);
      expect(clock.now()).to.be.within(62_000, 70_000);
    });

  it("by when the node was written to is not believed: no old marker after our own write", async () => {
    const { clock, ironic, fake, view, look, lag } = scene();
    await look("now");
    await clock.pass(60_000);
    ironic.patch(fake.node.uuid, [{ op: "add", path: "/extra/mark", value: "new" }]);
    view.see(structuredClone(fake.node));
    lag(4_000);
    expect((await look("now")).node.extra).to.deep.equal({ mark: "new" });
  });

  for (const resolution of ["us", "s"] as const)
    it(`is that of before a change that Ironic has accepted (times in ${resolution})`, async () => {
      const { clock, ironic, fake, view, look, lag } = scene(resolution);
      await look("now");
      await clock.pass(60_000);
      expect(ironic.provision(fake.node.uuid, "us", "rebuild")).to.equal(undefined);
      view.expectChange();
      lag(4_000);
      expect((await look("next")).node.provision_state).to.equal("deploying");
      expect(clock.now()).to.be.at.least(64_000);
    });

  it("is that of a state that was left within the same second, also once the next was seen", async () => {
    const { clock, ironic, fake, view, look, lag } = scene("s");
    await look("now");
    await clock.pass(60_000);
    ironic.move(fake, "available");
    expect((await look("now")).node.provision_state).to.equal("available");
    await clock.pass(400);
    expect(ironic.provision(fake.node.uuid, "us", "active")).to.equal(undefined);
    view.expectChange();
    expect((await look("now")).node.provision_state).to.equal("deploying");
    lag(300);
    expect((await look("now")).node.provision_state).to.equal("deploying");
  });

  it("is believed after half a minute: clocks differ, and whole seconds may be equal", async () => {
    for (const how of ["now", "next"] as const) {
      const older = scene();
      await older.look("now");
      Object.assign(older.fake.node, { provision_updated_at: "2020-01-01T00:00:00+00:00" });
      expect((await older.look(how)).node.provision_updated_at, how).to.match(/^2020/);
      expect(older.clock.now(), how).to.be.within(30_000, 36_000);
      const equal = scene();
      await equal.look("now");
      equal.view.expectChange();
      expect((await equal.look(how)).node.provision_state, how).to.equal("active");
      expect(equal.clock.now(), how).to.be.within(30_000, 36_000);
    }
  });

  it("is read again until the wait is interrupted", async () => {
    const { clock, view } = scene();
    await clock.run(view.observe("now", signal));
    view.expectChange();
    for (const how of ["now", "next"] as const) {
      const interruption = new AbortController();
      void clock.sleep(2_000).then(() => interruption.abort(new Error("stop")));
      const [ended] = await clock.run(Promise.allSettled([view.observe(how, interruption.signal)]));
      expect(ended, how).to.have.nested.property("reason.message", "stop");
    }
  });

  it("costs an undisturbed look nothing", async () => {
    const { clock, ironic, fake, look, client } = scene();
    await look("now");
    await clock.pass(60_000);
    ironic.move(fake, "deploying");
    await look("now");
    await look("now");
    expect(client.requests).to.have.length(2);
  });
});
