import { expect } from "chai";
import {
  CLEAN_RETRY_ACTIONS,
  CLEAN_RETRY_LABELS,
  type CleanRetryContext,
  isCleanRetryNoted,
  nextCleanRetry,
} from "../../provider/node/clean-retry.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import { BEFORE, CLAIM, MARK, NOW, nodeIn } from "../fakes/nodes.ts";

const marked = (state: string, cleanRetry?: true | string, fields: Partial<Node> = {}): Node =>
  nodeIn(state, "free", {
    ...(state === "manageable" && { last_error: "agent" }),
    extra: { [DEPLOYMENT_MARKER]: { ...MARK, preparedAt: BEFORE, ...(cleanRetry !== undefined && { cleanRetry }) } },
    ...fields,
  });
/** As Ironic leaves a node whose cleaning failed. */
const FAILURE = { maintenance: true, fault: "clean failure", maintenance_reason: "agent", last_error: "agent" };
/** An operator's `baremetal node clean`. */
const BY_HAND = { ...FAILURE, target_provision_state: "manageable" };
const OPERATORS = { maintenance: true, fault: null, maintenance_reason: "fan" };

/** The action; "fail", or "fail with its cause", where it cannot go on; "none" where nothing is due. */
const next = (node: Node, retries = 0): string => {
  const decision = nextCleanRetry(node, retries);
  if (decision?.do === "act") return decision.action;
  return decision?.do === "fail" ? `fail${decision.needsCause ? " with its cause" : ""}` : (decision?.do ?? "none");
};

describe("a failed cleaning", () => {
  const STEPS: readonly [what: string, node: Node, retries: number, step: string][] = [
    ["is noted first where a marker stands", marked("clean failed"), 0, "noteCleanRetry"],
    ["is begun at once where there is none", nodeIn("clean failed", "free", FAILURE), 0, "manage"],
    ["is begun once it is noted", marked("clean failed", true, FAILURE), 0, "manage"],
    ["is not repeated twice", marked("clean failed", true, FAILURE), 1, "fail with its cause"],
    ["is not repeated in the maintenance of others", marked("clean failed", true, OPERATORS), 0, "fail"],
    [
      "is not repeated where the reason of an older maintenance stands there",
      marked("clean failed", true, { ...FAILURE, maintenance_reason: "fan" }),
      0,
      "fail",
    ],
    ["is not repeated on a retired node", marked("clean failed", true, { retired: true }), 0, "fail with its cause"],
    ["has its own maintenance ended when manageable", marked("manageable", NOW, FAILURE), 0, "endMaintenance"],
    ["is cleaned again when manageable", marked("manageable", NOW), 0, "provide"],
    ["has its note completed first", marked("manageable", true), 0, "noteCleanRetry"],
    ["waits for whoever set maintenance since", marked("manageable", NOW, OPERATORS), 0, "fail"],
    ["leaves a retired node manageable", marked("manageable", NOW, { retired: true }), 0, "fail with its cause"],
    ["is none of ours where it was made manageable since", marked("manageable", BEFORE), 0, "none"],
    ["is none of ours without a note", marked("manageable"), 0, "none"],
    ["goes on without a note where this run began it", nodeIn("manageable", "free"), 1, "provide"],
    ["is none of ours where an operator's own cleaning failed", marked("clean failed", true, BY_HAND), 0, "none"],
    ["nor while this run brings the node back", marked("clean failed", true, BY_HAND), 1, "none"],
    ["nor where Ironic knows of no failure", marked("manageable", NOW, { last_error: null }), 0, "none"],
    ["nor with a note that is to be completed", marked("manageable", true, { last_error: null }), 0, "none"],
    [
      "goes on where the maintenance tells of it",
      marked("manageable", NOW, { ...FAILURE, last_error: null, maintenance_reason: null }),
      0,
      "endMaintenance",
    ],
    ["is not due in any other state", marked("available", true), 0, "none"],
    ["is not due while it cleans", marked("cleaning", true), 1, "none"],
  ];
  for (const [what, node, retries, step] of STEPS) it(what, () => expect(next(node, retries)).to.equal(step));

  it("is noted for the moment in which the node became manageable", () => {
    expect(
      ([true, NOW, BEFORE, undefined] as const).map((note) => isCleanRetryNoted(marked("manageable", note))),
    ).to.deep.equal([true, true, false, false]);
  });

  /** Carries one action out and tells what was sent, in order. */
  const carried = async (action: keyof typeof CLEAN_RETRY_ACTIONS, node: Node) => {
    const sent: string[] = [];
    const patches: PatchOp[] = [];
    const context: CleanRetryContext = {
      node,
      claim: CLAIM,
      patch: async (operations) => {
        patches.push(...operations);
        return node;
      },
      put: async (target) => {
        sent.push(target);
        return undefined;
      },
      clearMaintenance: async () => sent.push("clear"),
      accepted: (step) => sent.push(`accepted ${step}`),
    };
    await CLEAN_RETRY_ACTIONS[action](context);
    return { sent, patches };
  };

  it("is repeated by one request a step, told of once Ironic took it", async () => {
    const node = marked("manageable", NOW);
    expect((await carried("manage", node)).sent).to.deep.equal(["manage", "accepted manage"]);
    expect((await carried("provide", node)).sent).to.deep.equal(["provide", "accepted provide"]);
    expect((await carried("endMaintenance", node)).sent).to.deep.equal(["clear", "accepted endMaintenance"]);
  });

  it("is noted in the marker, which keeps what else it says", async () => {
    for (const [state, note] of [
      ["clean failed", true],
      ["manageable", NOW],
    ] as const) {
      const { sent, patches } = await carried("noteCleanRetry", marked(state, undefined));
      expect(sent).to.deep.equal([]);
      expect(patches).to.have.length(1);
      expect(patches[0]?.value).to.deep.equal({ ...MARK, preparedAt: BEFORE, cleanRetry: note });
    }
  });

  it("has a label for each step", () =>
    expect(CLEAN_RETRY_LABELS).to.have.all.keys(...Object.keys(CLEAN_RETRY_ACTIONS)));
});
