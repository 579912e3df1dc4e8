import { expect } from "chai";
import { faultKinds, schedule } from "../../chaos/faults.ts";
import { seeds } from "./seeds.ts";

describe("a chaos schedule", () => {
  it("is the same for the same seed, whatever the order in which requests come", () => {
    const keys = seeds(40).map((index) => `/v1/nodes/node-${index % 8}`);
    const ask = (order: readonly string[]) => {
      const faults = schedule(7, "up 1", 0.3);
      const met = order.map((key) => [key, faults.next("GET", key)?.kind] as const);
      return Map.groupBy(met, ([key]) => key);
    };
    const byKey = (met: ReturnType<typeof ask>) =>
      [...met].map(([key, all]) => [key, all.map(([, kind]) => kind)]).sort();
    const shuffled = [...keys].sort((a, b) => (a < b ? 1 : -1));
    expect(byKey(ask(keys))).to.deep.equal(byKey(ask(shuffled)));
  });

  it("injects every kind, never the same request more than twice in a row", () => {
    const met = new Set<string>();
    const faults = schedule(3, "up 1", 0.9);
    let inRow = 0;
    for (let nth = 0; nth < 2_000; nth++) {
      const fault = faults.next("PUT", "/v1/nodes/node-1/states/provision");
      inRow = fault ? inRow + 1 : 0;
      expect(inRow).to.be.at.most(2);
      if (fault) met.add(fault.kind);
    }
    expect([...met].sort()).to.deep.equal([...faultKinds].sort());
  });

  it("refuses reads only in ways in which reads are refused", () => {
    const faults = schedule(5, "up 1", 0.9);
    const kinds = seeds(2_000).map(() => faults.next("GET", "/v1/nodes")?.kind);
    expect(kinds).to.not.include("409 locked");
    expect(kinds).to.not.include("404 no valid host");
  });
});
