import { expect } from "chai";
import type { LightNode } from "../../provider/node/node.ts";
import { firstScope, nextScope, type Rows } from "../../provider/node/poll-listing.ts";
import { nodeIn } from "../fakes/nodes.ts";

const NEW: Rows = { claimed: 0, all: 0 };
const uuids = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index}`);
const seen = (...nodes: LightNode[]) => new Map(nodes.map((node) => [node.uuid, node]));

describe("the poller's listing", () => {
  const cases: [title: string, waited: string[], rows: Rows, scope: "claimed" | "all" | undefined][] = [
    ["reads one node by itself", uuids(1), NEW, undefined],
    ["reads one node by itself, however many wait for it", ["n0", "n0", "n0"], NEW, undefined],
    ["lists for two, before it knows how long the list is", uuids(2), NEW, "claimed"],
    ["reads 4 of 100 one by one", uuids(4), { claimed: 100, all: 0 }, undefined],
    ["lists for 5 of 100", uuids(5), { claimed: 100, all: 0 }, "claimed"],
    ["judges by the list that it would read", uuids(5), { claimed: 100, all: 10_000 }, "claimed"],
  ];
  for (const [title, waited, rows, scope] of cases)
    it(title, () => {
      expect(firstScope(waited, seen(), rows)).to.equal(scope);
    });

  it("lists all nodes once one of them was seen without a claim", () => {
    const free = { ...nodeIn("cleaning", "free"), uuid: "n1" };
    const ours = { ...nodeIn("deploying", "ours"), uuid: "n0" };
    expect(firstScope(uuids(3), seen(ours), NEW)).to.equal("claimed");
    expect(firstScope(uuids(3), seen(ours, free), NEW)).to.equal("all");
    expect(firstScope(uuids(3), seen(free), { claimed: 0, all: 1_000 })).to.equal(undefined);
  });

  it("follows with the list of all where many were missing among the claimed", () => {
    expect(nextScope("claimed", uuids(2), NEW)).to.equal("all");
    expect(nextScope("claimed", uuids(1), NEW)).to.equal(undefined);
    expect(nextScope("claimed", [], NEW)).to.equal(undefined);
    expect(nextScope("claimed", uuids(2), { claimed: 0, all: 100 })).to.equal(undefined);
    expect(nextScope("all", uuids(9), NEW)).to.equal(undefined);
  });
});
