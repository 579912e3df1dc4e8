import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { unversioned, versioned } from "../../provider/plugin/state-version.ts";

describe("the version of a state", () => {
  it("is an output that handlers never see", () => {
    const outs = { nodeUuid: "n" };
    expect(versioned(outs)).to.deep.equal({ nodeUuid: "n", version: 1 });
    expect(unversioned(versioned(outs))).to.deep.equal(outs);
  });

  it("may be missing, as in a state of before", () => expect(unversioned({ a: 1 })).to.deep.equal({ a: 1 }));

  for (const version of [2, 0, "1", null])
    it(`${JSON.stringify(version)} is refused: what it means is not known`, () => {
      expect(() => unversioned({ a: 1, version })).to.throw(ProblemError);
    });
});
