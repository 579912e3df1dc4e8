import { expect } from "chai";
import type { Client } from "../../provider/http/client.ts";
import type { LightNode, Node } from "../../provider/node/node.ts";
import { createPoller } from "../../provider/node/poller.ts";
import { createReadings } from "../../provider/node/readings.ts";
import { createView, type ViewOptions } from "../../provider/node/view.ts";
import { type FakeClient, fakeClient } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";

const { signal } = new AbortController();

const scene = (options: Partial<ViewOptions> = {}) => {
  const clock = virtualClock();
  const ironic = fakeIronic({ clock });
  const fake = ironic.add({ description: "whole" });
  const client: FakeClient = fakeClient({ ironic, clock });
  const polled: number[] = [];
  const poller = createPoller(client satisfies Client, clock, () => 0.5);
  const observed: (string | null)[] = [];
  const view = createView({
    readings: createReadings(client, clock),
    clock,
    poller: {
      ...poller,
      next: (uuid, changedAt, ended) => {
        polled.push(changedAt);
        return poller.next(uuid, changedAt, ended);
      },
    },
    initial: structuredClone(fake.node),
    operation: "read the node",
    onObserved: ({ provision_state }: Node) => observed.push(provision_state),
    ...options,
  });
  const look = (how: "now" | "next") => clock.run(view.observe(how, signal));
  return { view, look, fake, ironic, client, observed, polled, clock };
};

describe("the view of a node", () => {
  it("spares the first read, and no other", async () => {
    const { look, client, observed } = scene();
    expect((await look("now")).fresh).to.equal(true);
    expect(client.requests).to.have.length(0);
    await look("now");
    expect(client.requests).to.have.length(1);
    expect(observed).to.have.length(2);
  });

  it("reads anew where the first look is the next poll", async () => {
    const { look, client } = scene();
    expect((await look("next")).fresh).to.equal(false);
    expect((await look("now")).fresh).to.equal(true);
    expect(client.requests.map(({ query }) => query?.fields !== undefined)).to.deep.equal([true, false]);
  });

  it("lays a light look over the whole node", async () => {
    const { look, view, fake, ironic, observed } = scene();
    await look("now");
    ironic.move(fake, "deploying");
    fake.node.description = "changed";
    const { node, fresh } = await look("next");
    expect(fresh).to.equal(false);
    expect(node).to.include({ provision_state: "deploying", description: "whole" });
    expect(view.last()).to.equal(node);
    expect(observed).to.deep.equal(["available", "deploying"]);
  });

  it("reads the whole node after a poll that calls for it", async () => {
    const needsWhole = (light: LightNode, last: Node) => light.provision_state !== last.provision_state;
    const { look, fake, ironic } = scene({ needsWhole });
    await look("now");
    expect((await look("next")).fresh).to.equal(false);
    ironic.move(fake, "active");
    fake.node.description = "changed";
    const { node, fresh } = await look("next");
    expect({ fresh, description: node.description }).to.deep.equal({ fresh: true, description: "changed" });
  });

  it("polls by when the node last changed: seen, or expected after a write", async () => {
    const { look, view, fake, ironic, polled, clock } = scene();
    await look("now");
    await clock.pass(60_000);
    await look("next");
    const before = clock.now();
    ironic.move(fake, "deploying");
    view.see(structuredClone(fake.node));
    await look("next");
    await clock.pass(60_000);
    const later = clock.now();
    view.expectChange({ power_state: "power on" });
    ironic.move(fake, "active");
    expect(view.last().power_state).to.equal("power on");
    await look("next");
    expect(polled).to.deep.equal([0, before, later]);
  });
});
