import { expect } from "chai";
import {
  type Decision,
  fail,
  failed,
  heldByOther,
  heldCode,
  inMaintenance,
  nodeLabel,
  stateAdvice,
  unknownState,
} from "../../provider/node/decision.ts";
import { unknownHolder } from "../../provider/node/holder.ts";
import { nodeIn } from "../fakes/nodes.ts";

const node = nodeIn("active", "free", { uuid: "u-1", name: "worker" });
const nameless = { ...node, name: null };
/** A refusal as one line. */
const textOf = (decision: Decision<never>): string =>
  decision.do === "fail" ? `${decision.problem}. ${decision.advice}. [${decision.code}]` : decision.do;

describe("what decisions say of a node", () => {
  it("is its name with its UUID; a name cannot steer a terminal", () => {
    expect(nodeLabel(node)).to.equal("worker (u-1)");
    expect(nodeLabel(nameless)).to.equal("u-1");
    expect(nodeLabel({ ...node, name: "\u001b[2J\nworker" })).to.equal("\\u001b[2J\\u000aworker (u-1)");
  });

  it("is what helps in its state, with commands that name it", () => {
    const stuck = { ...node, provision_state: "clean failed" };
    expect(stateAdvice(stuck)).to.match(/\bworker\b/);
    expect(stateAdvice({ ...stuck, name: null })).to.match(/\bu-1\b/);
    for (const advice of [stateAdvice(stuck), stateAdvice({ ...node, provision_state: "enroll" })])
      expect(advice).not.to.contain("{node}");
    expect(stateAdvice({ ...node, provision_state: "unheard of" })).to.equal("");
  });

  it("is that its state is not known here", () => {
    expect(textOf(unknownState({ ...node, provision_state: "unheard of" }))).to.equal(
      'Node worker (u-1) is in the provision state "unheard of", which this version does not know. Nothing was done. Wait until the node leaves it, or use a newer version of pulumi-ironic. [node-state-unknown]',
    );
  });

  it("is that it is in maintenance, why, what follows, and how to end it", () => {
    expect(
      textOf(inMaintenance({ ...node, maintenance_reason: "fan" }, "; it was not deployed", ", or wait")),
    ).to.equal(
      'Node worker (u-1) is in maintenance ("fan"); it was not deployed. When the work on it is done: `baremetal node maintenance unset worker`, or wait. [node-in-maintenance]',
    );
    expect(textOf(inMaintenance({ ...nameless, maintenance_reason: null }))).to.equal(
      "Node u-1 is in maintenance. When the work on it is done: `baremetal node maintenance unset u-1`. [node-in-maintenance]",
    );
  });

  it("is a cause of Ironic's only where Ironic failed", () => {
    expect(fail("node-held", "a", "b")).to.include({ do: "fail", needsCause: false });
    expect(failed("node-held", "a", "b")).to.include({ do: "fail", needsCause: true });
  });
});

describe("a node that somebody else holds", () => {
  const other = unknownHolder("i-1");
  const own = { ...other, isSameStack: true };
  const shared = { ...own, sharedStackId: "s-1" };

  it("has a code for each sort of holder; a stack id that two have comes first", () =>
    expect([other, own, shared].map(heldCode)).to.deep.equal([
      "node-held",
      "node-held-by-own-stack",
      "stack-id-shared",
    ]));

  it("is not written to, and each sort of holder has its advice", () => {
    expect(textOf(heldByOther(node, other))).to.equal(
      "Node worker (u-1) is held by instance i-1; nothing was written to it. Choose another node, or have its holder release it (`pulumi-ironic claims` lists what a stack holds). [node-held]",
    );
    expect(textOf(heldByOther(node, own))).to.contain(
      "Use one resource per node; after a rename set `aliases`. [node-held-by-own-stack]",
    );
    expect(textOf(heldByOther(node, shared))).to.match(
      /`pulumi-ironic claims --stack-id s-1` shows the stack names\. \[stack-id-shared\]$/,
    );
  });

  it("is lost where it was taken between undeploy and deploy", () => {
    const text = textOf(heldByOther(node, shared, true));
    expect(text).to.contain("was taken by instance i-1 between undeploy and deploy. It is lost to this stack");
    expect(text).to.match(/--stack-id s-1.* \[node-lost\]$/);
  });
});
