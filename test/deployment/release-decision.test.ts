import { expect } from "chai";
import { type Attempt, newAttempt } from "../../provider/deployment/attempt.ts";
import { decideRelease } from "../../provider/deployment/release-decision.ts";
import type { ReleaseWant } from "../../provider/deployment/want.ts";
import type { Node } from "../../provider/node/node.ts";
import { protectionReason } from "../../provider/node/protection.ts";
import { isVacant, PROVISION_STATES } from "../../provider/node/states.ts";
import { BEFORE, CLAIM, MARK, NOW, nodeIn, OTHER_INSTANCE, STRANGERS } from "../fakes/nodes.ts";
import { COLUMNS, deploy, problemOf, type Row, said } from "./decided.ts";

const RELEASE: ReleaseWant = { claim: CLAIM, keep: false, knownBy: "state" };
const release = (node: Node, want: Partial<ReleaseWant> = {}, attempt: Partial<Attempt> = {}): string =>
  said(decideRelease(node, { ...RELEASE, ...want }, { ...newAttempt(), ...attempt }));

const gone = (word: string): Row => ["done", word, word, word, word];
const running: Row = ["fail", "undeploy", "undeploy", "undeploy", "fail"];

/** By hand from design.md's "destroy, by what is found". */
const DESTROY: Record<(typeof PROVISION_STATES)[number], Row> = {
  enroll: gone("unclaim"),
  verifying: gone("wait"),
  manageable: gone("unclaim"),
  available: gone("unclaim"),
  deploying: gone("wait"),
  "wait call-back": running,
  "deploy hold": gone("wait"),
  "deploy failed": running,
  active: running,
  deleting: gone("wait"),
  error: gone("undeploy"),
  cleaning: gone("wait"),
  "clean wait": gone("wait"),
  "clean hold": gone("wait"),
  "clean failed": ["done", "noteCleanRetry", "noteCleanRetry", "manage", "noteCleanRetry"],
  inspecting: gone("wait"),
  "inspect wait": gone("wait"),
  "inspect failed": gone("unclaim"),
  adopting: gone("wait"),
  "adopt failed": gone("unclaim"),
  rescuing: gone("wait"),
  "rescue wait": running,
  rescue: running,
  "rescue failed": running,
  unrescuing: gone("wait"),
  "unrescue failed": running,
  servicing: gone("wait"),
  "service wait": running,
  "service hold": gone("wait"),
  "service failed": running,
};

const MOVING = [
  "verifying",
  "deploying",
  "wait call-back",
  "deleting",
  "cleaning",
  "clean wait",
  "inspecting",
  "inspect wait",
  "adopting",
  "rescuing",
  "rescue wait",
  "unrescuing",
  "servicing",
  "service wait",
];
/** An operator holds them. */
const HOLDS = ["deploy hold", "clean hold", "service hold"];

describe("deciding a release", () => {
  for (const state of PROVISION_STATES) {
    it(`in "${state}", by whose the node is`, () => {
      COLUMNS.forEach((held, column) => {
        expect(release(nodeIn(state, held)), held).to.equal(DESTROY[state][column]);
        const word = DESTROY[state][column];
        for (const automated_clean of [null, true, false]) {
          const busy = nodeIn(state, held, { maintenance: true, automated_clean });
          // Its cleaning cannot be repeated then, nor may a cleaning begin.
          const blocked = word === "undeploy" ? automated_clean !== false : state === "clean failed" && word !== "done";
          expect(release(busy), `${held}, in maintenance, cleaning ${automated_clean}`).to.equal(
            blocked ? "fail" : word,
          );
        }
      });
      for (const held of STRANGERS) {
        const node = nodeIn(state, held);
        const decision = decideRelease(node, RELEASE, newAttempt());
        // A marker alone, which others may write, does not make a machine be forgotten.
        if (node.instance_uuid === CLAIM.instanceUuid && !isVacant(node)) {
          expect(problemOf(decision), held).to.match(/markers of node .* but its instance_uuid is this deployment's/);
          continue;
        }
        expect(decision, held)
          .to.have.property("warning")
          .that.has.property("text")
          .that.matches(/is held by .*nothing was written/);
      }
    });

    it(`in "${state}", when the machine is to be kept`, () => {
      const running = { keep: true };
      expect(release(nodeIn(state, "free"), running)).to.equal("done");
      const patchable = !MOVING.includes(state) && !HOLDS.includes(state);
      const word = release(nodeIn(state, "ours"), running);
      // What never ran is not kept.
      const given = DESTROY[state][COLUMNS.indexOf("ours")];
      expect(word).to.equal(given === "unclaim" || given === "noteCleanRetry" ? given : patchable ? "unmark" : "wait");
    });
  }

  it("in a state of a newer Ironic ends in a clear sentence", () => {
    for (const held of ["ours", "unmarked", "marked"] as const)
      expect(problemOf(decideRelease(nodeIn("levitating", held), RELEASE, newAttempt()))).to.match(
        /"levitating", which this version does not know/,
      );
    expect(release(nodeIn("levitating", "other instance"))).to.equal("warning");
  });

  it("says in maintenance what would clean the node, and both ways on", () => {
    const faults = [{}, { fault: "power failure" }, { fault: "clean failure", last_error: "agent" }];
    for (const fields of faults) {
      const node = nodeIn("active", "ours", { maintenance: true, maintenance_reason: "fan", ...fields });
      expect(problemOf(decideRelease(node, RELEASE, newAttempt()))).to.match(
        /is in maintenance \("fan"\), and undeploying it would clean it.*Nothing was done.*maintenance unset worker-1`.*--no-automated-clean/,
      );
      expect(release({ ...node, automated_clean: false })).to.equal("undeploy");
      expect(release({ ...node, protected: true, protected_reason: protectionReason(CLAIM) })).to.equal("fail");
      expect(release({ ...node, provision_state: "error" }), "error").to.equal("fail");
    }
  });

  it("goes on in the maintenance that a failed cleaning set", () => {
    const own = { maintenance: true, fault: "clean failure", maintenance_reason: "agent", last_error: "agent" };
    expect(release(nodeIn("active", "ours", own))).to.equal("undeploy");
  });

  it("refuses a running machine whose instance_uuid is gone, and names both ways out", () => {
    expect(problemOf(decideRelease(nodeIn("active", "marked"), RELEASE, newAttempt()))).to.match(
      /its instance_uuid was removed.*Nothing was written.*`pulumi destroy`.*`pulumi state delete`/,
    );
  });

  it("lifts our protection, and refuses another's", () => {
    const ours = { protected: true, protected_reason: protectionReason(CLAIM) };
    expect(release(nodeIn("active", "ours", ours))).to.equal("unprotect");
    // Also where somebody wiped the marker.
    expect(release(nodeIn("active", "unmarked", ours))).to.equal("unprotect");
    expect(problemOf(decideRelease(nodeIn("active", "ours", { protected: true }), RELEASE, newAttempt()))).to.match(
      /protected by somebody else/,
    );
  });

  it("never lifts a protection that only the marker calls ours", () => {
    const extra = { pulumi_ironic_deployment: { ...MARK, preparedAt: BEFORE, protected: true } };
    for (const protected_reason of [null, "audit", `pulumi-ironic: worker (${OTHER_INSTANCE})`])
      expect(release(nodeIn("active", "ours", { protected: true, protected_reason, extra }))).to.equal("fail");
  });

  it("goes on where our undeployment has begun, though both signs are gone", () => {
    expect(release(nodeIn("cleaning", "free"), {}, { undeploys: 1 })).to.equal("wait");
    expect(release(nodeIn("clean failed", "free"), {}, { undeploys: 1 })).to.equal("manage");
    expect(release(nodeIn("available", "free"), {}, { undeploys: 1 })).to.equal("done");
  });

  it("undeploys again where a redeploy ended in a failed undeployment, twice at most and never to clean unasked", () => {
    for (const held of ["ours", "marked"] as const) {
      const unclean = nodeIn("error", held, { automated_clean: false });
      const chosen = { updateStrategy: "redeploy" } as const;
      expect(deploy(unclean)).to.equal("undeploy");
      expect(deploy(nodeIn("error", held), chosen)).to.equal("undeploy");
      expect(deploy(nodeIn("error", held), chosen, { undeploys: 1 })).to.equal("undeploy");
      expect(deploy(nodeIn("error", held), chosen, { undeploys: 2 })).to.equal("fail");
      expect(deploy(nodeIn("error", held, { maintenance: true }), chosen)).to.equal("fail");
      expect(deploy(nodeIn("error", held, { protected: true }), chosen)).to.equal("fail");
    }
    for (const held of ["free", "unmarked"] as const)
      expect(deploy(nodeIn("error", held), { updateStrategy: "redeploy" })).to.equal("fail");
  });

  it("undeploys twice and no more", () => {
    expect(release(nodeIn("error", "marked"), {}, { undeploys: 1 })).to.equal("undeploy");
    expect(decideRelease(nodeIn("error", "marked"), RELEASE, { ...newAttempt(), undeploys: 2 })).to.include({
      do: "fail",
      needsCause: true,
    });
  });

  describe("brings a failed cleaning back once", () => {
    const failure = "erase_devices failed";
    const own: Partial<Node> = {
      maintenance: true,
      fault: "clean failure",
      maintenance_reason: failure,
      last_error: failure,
    };
    const again = { cleanRetries: 1 };
    const noted = (cleanRetry: string | true) => ({
      last_error: failure,
      extra: { pulumi_ironic_deployment: { ...MARK, preparedAt: BEFORE, cleanRetry } },
    });
    it("by manage, the end of its own maintenance, provide", () => {
      expect(release(nodeIn("clean failed", "marked", own))).to.equal("noteCleanRetry");
      expect(release(nodeIn("clean failed", "marked", { ...own, ...noted(true) }))).to.equal("manage");
      expect(release(nodeIn("manageable", "marked", { ...own, ...noted(true) }), {}, again)).to.equal("noteCleanRetry");
      expect(release(nodeIn("manageable", "marked", own), {}, again)).to.equal("endMaintenance");
      expect(release(nodeIn("manageable", "marked"), {}, again)).to.equal("provide");
      expect(release(nodeIn("cleaning", "marked"), {}, again)).to.equal("wait");
      expect(release(nodeIn("available", "marked"), {}, again)).to.equal("unclaim");
    });
    it("also where a run before had begun that, be it to stay or to be deployed anew", () => {
      const node = nodeIn("manageable", "marked", noted(NOW));
      expect(release(node)).to.equal("provide");
      expect(deploy(node)).to.equal("provide");
      expect(release(node, { keep: true })).to.equal("provide");
      expect(release(nodeIn("manageable", "ours", noted(NOW)))).to.equal("provide");
      expect(release(nodeIn("manageable", "marked", { ...own, ...noted(NOW) }))).to.equal("endMaintenance");
      expect(release(nodeIn("manageable", "marked", noted(true)))).to.equal("noteCleanRetry");
      expect(release(nodeIn("clean failed", "marked", own), { keep: true })).to.equal("noteCleanRetry");
    });
    it("never where somebody made the node manageable since", () => {
      const cases: Partial<Node>[] = [
        {},
        own,
        noted(BEFORE),
        { ...noted(BEFORE), ...own },
        { ...noted(NOW), last_error: null },
      ];
      for (const fields of cases) {
        expect(release(nodeIn("manageable", "marked", fields))).to.equal("unclaim");
        expect(deploy(nodeIn("manageable", "marked", fields))).to.equal("fail");
      }
    });
    it("never where an operator's own cleaning failed: what is left is theirs", () => {
      for (const fields of [{}, own, { ...own, ...noted(true) }])
        for (const held of ["ours", "marked"] as const) {
          const node = nodeIn("clean failed", held, { ...fields, target_provision_state: "manageable" });
          expect(release(node)).to.equal("unclaim");
          expect(release(node, {}, { undeploys: 1 })).to.equal("unclaim");
          expect(deploy(node)).to.equal("fail");
        }
    });
    it("and then gives up with the cause", () =>
      expect(decideRelease(nodeIn("clean failed", "marked", own), RELEASE, { ...newAttempt(), ...again })).to.include({
        do: "fail",
        needsCause: true,
      }));
    it("never by ending a maintenance that others set", () => {
      const others = [
        { maintenance: true },
        { maintenance: true, fault: "power failure" },
        // Ironic overwrites the fault, but not the reason, of a node that was in maintenance already.
        { ...own, maintenance_reason: "new memory" },
      ];
      for (const fields of others)
        expect(
          problemOf(decideRelease(nodeIn("manageable", "marked", fields), RELEASE, { ...newAttempt(), ...again })),
        ).to.match(/in maintenance that somebody else set/);
    });
    it("nor on a retired node, which stays manageable", () =>
      expect(release(nodeIn("manageable", "marked", { retired: true }), {}, again)).to.equal("unclaim"));
  });

  it("knows nothing of the moment at which the marker was written", () => expect(NOW).not.to.equal(BEFORE));
});
