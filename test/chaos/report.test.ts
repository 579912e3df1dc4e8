import { expect } from "chai";
import { complaints, reproduction, usual } from "../../chaos/report.ts";

describe("how a run is repeated", () => {
  it("has all that its plan depends on", () => {
    expect(reproduction(7, 12)).to.equal("npm run chaos -- --seed 7 --runs 1 --nodes 12");
    const result = { seed: 7, broken: ["it"], errorsShown: [], left: [], deeds: [] };
    expect(complaints(result, 12).at(-1)).to.equal(`  again: ${reproduction(7, 12)}`);
  });

  it("names who may appear where that is not as usual", () => {
    const again = "npm run chaos -- --seed 7 --runs 1 --nodes 12";
    expect(reproduction(7, 12, usual)).to.equal(again);
    expect(reproduction(7, 12, { kinds: ["lag"], share: 1 })).to.equal(`${again} --actors lag --share 100`);
    expect(reproduction(7, 12, { kinds: [], share: 0.5 })).to.equal(`${again} --actors none`);
  });
});
