import { expect } from "chai";
import { allocationUuidFor, identityOf, instanceUuidFor, siblingId, stackLabel } from "../../provider/node/identity.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SOURCE = { stackId: "s", resourceId: "ironic:RamdiskDeployment::w", nodeUuid: "n" };
const ASKED = { stackId: "s", resourceId: "ironic:NodeAllocation::w", resourceClass: "baremetal" };

describe("identity", () => {
  const SIBLINGS: readonly [id: string, sibling: string][] = [
    ["ironic:A::w", "ironic:B::w"],
    ["my:Cluster$ironic:A::w", "my:Cluster$ironic:B::w"],
    ["my:Farm$my:Cluster$ironic:A::w", "my:Farm$my:Cluster$ironic:B::w"],
    ["ironic:A::strange::name$x", "ironic:B::strange::name$x"],
  ];
  for (const [id, sibling] of SIBLINGS)
    it(`of another type beside ${id} is ${sibling}`, () => expect(siblingId(id, "ironic:B")).to.equal(sibling));

  it("leaves out whatever else its source holds, and a name that is not known", () => {
    const identity = { stackId: "s", resourceId: "r", resourceName: "w" };
    expect(identityOf({ ...identity, ...{ password: "x" }, stackName: undefined })).to.deep.equal(identity);
    expect(identityOf({ ...identity, stackName: "dev" })).to.deep.equal({ ...identity, stackName: "dev" });
  });

  it("names a stack by name and id, by the id alone where it has no name", () => {
    expect(stackLabel({ stackId: "s1", stackName: "dev" }))
      .to.contain("dev")
      .and.to.contain("s1");
    expect(stackLabel({ stackId: "s1", stackName: "" })).to.equal(stackLabel({ stackId: "s1" }));
  });

  it("gives a UUID that another run computes again, whatever the order of fields", () => {
    expect(instanceUuidFor(SOURCE))
      .to.match(UUID)
      .and.to.equal(instanceUuidFor({ ...SOURCE }));
    const { nodeUuid, ...rest } = SOURCE;
    expect(instanceUuidFor({ nodeUuid, ...rest, member: undefined })).to.equal(instanceUuidFor(SOURCE));
  });

  it("gives another UUID for another stack, resource, node, machine and run", () => {
    const others = [
      SOURCE,
      { ...SOURCE, stackId: "s2" },
      { ...SOURCE, resourceId: "r2" },
      { ...SOURCE, nodeUuid: "n2" },
      { ...SOURCE, member: "m" },
      { ...SOURCE, runId: "m" },
    ];
    expect(new Set(others.map(instanceUuidFor)).size).to.equal(others.length);
  });

  it("gives another allocation for whatever else is asked for", () => {
    const others = [
      ASKED,
      { ...ASKED, resourceClass: "gpu" },
      { ...ASKED, traits: ["A"] },
      { ...ASKED, candidateNodes: ["A"] },
      { ...ASKED, stackId: "s2" },
    ];
    const uuids = others.map(allocationUuidFor);
    expect(new Set(uuids).size).to.equal(others.length);
    for (const uuid of uuids) expect(uuid).to.match(UUID);
  });
});
