// Parts of the benchmark.
import { expect } from "chai";
import { coresOf } from "../../bench/cores.ts";
import { table } from "../../bench/tables.ts";

const figures = (seconds: number) => ({
  seconds,
  activeSeconds: seconds,
  noticedMedian: 0,
  noticedP95: 0,
  requestsPerNode: 2,
  polls: 1,
  active: 1,
  errors: [],
});

describe("the benchmark's table", () => {
  it("compares within each round, so that a machine whose speed drifts does not tell", () => {
    const raw = { name: "raw", bound: "raw", rounds: [10, 20, 40].map(figures) };
    const slower = { name: "slower by a tenth", rounds: [11, 22, 44].map(figures) };
    // Medians would say 1.1 as well; with its slow rounds elsewhere they would not.
    const drifting = { name: "a tenth, but for one round", rounds: [11, 30, 44].map(figures) };
    const lines = table([raw, slower, drifting]).map((line) => line.split(/ {2,}/).slice(0, 3));
    expect(lines.slice(1)).to.deep.equal([
      ["", "s to all", "÷ raw"],
      ["raw", "20.00", "1.00"],
      ["slower by a tenth", "22.00", "1.10"],
      ["a tenth, but for one round", "30.00", "1.10"],
    ]);
  });
});

describe("the benchmark's cores", () => {
  it("are read from a list of numbers and ranges", () => {
    expect(["0", "0,1", "0,2-4,7", "3-3"].map(coresOf)).to.deep.equal([[0], [0, 1], [0, 2, 3, 4, 7], [3]]);
  });
});
