import { expect } from "chai";
import { deploymentLabel, holderOf, isAllocated, isTaken, otherHolder } from "../../provider/node/holder.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import { settingsBy } from "../fakes/identities.ts";
import { CLAIM, type Held, nodeIn, OTHER_INSTANCE } from "../fakes/nodes.ts";

describe("the holder of a node", () => {
  const KINDS: Readonly<Record<Held, ReturnType<typeof holderOf>["kind"]>> = {
    free: "free",
    ours: "ours",
    prepared: "ours",
    unmarked: "ours",
    marked: "marked",
    "other instance": "other",
    "other marker": "other",
    "other config marker": "other",
    "unreadable marker": "other",
    "own instance, other marker": "other",
  };
  for (const [held, kind] of Object.entries(KINDS))
    it(`"${held}" is ${kind}, whatever the state`, () => {
      for (const state of ["available", "active", "deploy failed"])
        expect(holderOf(nodeIn(state, held as Held), CLAIM).kind).to.equal(kind);
    });

  it("has no marker of ours where somebody wiped it", () => {
    expect(holderOf(nodeIn("active", "unmarked"), CLAIM)).to.deep.equal({ kind: "ours", marker: undefined });
  });

  it("of a newer version's record is another, also under our instance_uuid", () => {
    const marker = { version: 2, stackId: CLAIM.stackId, resourceId: CLAIM.resourceId };
    const node = nodeIn("active", "unmarked", { extra: { [DEPLOYMENT_MARKER]: marker } });
    expect(holderOf(node, CLAIM).kind).to.equal("other");
  });

  /** A marker alone is not enough: many may write it. */
  const TAKEN: readonly [held: Held, state: string, taken: boolean][] = [
    ["ours", "active", true],
    ["prepared", "available", true],
    ["unmarked", "active", false],
    ["marked", "available", false],
    ["marked", "deleting", false],
    ["marked", "cleaning", false],
    ["marked", "active", false],
    ["marked", "deploy failed", false],
    ["free", "available", false],
    ["other instance", "active", false],
    ["other marker", "available", false],
  ];
  for (const [held, state, taken] of TAKEN)
    it(`${taken ? "has been" : "has not been"} taken by a run of ours: "${held}" in "${state}"`, () => {
      expect(isTaken(nodeIn(state, held), CLAIM)).to.equal(taken);
    });

  it("is an allocation only where that has the claim's own UUID", () => {
    for (const [allocation_uuid, allocated] of [
      [CLAIM.instanceUuid, true],
      [OTHER_INSTANCE, false],
      [null, false],
    ] as const)
      expect(isAllocated(nodeIn("active", "ours", { allocation_uuid }), CLAIM)).to.equal(allocated);
  });

  it("is named by resource and stack", () => {
    const settings = settingsBy("stack-2", "theirs");
    const named = otherHolder("BaremetalNodeConfig", { ...settings, stackName: "dev" }, "stack-1");
    for (const label of [deploymentLabel(settings), named.who])
      expect(label).to.contain('"theirs"').and.to.contain("stack-2");
    expect(named.who).to.contain("dev");
    expect([named.isSameStack, otherHolder("deployment", settings, "stack-2").isSameStack]).to.deep.equal([
      false,
      true,
    ]);
  });
});
