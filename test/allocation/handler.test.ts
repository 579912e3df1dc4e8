import { expect } from "chai";
import { allocationHandler, endAllocation } from "../../provider/allocation/handler.ts";
import { IronicError } from "../../provider/core/errors.ts";
import { fakeCall, type Stored } from "../fakes/call.ts";
import { NODE } from "../fakes/deployments.ts";
import { allocationBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { world } from "../fakes/world.ts";
import { allocated } from "./scene.ts";

const ARGS = { resourceClass: "baremetal", ...allocationBy("stack-1", "any") };
const scene = () => world(allocationHandler, { node: { resource_class: "baremetal" } as never });

describe("NodeAllocation", () => {
  it("is kept in the state when it is interrupted before Ironic's answer, and the next run finds it", async () => {
    const w = scene();
    let asked = 0;
    w.before(({ method }) => method === "POST" && asked++ === 0 && w.call.abort());
    const { stored, error } = await w.up(undefined, ARGS);
    expect(error).to.be.instanceOf(Error);
    expect(w.client.allocations.all).to.have.length(1);
    const uuid = w.client.allocations.all[0]?.uuid;
    expect(stored).to.deep.include({ id: uuid }).and.to.have.nested.property("outs.uuid", uuid);
    // Made meanwhile: what uses it must get both outputs, refreshed or not.
    w.client.allocations.read(String(uuid));
    for (const outs of [stored?.outs, ARGS])
      expect((await w.refresh({ ...(stored as Stored), outs: { ...outs } }))?.outs).to.deep.include({
        uuid,
        node: NODE,
      });
    expect((await w.made(stored, ARGS)).outs).to.deep.include({ uuid, node: NODE });
  });

  it("is kept in the state where it is not to be found after a lost answer: it may yet be made", async () => {
    const w = scene();
    w.fault("POST", "/allocations", "loseBefore");
    const { stored } = await w.up(undefined, ARGS);
    expect(stored?.outs).to.have.property("uuid", stored?.id);
    expect((await w.made(stored, ARGS)).outs).to.have.property("node", NODE);
  });

  it("is not begun, and left at once, when it is interrupted while the API version is agreed on", async () => {
    const w = scene();
    w.client.require = (_feature, _tried, signal) => w.clock.sleep(60_000, signal);
    void w.clock.sleep(2_000).then(() => w.call.abort());
    expect((await w.up(undefined, ARGS)).error).to.be.instanceOf(Error);
    expect(w.clock.now()).to.equal(2_000);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("is not in the state where Ironic refused it", async () => {
    const w = scene();
    w.fault("POST", "/allocations", "noConductor", "noConductor", "noConductor", "noConductor");
    expect((await w.up(undefined, ARGS)).stored).to.equal(undefined);
  });

  it("is kept, and waited for by the next run, where Ironic does not decide within the least time given", async () => {
    const times = [
      { timeoutSeconds: 5, customMs: undefined, ironicHangs: false },
      { timeoutSeconds: 300, customMs: 5_000, ironicHangs: false },
      { timeoutSeconds: 5, customMs: 300_000, ironicHangs: true },
    ];
    for (const { timeoutSeconds, customMs, ironicHangs } of times) {
      const w = scene();
      w.call = fakeCall(customMs);
      w.client.allocations.slowReads = Number.POSITIVE_INFINITY;
      if (ironicHangs) w.fault("GET", "/allocations", "hangBefore");
      const { stored, error } = await w.up(undefined, { ...ARGS, timeoutSeconds });
      expect(w.clock.now()).to.equal(5_000);
      expect(error?.message).to.match(
        /^Ironic did not finish the allocation .* within 5 s\. The timeout stopped Pulumi waiting; Ironic continues/,
      );
      expect(w.client.allocations.all.map(({ uuid }) => uuid)).to.deep.equal([stored?.id]);
      w.client.allocations.slowReads = 0;
      expect((await w.made(stored, ARGS)).outs).to.have.property("node", NODE);
    }
  });

  it("is asked for again where it is not known whether Ironic was asked, and made once", async () => {
    for (const fault of ["loseBefore", "loseAfter", "unavailableBefore", "unavailableAfter", "hangBefore"] as const) {
      const w = scene();
      w.fault("POST", "/allocations", fault);
      expect((await w.made(undefined, ARGS)).outs, fault).to.have.property("node", NODE);
      expect(w.client.allocations.all, fault).to.have.length(1);
    }
  });

  it("is tried again after a fault of the server, as often as the table of faults says", async () => {
    const errors = (count: number) => Array.from({ length: count }, () => "serverError" as const);
    const passing = scene();
    passing.fault("POST", "/allocations", ...errors(3));
    expect((await passing.made(undefined, ARGS)).outs).to.have.property("node", NODE);
    const lasting = scene();
    lasting.fault("POST", "/allocations", ...errors(9));
    const { stored, error } = await lasting.up(undefined, ARGS);
    expect(error).to.have.property("fault", "serverError");
    expect(stored?.id).to.be.a("string");
    expect(lasting.asked().filter((asked) => asked.startsWith("POST"))).to.have.length(4);
    const ending = allocated(allocationHandler);
    ending.fault("DELETE", "/allocations", ...errors(9));
    const end = endAllocation(OTHER_INSTANCE, ending.services, fakeCall()).catch((reason: Error) => reason);
    expect(await ending.clock.run(end)).to.have.property("fault", "serverError");
    expect(ending.clock.now()).to.equal(500 + 1_000 + 2_000);
  });

  it("is asked for again where Ironic is busy, as it asks, until the deadline", async () => {
    const w = scene();
    w.fault("POST", "/allocations", "overloaded", "overloaded");
    expect((await w.made(undefined, ARGS)).outs).to.have.property("node", NODE);
    expect(w.asked().filter((asked) => asked.startsWith("POST"))).to.have.length(3);
  });

  it("names what kept it from being made", async () => {
    const w = scene();
    w.fault("POST", "/allocations", ...Array.from({ length: 99 }, () => "unavailableBefore" as const));
    const { stored, error } = await w.up(undefined, ARGS);
    expect(error?.message).to.match(
      /within 120 s\. The last error was: .*answered 503.*The timeout stopped Pulumi waiting/,
    );
    expect(stored?.id).to.be.a("string");
    expect(w.client.allocations.all).to.deep.equal([]);
  });

  it("asks ever more rarely while it waits", async () => {
    const w = scene();
    w.client.allocations.slowReads = Number.POSITIVE_INFINITY;
    await w.up(undefined, ARGS);
    expect(w.clock.now()).to.equal(120_000);
    expect(w.asked().filter((asked) => asked.startsWith("GET /allocations/"))).to.have.length.within(10, 30);
  });

  it("is kept where Ironic fails to answer while it allocates", async () => {
    for (const fault of ["serverError", "overloaded", "loseBefore", "unreachable", "noConductor"] as const) {
      const w = scene();
      w.fault("GET", "/allocations", fault);
      const { stored, error } = await w.up(undefined, ARGS);
      expect(error, fault).to.be.instanceOf(IronicError);
      expect(w.client.allocations.all, fault).to.have.length(1);
      expect((await w.made(stored, ARGS)).outs, fault).to.have.property("node", NODE);
    }
  });

  it("ends where Ironic finds no node, and is not in the state where somebody ended it meanwhile", async () => {
    const none = scene();
    const failed = await none.up(undefined, { ...ARGS, resourceClass: "there-is-none" });
    expect(failed.error?.message).to.match(/^No node of class there-is-none could be allocated: /);
    expect(failed.stored).to.equal(undefined);
    expect(none.client.allocations.all).to.deep.equal([]);
    const ended = scene();
    ended.before(({ method }) => {
      if (method === "GET") ended.client.allocations.all.length = 0;
    });
    expect((await ended.up(undefined, ARGS)).stored).to.equal(undefined);
  });
});
