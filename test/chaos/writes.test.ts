import { expect } from "chai";
import { type Plan, planFor } from "../../chaos/plan.ts";
import type { Passage } from "../../chaos/proxy.ts";
import { judgeWrites } from "../../chaos/writes.ts";

const free = Array.from({ length: 6 }, (_, index) => ({ name: `node-${index}`, ready: true }));
const drawn = planFor(1, { free, foreign: [] });
const [machine] = drawn.up.machines;
if (machine === undefined) throw new Error("no machine");
const { node } = machine;

describe("the judge of writes", () => {
  const planOf = (settings: "aside" | "none", config: object): Plan => ({
    ...drawn,
    up: { machines: [{ ...machine, settings, config }] },
    update: undefined,
  });
  const write = (path: string, ops?: object[], method = "PATCH") =>
    ({ method, path, body: JSON.stringify(ops), reached: true, id: 1, at: 1 }) satisfies Passage;
  const judge = (plan: Plan, passage: Passage, body: Record<string, unknown> = {}) =>
    judgeWrites([passage], plan, new Map([[node, { body, history: [] }]]), (ident) => (ident === "u" ? node : ident));

  const address = [{ op: "replace", path: "/driver_info/redfish_address", value: "https://evil.invalid" }];
  const off = [{ op: "replace", path: "/automated_clean", value: false }];
  const disk = [{ op: "add", path: "/driver_info/force_persistent_boot_device", value: "Never" }];
  const managed = { driverInfo: { force_persistent_boot_device: "Never" }, automatedCleaning: false };
  const CASES: readonly [string, Plan, object[], Record<string, unknown>, number][] = [
    ["an address", planOf("aside", managed), address, {}, 1],
    ["all of driver_info", planOf("aside", managed), [{ op: "replace", path: "/driver_info", value: {} }], {}, 1],
    ["a key that the program manages", planOf("aside", managed), disk, {}, 0],
    ["the same key where the program names no settings", planOf("none", managed), disk, {}, 1],
    ["cleaning off where the program says so", planOf("aside", managed), off, {}, 0],
    ["cleaning off where it does not", planOf("aside", {}), off, {}, 1],
    ["cleaning off where it was off", planOf("aside", {}), off, { automated_clean: false }, 0],
    ["cleaning on", planOf("none", {}), [{ ...off[0], value: true }], {}, 0],
  ];
  for (const [title, plan, ops, before, problems] of CASES)
    it(`${problems === 0 ? "accepts" : "sees"} ${title}`, () => {
      expect(judge(plan, write("/v1/nodes/u", ops), before)).to.have.length(problems);
    });

  it("sees a write to a node that the plan does not name, whatever it writes", () => {
    const plan = planOf("aside", managed);
    expect(judge(plan, write("/v1/nodes/other/states/power", undefined, "PUT"))).to.have.length(1);
    expect(judge(plan, write("/v1/allocations", undefined, "POST"))).to.have.length(1);
    expect(judge(plan, write("/v1/nodes/other", undefined, "GET"))).to.have.length(0);
  });
});
