/** What Ironic's lists leave open. Whether listed claims are confirmed at all, claims-confirmed.test.ts tells. */
import { expect } from "chai";
import { isConfirmedAllocation, isConfirmedDeployment } from "../../provider/commands/confirmation.ts";
import type { ListedAllocation } from "../../provider/node/allocation-schema.ts";
import { allocationUuidFor } from "../../provider/node/identity.ts";
import { allocationBy, allocationMarkBy, deploymentMarkBy } from "../fakes/identities.ts";

const SOURCE = { ...allocationBy("s1", "any"), resourceClass: "baremetal" };
const MARK = allocationMarkBy("s1", "any");
const node = (index: number, name: string | null) => ({ uuid: `n${index}`, name, instance_uuid: null });
const NODES = [node(1, "worker-1"), node(2, null), node(3, "worker-3")];

const listed = (uuid: string, more: Partial<ListedAllocation> = {}): ListedAllocation => ({
  uuid,
  state: "active",
  node_uuid: "n1",
  extra: {},
  resource_class: "baremetal",
  ...more,
});

describe("an allocation in a list is the stack's", () => {
  type Row = [what: string, asked: object, shown: Partial<ListedAllocation>, confirmed: boolean];
  const ROWS: readonly Row[] = [
    ["where Ironic leaves out lists without entries", { traits: [], candidateNodes: [] }, {}, true],
    ["where no resource class is shown, and none was asked for", { resourceClass: "" }, { resource_class: null }, true],
    ["but not where another class was asked for", { resourceClass: "gpu" }, {}, false],
    [
      "where a candidate that was named has no name, or is in no list of nodes",
      { candidateNodes: ["worker-1", "n2", "n9"] },
      { candidate_nodes: ["n1", "n2", "n9"] },
      true,
    ],
    [
      "but not where other candidates were asked for",
      { candidateNodes: ["worker-1"] },
      { candidate_nodes: ["n1", "n3"] },
      false,
    ],
    ["but not where the order of traits is another", { traits: ["A", "B"] }, { traits: ["B", "A"] }, false],
  ];
  for (const [what, asked, shown, confirmed] of ROWS)
    it(what, () => {
      const uuid = allocationUuidFor({ ...SOURCE, ...asked });
      expect(isConfirmedAllocation(listed(uuid, shown), MARK, NODES)).to.equal(confirmed);
    });
});

describe("a deployment on an allocation", () => {
  it("is the stack's where that allocation has this very node", () => {
    const marker = { ...deploymentMarkBy("s1", "web"), instanceUuid: "a1", preparedAt: null };
    const allocated = { uuid: "n1", name: null, instance_uuid: "a1" };
    for (const [own, confirmed] of [
      [[listed("a0"), listed("a1")], true],
      [[listed("a1", { node_uuid: "n2" })], false],
      [[listed("a1", { node_uuid: null })], false],
      [[listed("a0")], false],
    ] as const)
      expect(isConfirmedDeployment(allocated, marker, own), JSON.stringify(own)).to.equal(confirmed);
  });
});
