import { expect } from "chai";
import type { Node } from "../../provider/node/node.ts";
import { type Started, startedOf } from "../../provider/node/started.ts";
import { BEFORE, NOW, nodeIn } from "../fakes/nodes.ts";

describe("the last known start", () => {
  const ROWS: readonly [what: string, node: Node, started: Partial<Started>][] = [
    ["is that of a machine that runs since its marker", nodeIn("active", "ours"), { preparedAt: BEFORE, at: NOW }],
    [
      "is not yet known where the marker is as young as the state",
      nodeIn("active", "prepared"),
      { preparedAt: NOW, at: null },
    ],
    ["is not known while it deploys", nodeIn("deploying", "ours"), { preparedAt: BEFORE, at: null }],
    ["is not known after it failed", nodeIn("deploy failed", "ours"), { preparedAt: BEFORE, at: null }],
    ["has no preparation where the marker was wiped", nodeIn("active", "unmarked"), { preparedAt: null, at: NOW }],
    [
      "has no moment where Ironic knows none",
      nodeIn("active", "ours", { provision_updated_at: null }),
      { preparedAt: BEFORE, at: null },
    ],
  ];
  for (const [what, node, started] of ROWS)
    it(what, () => expect(startedOf(node, "hash")).to.deep.equal({ bootHash: "hash", ...started }));
});
