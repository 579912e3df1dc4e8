import { expect } from "chai";
import {
  type HistoryEvent,
  judgeHidden,
  judgeKnown,
  judgeLeft,
  judgeMost,
  judgeRestored,
  judgeRestoredFrom,
  judgeStarts,
  judgeUntouched,
  since,
} from "../../chaos/assertions.ts";

let serial = 0;
const event = (event_type: string, severity = "INFO"): HistoryEvent => ({
  uuid: `event-${serial++}`,
  event_type,
  event: "",
  severity,
});
const START = "deployment_start";
const END = "deployment_end";

describe("the judge of deployments", () => {
  const CASES: readonly [string, HistoryEvent[], number, boolean, number][] = [
    ["one start that ends well", [event(START), event(END)], 1, false, 0],
    ["nothing where nothing was wanted", [], 0, false, 0],
    ["none where one was wanted", [], 1, false, 1],
    ["a second start after the end", [event(START), event(END), event(START), event(END)], 1, false, 2],
    ["a start within another", [event(START), event(START), event(END)], 1, false, 2],
    [
      "a failed one that was repeated",
      [event(START), event("deploying", "ERROR"), event(START), event(END)],
      1,
      false,
      1,
    ],
    [
      "one cut off by a dead conductor",
      [event(START), event("transition", "ERROR"), event(START), event(END)],
      1,
      true,
      0,
    ],
    [
      "one that had ended when the conductor died before saying so",
      [event(START), event(END), event("transition", "ERROR"), event(START), event(END)],
      1,
      true,
      0,
    ],
    [
      "a needless second start after a conductor died",
      [event(START), event(END), event(START), event(END)],
      1,
      true,
      2,
    ],
  ];
  it("grants a reboot for each lie that was told, and no more", () => {
    const twice = [event(START), event(END), event(START), event(END)];
    expect(judgeStarts(twice, 1, false, 1)).to.deep.equal([]);
    expect(judgeStarts([event(START), event(END)], 1, false, 1)).to.deep.equal([]);
    expect(judgeStarts([...twice, event(START), event(END)], 1, false, 1)).to.have.length(2);
  });

  for (const [title, events, wanted, conductorDied, problems] of CASES)
    it(`${problems === 0 ? "accepts" : "sees"} ${title}`, () => {
      expect(judgeStarts(events, wanted, conductorDied)).to.have.length(problems);
    });

  const MOST: readonly [string, HistoryEvent[], number, boolean, number][] = [
    ["nothing where one was allowed", [], 1, false, 0],
    ["one that was cut off where one was allowed", [event(START)], 1, false, 0],
    ["one where none was allowed", [event(START), event(END)], 0, false, 1],
    ["a second one after one that was cut off", [event(START), event(START)], 1, false, 1],
    ["a failed one that was repeated", [event(START), event("deploying", "ERROR"), event(START)], 1, false, 1],
    ["one that a dead conductor cut off", [event(START), event("transition", "ERROR"), event(START)], 1, true, 0],
    ["a needless second one after a conductor died", [event(START), event(END), event(START)], 1, true, 1],
  ];
  for (const [title, events, most, conductorDied, problems] of MOST)
    it(`who asks for no success ${problems === 0 ? "accepts" : "sees"} ${title}`, () => {
      expect(judgeMost(events, most, conductorDied)).to.have.length(problems);
    });

  it("counts only what is new", () => {
    const old = [event(START), event(END)];
    const fresh = event(START);
    expect(since({ body: {}, history: old }, { body: {}, history: [...old, fresh] })).to.deep.equal([fresh]);
  });
});

describe("the judge of nodes", () => {
  const view = (body: Record<string, unknown>) => ({ body, history: [] });
  const before = view({
    updated_at: "1",
    boot_interface: "fake",
    automated_clean: null,
    properties: { capabilities: "boot_mode:uefi,rack:4" },
    extra: { asset: 1 },
  });

  it("sees any change of a node that is not ours, the time of the last change included", () => {
    expect(judgeUntouched(before, before)).to.deep.equal([]);
    expect(judgeUntouched(before, view({ ...before.body, updated_at: "2" }))).to.have.length(1);
  });

  it("wants settings back, not times", () => {
    expect(judgeRestored(before, view({ ...before.body, updated_at: "2" }))).to.deep.equal([]);
    expect(judgeRestored(before, view({ ...before.body, boot_interface: "ipxe" }))).to.have.length(1);
  });

  const marked = (stackId: string, previous: object) =>
    view({ ...before.body, boot_interface: "ipxe", extra: { asset: 1, pulumi_ironic: { stackId, previous } } });

  it("accepts what a forgotten create left, if it says truly what was there", () => {
    const previous = { boot_interface: "fake", "capabilities/rack": "4", automated_clean: null };
    expect(judgeLeft(before, marked("us", previous), "us")).to.deep.equal([]);
    expect(judgeLeft(before, marked("them", previous), "us")).to.have.length(1);
    expect(judgeLeft(before, marked("us", { boot_interface: "ipxe" }), "us")).to.have.length(1);
    expect(judgeLeft(before, view({ ...before.body, boot_interface: "ipxe" }), "us")).to.have.length(1);
  });
});

describe("the judge of what a lessee's lies leave", () => {
  const before = {
    body: { automated_clean: null, description: "a", driver_info: { address: "a" }, extra: { asset: 1 } },
    history: [],
  };
  const after = (more: object) => ({ body: { ...before.body, ...more }, history: [] });
  const tampering = { isTouched: true, isLoose: false, deploymentLies: 0 };
  const CASES: readonly [string, object, object, number][] = [
    ["a mark and a key of the lessee's", { extra: { asset: 1, pulumi_ironic: {}, lessee: 1 } }, tampering, 0],
    ["the same where nobody wrote", { extra: { asset: 1, lessee: 1 } }, { ...tampering, isTouched: false }, 1],
    ["another address", { driver_info: { address: "b" } }, { ...tampering, isLoose: true }, 1],
    ["a description where the state knew it", { description: "b" }, tampering, 1],
    ["a description where only a mark knew it", { description: "b" }, { ...tampering, isLoose: true }, 0],
    ["cleaning on where only a mark knew it", { automated_clean: true }, { ...tampering, isLoose: true }, 0],
    ["cleaning off where only a mark knew it", { automated_clean: false }, { ...tampering, isLoose: true }, 1],
  ];
  for (const [title, change, what, problems] of CASES)
    it(`${problems === 0 ? "accepts" : "sees"} ${title}`, () => {
      expect(judgeRestoredFrom(before, after(change), { ...tampering, ...what })).to.have.length(problems);
    });
});

describe("the judge of what is known", () => {
  const resource = (type: string) => ({
    urn: `urn:pulumi:s::p::pulumi-nodejs:dynamic/ironic:${type}::n`,
    type: `pulumi-nodejs:dynamic/ironic:${type}`,
  });
  const [deployment, settings] = [resource("RamdiskDeployment"), resource("BaremetalNodeConfig")];
  const free = { body: { provision_state: "available", instance_uuid: null, extra: {} }, history: [] };
  const busy = (extra: object) => ({ body: { provision_state: "active", instance_uuid: "i", extra }, history: [] });

  it("sees a machine that neither the state nor a mark of the stack knows", () => {
    const marked = (stackId: string) => busy({ pulumi_ironic_deployment: { stackId } });
    expect(judgeKnown("n", free, [], "us")).to.deep.equal([]);
    expect(judgeKnown("n", busy({}), [deployment], "us")).to.deep.equal([]);
    expect(judgeKnown("n", marked("us"), [], "us")).to.deep.equal([]);
    expect(judgeKnown("n", marked("them"), [], "us")).to.have.length(1);
    expect(judgeKnown("n", busy({}), [settings], "us")).to.have.length(1);
    expect(judgeKnown("n", busy({}), [], undefined)).to.have.length(1);
  });

  it("sees what left the state while it was hidden and not undone", () => {
    const all = [deployment, settings];
    const written = { body: { ...free.body, boot_interface: "ipxe" }, history: [] };
    expect(judgeHidden("n", [all, all], [free, busy({})])).to.deep.equal([]);
    expect(judgeHidden("n", [all, []], [free, busy({})])).to.have.length(2);
    expect(judgeHidden("n", [all, [settings]], [free, written])).to.deep.equal([]);
    expect(judgeHidden("n", [all, []], [free, written])).to.have.length(1);
    expect(judgeHidden("n", [all, []], [free, free])).to.deep.equal([]);
  });
});
