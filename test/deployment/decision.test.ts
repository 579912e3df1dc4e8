import { expect } from "chai";
import { type Attempt, newAttempt, nextMethod } from "../../provider/deployment/attempt.ts";
import { decideDeploy } from "../../provider/deployment/decision.ts";
import type { DeployWant } from "../../provider/deployment/want.ts";
import type { Node } from "../../provider/node/node.ts";
import { protectionReason } from "../../provider/node/protection.ts";
import { PROVISION_STATES } from "../../provider/node/states.ts";
import { BEFORE, CLAIM, type Held, INFO, MARK, NOW, nodeIn, STRANGERS } from "../fakes/nodes.ts";
import { COLUMNS, deploy, problemOf, type Row, WANT } from "./decided.ts";

/** What the state knows of a start that was seen to its end. */
const LAST = { bootHash: WANT.bootHash, preparedAt: BEFORE, at: NOW };
const all = (word: string): Row => [word, word, word, word, word];

/** By hand from design.md ("create", "update") and facts/ironic.md §3. */
const DEPLOY: Record<(typeof PROVISION_STATES)[number], Row> = {
  enroll: all("fail"),
  verifying: all("wait"),
  manageable: all("fail"),
  available: ["claim", "claim", "validate", "claim", "claim"],
  deploying: all("wait"),
  "wait call-back": all("wait"),
  "deploy hold": all("wait"),
  "deploy failed": ["fail", "prepare", "validate", "prepare", "fail"],
  active: ["fail", "askHistory", "rebuild", "prepare", "fail"],
  deleting: all("wait"),
  error: all("fail"),
  cleaning: all("wait"),
  "clean wait": all("wait"),
  "clean hold": all("wait"),
  "clean failed": ["fail", "fail", "fail", "fail", "noteCleanRetry"],
  inspecting: all("wait"),
  "inspect wait": all("wait"),
  "inspect failed": all("fail"),
  adopting: all("wait"),
  "adopt failed": all("fail"),
  rescuing: all("wait"),
  "rescue wait": all("wait"),
  rescue: all("fail"),
  "rescue failed": all("fail"),
  unrescuing: all("wait"),
  "unrescue failed": all("fail"),
  servicing: all("wait"),
  "service wait": all("wait"),
  "service hold": all("wait"),
  "service failed": all("fail"),
};

describe("deciding a deployment", () => {
  for (const state of PROVISION_STATES) {
    it(`in "${state}", by whose the node is`, () => {
      COLUMNS.forEach((held, column) => {
        expect(deploy(nodeIn(state, held)), held).to.equal(DEPLOY[state][column]);
      });
      for (const held of STRANGERS)
        expect(problemOf(decideDeploy(nodeIn(state, held), WANT, newAttempt())), held).to.match(
          /is held by .*; nothing/,
        );
    });
  }

  it("in a state of a newer Ironic ends in a clear sentence", () => {
    for (const held of COLUMNS)
      expect(problemOf(decideDeploy(nodeIn("levitating", held), WANT, newAttempt()))).to.match(
        /^Node worker-1 \(.*\) is in the provision state "levitating", which this version does not know\. Nothing was done/,
      );
    expect(problemOf(decideDeploy(nodeIn("levitating", "other instance"), WANT, newAttempt()))).to.contain(
      "is held by",
    );
  });

  it("treats null as available", () => expect(deploy(nodeIn(null, "free"))).to.equal("claim"));

  it("of what runs as wanted is over, whatever maintenance says", () => {
    expect(deploy(nodeIn("active", "ours", { maintenance: true }), { last: LAST })).to.equal("done");
  });

  describe("in maintenance set by others", () => {
    for (const [state, held] of [
      ["available", "free"],
      ["available", "prepared"],
      ["deploy failed", "ours"],
      ["deploy failed", "prepared"],
      ["active", "prepared"],
      ["active", "unmarked"],
    ] as const)
      it(`refuses on a node that is ${state} and ${held}`, () => {
        const node = nodeIn(state, held, { maintenance: true, maintenance_reason: "new memory" });
        expect(problemOf(decideDeploy(node, WANT, newAttempt()))).to.match(
          /is in maintenance \("new memory"\)\. .*baremetal node maintenance unset worker-1/,
        );
      });
    it("still waits where Ironic is at work", () =>
      expect(deploy(nodeIn("deploying", "ours", { maintenance: true }))).to.equal("wait"));
  });

  it("refuses a retired node with its own sentence", () => {
    for (const state of ["available", "manageable"])
      expect(problemOf(decideDeploy(nodeIn(state, "free", { retired: true }), WANT, newAttempt())), state).to.match(
        /is retired/,
      );
  });

  it("validates before the machine is touched, then deploys", () => {
    expect(deploy(nodeIn("available", "prepared"), {}, { validated: true })).to.equal("deploy");
    expect(deploy(nodeIn("deploy failed", "prepared"), {}, { validated: true })).to.equal("deploy");
  });

  it("claims again when what stands there is not what is wanted", () => {
    const others = { ...INFO, kernel: "http://images/b.kernel" };
    expect(deploy(nodeIn("available", "prepared"), { info: others })).to.equal("claim");
    expect(deploy(nodeIn("available", "prepared"), { driveHash: "other" })).to.equal("claim");
    expect(deploy(nodeIn("available", "prepared", { instance_info: { ...INFO, image_source: "x" } }))).to.equal(
      "claim",
    );
  });

  it("of its own that failed is not repeated in the same run", () => {
    const decision = decideDeploy(nodeIn("deploy failed", "ours"), WANT, {
      ...newAttempt(),
      prepared: true,
      startsSent: 1,
    });
    expect(decision).to.include({ do: "fail", needsCause: true });
    // MySQL keeps whole seconds: the failure can bear the moment at which the claim was written.
    const sameSecond = { ...newAttempt(), prepared: true, validated: true, started: true };
    expect(decideDeploy(nodeIn("deploy failed", "prepared"), WANT, sameSecond)).to.include({
      do: "fail",
      needsCause: true,
    });
  });

  it("that failed is given back by hand where nothing says whose it is", () => {
    const advice = (held: Held) => problemOf(decideDeploy(nodeIn("deploy failed", held), WANT, newAttempt()));
    expect(advice("free")).to.match(
      /is "deploy failed", but has no instance_uuid, so it is not known whose.*baremetal node undeploy/,
    );
    expect(advice("marked")).to.match(/Somebody removed it\..*baremetal node set \S+ --instance-uuid aaaaaaaa-/);
  });

  it("that was begun in this run is over when it is active, though the moment is the same", () =>
    expect(deploy(nodeIn("active", "prepared"), {}, { started: true })).to.equal("done"));

  it("names who took the node while it was being redeployed", () => {
    const attempt = { ...newAttempt("redeploy"), undeploys: 1 };
    expect(problemOf(decideDeploy(nodeIn("available", "other instance"), WANT, attempt))).to.match(
      /was taken by instance .* between undeploy and deploy\. It is lost to this stack and was not touched/,
    );
  });

  it("notices that somebody undeploys under it", () => {
    expect(problemOf(decideDeploy(nodeIn("available", "marked"), WANT, { ...newAttempt(), started: true }))).to.match(
      /was undeployed by somebody else while it was being deployed/,
    );
  });

  describe("on an active machine of ours", () => {
    const changed = { info: { ...INFO, kernel: "http://images/b.kernel" } };
    it("writes what is new, then rebuilds", () => {
      expect(deploy(nodeIn("active", "ours"), changed)).to.equal("prepare");
      expect(deploy(nodeIn("active", "ours"), { driveHash: "new" })).to.equal("prepare");
      expect(deploy(nodeIn("active", "prepared"), {})).to.equal("rebuild");
    });
    it("undeploys first where that is the way", () =>
      expect(deploy(nodeIn("active", "ours"), changed, { method: "redeploy" })).to.equal("undeploy"));
    it("puts back what stood there when no way is left, then says so", () => {
      const before = { info: {}, marker: undefined };
      expect(deploy(nodeIn("active", "prepared"), {}, { method: "none", before })).to.equal("revert");
      const after = decideDeploy(
        nodeIn("active", "ours"),
        { ...WANT, ...changed },
        { ...newAttempt("none"), prepared: true },
      );
      expect(problemOf(after)).to.match(/cannot rebuild .*Nothing was changed.*updateStrategy: "redeploy"/);
    });
    it("writes a wiped marker back when the drive is known to be the same, else reboots", () => {
      expect(deploy(nodeIn("active", "unmarked"), { last: LAST })).to.equal("writeBack");
      expect(deploy(nodeIn("active", "unmarked"), { last: undefined, ...changed })).to.equal("prepare");
      expect(deploy(nodeIn("active", "unmarked"), {}, { started: true })).to.equal("writeBack");
    });
    it("asks Ironic's history where neither the state nor this run knows whether it was started", () => {
      const recalled = (held: Held, last: Partial<DeployWant>["last"], answer: Attempt["history"]): string =>
        deploy(nodeIn("active", held), { last }, { history: answer });
      for (const [held, last, unasked, start, none, silent] of [
        // The marker says what is wanted: was that started since?
        ["ours", undefined, "askHistory", "done", "prepare", "done"],
        ["ours", { ...LAST, preparedAt: "earlier" }, "askHistory", "done", "prepare", "done"],
        ["ours", LAST, "done", "done", "done", "done"],
        // Without a marker the state says it: was anything else started since?
        ["unmarked", { ...LAST, at: "earlier" }, "askHistory", "prepare", "writeBack", "writeBack"],
        ["unmarked", LAST, "writeBack", "writeBack", "writeBack", "writeBack"],
        // Nothing was started since it was written down: no need to ask.
        ["prepared", undefined, "rebuild", "rebuild", "rebuild", "rebuild"],
        ["prepared", LAST, "rebuild", "rebuild", "rebuild", "rebuild"],
      ] as const) {
        const said = ["unasked", "start", "none", "silent"] as const;
        const decisions = said.map((answer) => recalled(held, last, answer));
        expect(decisions, `${held} ${JSON.stringify(last)}`).to.deep.equal([unasked, start, none, silent]);
      }
    });
    it("writes back what runs, without a reboot, where something else was prepared and never begun", () => {
      const next = { ...MARK, bootHash: "something else", runningBootHash: LAST.bootHash, preparedAt: NOW };
      const prepared = (marker: object, fields: Partial<Node> = {}): Node =>
        nodeIn("active", "ours", {
          instance_info: { kernel: "http://images/b.kernel" },
          extra: { pulumi_ironic_deployment: { ...next, ...marker } },
          ...fields,
        });
      expect(deploy(prepared({}), { last: LAST })).to.equal("writeBack");
      // Not sure: another start is wanted, or something was started since, or others had written there before.
      expect(deploy(prepared({}))).to.equal("prepare");
      expect(deploy(prepared({}), { last: { ...LAST, at: "earlier" } })).to.equal("prepare");
      expect(deploy(prepared({ preparedAt: BEFORE }), { last: LAST })).to.equal("prepare");
      expect(deploy(prepared({ runningBootHash: "others" }), { last: LAST })).to.equal("prepare");
      expect(deploy(prepared({ runningBootHash: undefined }), { last: LAST })).to.equal("prepare");
      // The drive that it runs with was taken off already.
      expect(deploy(prepared({}), { last: LAST, driveHash: "a drive" })).to.equal("prepare");
    });
    it("names the way back when instance_uuid was removed", () =>
      expect(problemOf(decideDeploy(nodeIn("active", "marked"), WANT, newAttempt()))).to.contain(
        `--instance-uuid ${CLAIM.instanceUuid}`,
      ));
    it("does not take an image_source that equals the ramdisk for a difference", () =>
      expect(
        deploy(nodeIn("active", "ours", { instance_info: { ...INFO, image_source: INFO.ramdisk, image_type: "x" } }), {
          last: LAST,
        }),
      ).to.equal("done"));
    it("reboots when a drive stands there that is not wanted any more", () =>
      expect(deploy(nodeIn("active", "ours", { instance_info: { ...INFO, configdrive: "******" } }))).to.equal(
        "prepare",
      ));
  });

  describe("and protection", () => {
    const protect = (held: boolean, byUs: boolean): Node => {
      return nodeIn("active", "ours", {
        protected: held,
        protected_reason: byUs ? protectionReason(CLAIM) : null,
      });
    };
    it("is set once active, and left when it is there", () => {
      expect(deploy(protect(false, false), { protected: true, last: LAST })).to.equal("protect");
      expect(deploy(protect(true, true), { protected: true, last: LAST })).to.equal("done");
      expect(deploy(protect(true, false), { protected: true, last: LAST })).to.equal("done");
    });
    it("is lifted by us only if we set it", () => {
      expect(deploy(protect(true, true), { last: LAST })).to.equal("unprotect");
      expect(deploy(protect(true, false), { last: LAST })).to.equal("done");
    });
    it("is in the way of a change: ours is lifted, another's refuses", () => {
      const changed = { info: { ...INFO, kernel: "http://images/b.kernel" } };
      expect(deploy(protect(true, true), changed)).to.equal("unprotect");
      expect(problemOf(decideDeploy(protect(true, false), { ...WANT, ...changed }, newAttempt()))).to.match(
        /protected by somebody else.*baremetal node unset worker-1 --protected/,
      );
    });
    it("is another's from when somebody writes a reason of their own, whatever the marker says", () => {
      const extra = { pulumi_ironic_deployment: { ...MARK, preparedAt: BEFORE, protected: true } };
      const theirs = nodeIn("active", "ours", { protected: true, protected_reason: "audit until May", extra });
      expect(deploy(theirs, { last: LAST })).to.equal("done");
      expect(problemOf(decideDeploy(theirs, { ...WANT, driveHash: "new" }, newAttempt()))).to.match(
        /protected by somebody else \("audit until May"\)/,
      );
    });
  });

  it("notes on the node whether the machine is to be kept", () => {
    expect(deploy(nodeIn("active", "ours"), { keep: true, last: LAST })).to.equal("markKeep");
    const extra = { pulumi_ironic_deployment: { ...MARK, preparedAt: BEFORE, keep: true } };
    expect(deploy(nodeIn("active", "ours", { extra }), { keep: true, last: LAST })).to.equal("done");
    expect(deploy(nodeIn("active", "ours", { extra }), { last: LAST })).to.equal("markKeep");
  });

  it("goes from rebuild over image_source to redeploy or to none", () => {
    const node = nodeIn("active", "ours");
    const iso = { ...WANT, info: { boot_iso: "http://images/a.iso" } };
    expect(nextMethod(node, WANT, newAttempt("rebuild"))).to.equal("rebuildWithSource");
    expect(nextMethod(node, WANT, newAttempt("rebuildWithSource"))).to.equal("none");
    expect(nextMethod({ ...node, automated_clean: false }, WANT, newAttempt("rebuildWithSource"))).to.equal("redeploy");
    expect(nextMethod(node, { ...WANT, updateStrategy: "redeploy" }, newAttempt("rebuildWithSource"))).to.equal(
      "redeploy",
    );
    expect(nextMethod(node, iso, newAttempt("rebuild"))).to.equal("none");
    expect(nextMethod({ ...node, automated_clean: false }, iso, newAttempt("rebuild"))).to.equal("redeploy");
  });
});
