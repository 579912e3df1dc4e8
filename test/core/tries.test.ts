import { expect } from "chai";
import { IronicError } from "../../provider/core/errors.ts";
import { FAULTS, type Fault, faultRow } from "../../provider/core/faults.ts";
import { countTries, pausesMs } from "../../provider/core/tries.ts";

const errorOf = (fault: Fault): IronicError =>
  new IronicError({ fault, operation: "test", request: "GET /", detail: "" });

describe("tries", () => {
  for (const fault of Object.keys(FAULTS) as Fault[]) {
    const { again } = faultRow(fault);
    const allowed = again === "stop" ? 0 : again;
    it(`are allowed after "${fault}" ${allowed} times in a row`, () => {
      const tries = countTries();
      const most = Math.min(allowed, 100);
      for (let count = 0; count < most; count++) expect(tries.allowAfter(errorOf(fault)), `${count}`).to.equal(true);
      if (Number.isFinite(allowed)) expect(tries.allowAfter(errorOf(fault))).to.equal(false);
    });
  }

  it("double their pauses up to ten seconds, and begin anew for each who waits", () => {
    const first = (count: number): number[] => {
      const pauses = pausesMs();
      return Array.from({ length: count }, () => pauses.next().value);
    };
    expect(first(7)).to.deep.equal([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(first(1)).to.deep.equal([500]);
  });
});
