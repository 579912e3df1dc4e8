import { expect } from "chai";
import type { ListedClaim } from "../../provider/commands/claims.ts";
import { namedOn } from "../../provider/commands/named-nodes.ts";
import { ProblemError } from "../../provider/core/errors.ts";
import { deploymentBy } from "../fakes/identities.ts";

const claimOn = (node: string, nodeUuid: string): ListedClaim => ({
  ...deploymentBy("s1", "web"),
  kind: "deployment",
  node,
  nodeUuid,
  instanceUuid: "i1",
  provisionState: "active",
});
const ONE = claimOn("worker-1", "uuid-1");
const TWO = claimOn("worker-2", "uuid-2");
const THREE = claimOn("worker-3", "uuid-3");

describe("claims on nodes that the command line names", () => {
  it("are those of a node's name or UUID, and of no other node", () => {
    const isNamed = namedOn(["worker-1", "uuid-3"], [ONE, TWO, THREE]);
    expect([ONE, TWO, THREE].map(isNamed)).to.deep.equal([true, false, true]);
  });

  it("are none where no node is named", () => {
    expect(namedOn([], [ONE])(ONE)).to.equal(false);
  });

  it("are refused for a node without any: the first of them is named", () => {
    for (const typo of ["worker-9", "worker", "WORKER-1", ""])
      expect(() => namedOn(["worker-1", typo, "worker-8"], [ONE, TWO]), typo)
        .to.throw(
          ProblemError,
          `There is nothing to release on node ${typo}. Run the command without --release to see the claims.`,
        )
        .with.property("code", "cli-usage");
  });
});
