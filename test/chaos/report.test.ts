import { expect } from "chai";
import { complaints, reproduction } from "../../chaos/report.ts";

describe("how a run is repeated", () => {
  it("has all that its plan depends on", () => {
    expect(reproduction(7, 12)).to.equal("npm run chaos -- --seed 7 --runs 1 --nodes 12");
    const result = { seed: 7, broken: ["it"], errorsShown: [], left: [] };
    expect(complaints(result, 12).at(-1)).to.equal(`  again: ${reproduction(7, 12)}`);
  });
});
