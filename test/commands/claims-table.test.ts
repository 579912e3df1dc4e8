import { expect } from "chai";
import type { ListedClaim } from "../../provider/commands/claims.ts";
import { claimsTable, sharedStackIds } from "../../provider/commands/claims-table.ts";
import { allocationBy, deploymentBy } from "../fakes/identities.ts";

const CLAIM: ListedClaim = {
  ...deploymentBy("s1", "web"),
  kind: "deployment",
  node: "worker-1",
  nodeUuid: "n1",
  instanceUuid: "i1",
  provisionState: "active",
};

describe("the table of claims", () => {
  it("has columns as wide as their widest cell, and no spaces at the end of a line", () => {
    const allocation: ListedClaim = {
      ...CLAIM,
      ...allocationBy("s1", "any"),
      stackName: "dev",
      kind: "allocation",
      node: "",
      provisionState: "allocating",
      instanceUuid: "instance-2",
      known: true,
    };
    expect(claimsTable([CLAIM, allocation]).split("\n")).to.deep.equal([
      "KIND        NODE      RESOURCE  PROVISION STATE  INSTANCE    STACK     IN STATE",
      "deployment  worker-1  web       active           i1          s1        ?",
      "allocation            any       allocating       instance-2  dev (s1)  yes",
    ]);
    expect(claimsTable([{ ...CLAIM, known: false }])).to.match(/ no$/);
  });

  it("is its titles alone where there are no claims", () => {
    expect(claimsTable([])).to.equal("KIND  NODE  RESOURCE  PROVISION STATE  INSTANCE  STACK  IN STATE");
  });

  it("keeps one claim on one line, whatever others have put into a name", () => {
    const forged = { ...CLAIM, resourceName: "web\ndeployment  worker-2", stackName: "\u001b[2J", node: "\u202e1" };
    const lines = claimsTable([forged]).split("\n");
    expect(lines).to.have.length(2);
    expect(lines[1]).to.equal(
      "deployment  \\u202e1  web\\u000adeployment  worker-2  active           i1        \\u001b[2J (s1)  ?",
    );
  });
});

describe("stack ids that several stacks share", () => {
  const named = (stackId: string, stackName?: string): ListedClaim => ({ ...CLAIM, stackId, stackName });

  it("are those that stand under more than one name, the names in order", () => {
    const claims = [named("s1", "prod"), named("s2", "only"), named("s1", "dev"), named("s1", "prod"), named("s2")];
    expect(sharedStackIds(claims)).to.deep.equal([{ stackId: "s1", stackNames: ["dev", "prod"] }]);
  });

  it("are none where one name is all that is known", () => {
    expect(sharedStackIds([named("s1", "dev"), named("s1", ""), named("s1"), named("s2", "prod")])).to.deep.equal([]);
  });
});
