/** Many may write `extra` of a node, who may write nothing else there. What a lie in the marker costs. */
import { expect } from "chai";
import { newAttempt } from "../../provider/deployment/attempt.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { decideRelease } from "../../provider/deployment/release-decision.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER, deploymentMarker } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { A, B, DRIVE, INPUTS, OURS, scene, untouched } from "../fakes/deployments.ts";
import { deploymentMarkBy, settingsMarkBy } from "../fakes/identities.ts";
import { CLAIM, MARK, NOW, nodeIn, OTHER_INSTANCE } from "../fakes/nodes.ts";
import { deploy, said } from "./decided.ts";
import { deployed } from "./scene.ts";

/** All of it follows from what is public: stack, resource, node. */
const FORGED = { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OURS, preparedAt: null };
const forged = (fields: Props = {}) => ({ [DEPLOYMENT_MARKER]: { ...FORGED, ...fields } });

describe("RamdiskDeployment: a forged marker", () => {
  it("makes no create touch a machine of others, nor put it into the state", async () => {
    const failed: Partial<Node> = { last_error: "agent", target_provision_state: "available" };
    const cases: readonly Partial<Node>[] = [
      { provision_state: "error", target_provision_state: "available" },
      { provision_state: "clean failed", ...failed },
      { provision_state: "clean failed", ...failed, maintenance: true, fault: "clean failure" },
      { provision_state: "manageable", last_error: "agent" },
      { provision_state: "active" },
      { provision_state: "deploy failed" },
      { provision_state: "available", maintenance: true },
    ];
    for (const fields of cases)
      for (const updateStrategy of ["rebuild", "redeploy"]) {
        const w = scene({ ...fields, extra: forged({ cleanRetry: true }) });
        w.fake.node.extra = forged({ cleanRetry: w.fake.node.provision_updated_at });
        const { stored, error } = await w.up(undefined, { ...INPUTS, updateStrategy });
        expect(error, fields.provision_state ?? "").to.have.property("code");
        expect(stored, fields.provision_state ?? "").to.equal(undefined);
        untouched(w);
      }
  });

  it("of another stack makes no destroy forget a machine that has this deployment's instance_uuid", async () => {
    for (const extra of [
      { [DEPLOYMENT_MARKER]: { ...deploymentMarkBy("stack-2", "theirs"), instanceUuid: OTHER_INSTANCE } },
      { [CONFIG_MARKER]: { ...settingsMarkBy("stack-2", "theirs"), previous: {}, written: {} } },
    ]) {
      const { w, first } = await deployed();
      w.fake.node.extra = extra;
      const error = await w.destroy(first);
      expect(error).to.have.property("code", "node-held");
      expect(error?.message).to.match(/its instance_uuid is this deployment's.*baremetal node unset/s);
      untouched(w);
    }
  });

  it("does not hide at preview that a node cannot be deployed", async () => {
    for (const provision_state of ["error", "clean failed"]) {
      const w = scene({ provision_state, target_provision_state: "available", extra: forged({ cleanRetry: true }) });
      const { failures } = await w.clock.run(
        deploymentHandler.check(undefined, { ...INPUTS, updateStrategy: "redeploy" }, w.services, w.call),
      );
      expect(failures.map(({ code }) => code)).to.include("node-state-unsuitable");
    }
  });

  it("is followed by no create without a state, though this run goes on with what it began itself", () => {
    const noted = {
      extra: { [DEPLOYMENT_MARKER]: { ...MARK, preparedAt: NOW, cleanRetry: NOW } },
      last_error: "agent",
    };
    for (const [state, after] of [
      ["clean failed", "noteCleanRetry"],
      ["manageable", "provide"],
      ["error", "undeploy"],
    ] as const) {
      const node = nodeIn(state, "marked", { ...(state === "manageable" && noted), automated_clean: false });
      expect(deploy(node, { hasState: false }), state).to.equal("fail");
      expect(deploy(node, { hasState: false }, { undeploys: 1 }), state).to.equal(after);
      expect(deploy(node), state).to.equal(after);
    }
    expect(deploy(nodeIn("error", "ours", { automated_clean: false }), { hasState: false })).to.equal("undeploy");
  });

  it("undeploys nothing without a state where instance_uuid does not confirm it", () => {
    const want = { claim: CLAIM, keep: false, knownBy: "instance" } as const;
    for (const state of ["active", "error", "deploy failed", "clean failed", "manageable", "available", "cleaning"])
      for (const keep of [true, false])
        expect(decideRelease(nodeIn(state, "marked"), { ...want, keep }, newAttempt()), state).to.deep.include({
          do: "fail",
          code: "claim-unconfirmed",
        });
    const release = (node: Node, undeploys = 0) => said(decideRelease(node, want, { ...newAttempt(), undeploys }));
    expect(release(nodeIn("active", "ours"))).to.equal("undeploy");
    const doubted = { ...want, knownBy: "marker" } as const;
    expect(decideRelease(nodeIn("active", "ours"), doubted, newAttempt())).to.include({ code: "claim-unconfirmed" });
    expect(said(decideRelease(nodeIn("active", "free"), doubted, newAttempt()))).to.equal("fail");
    // What this run undeployed has lost its instance_uuid by that.
    expect(release(nodeIn("cleaning", "marked"), 1)).to.equal("wait");
    expect(release(nodeIn("clean failed", "marked"), 1)).to.equal("noteCleanRetry");
    // A failed cleaning before that is an operator's.
    expect(release(nodeIn("clean failed", "ours"))).to.equal("unclaim");
    const named = { ...want, knownBy: "command line" } as const;
    expect(said(decideRelease(nodeIn("active", "marked"), named, newAttempt()))).to.equal("undeploy");
    expect(said(decideRelease(nodeIn("active", "other instance"), named, newAttempt()))).to.equal("warning");
  });

  it("decides nothing about keeping where there is a state", async () => {
    for (const onDestroy of ["keep", "undeploy"]) {
      const { w, first } = await deployed({}, { ...INPUTS, onDestroy });
      Object.assign(w.fake.node.extra[DEPLOYMENT_MARKER] as object, { keep: onDestroy === "undeploy" });
      expect(await w.destroy(first)).to.equal(undefined);
      expect(w.node().provision_state).to.equal(onDestroy === "keep" ? "active" : "available");
    }
  });

  const LIES: readonly [what: string, lie: Props][] = [
    ["what was booted", { bootHash: "of something else" }],
    ["the drive", { driveHash: "of something else" }],
    ["no drive", { driveHash: undefined }],
    ["what still runs", { bootHash: "of something else", runningBootHash: "of something else" }],
    ["when it was prepared", { preparedAt: "2020-01-01T00:00:00+00:00" }],
    ["an adoption", { preparedAt: "adopted", bootHash: "of something else" }],
    ["a cleaning", { cleanRetry: true }],
    ["its kind", { kind: "fleet" }],
  ];
  for (const [what, lie] of LIES)
    it(`about ${what} costs our own machine one reboot at most, and the next run none`, async () => {
      for (const next of [A, B]) {
        const inputs = { ...INPUTS, configDrive: JSON.stringify(DRIVE) };
        const { w, first } = await deployed({}, inputs);
        w.fake.node.extra[DEPLOYMENT_MARKER] = { ...deploymentMarker(w.node()), ...lie };
        const second = await w.made((await w.refresh(first)) as Stored, { ...inputs, ...next });
        expect(w.fake.boots.length, "boots").to.be.at.most(2);
        expect(w.fake.runs?.info.kernel).to.equal(next.kernel);
        expect(w.fake.runs?.drive).to.deep.equal(DRIVE);
        await w.made((await w.refresh(second)) as Stored, { ...inputs, ...next });
        expect(w.fake.boots.length, "boots, later").to.be.at.most(2);
        expect(w.node()).to.include({ provision_state: "active", instance_uuid: OURS });
      }
    });

  it("that says a reboot is still to come costs that reboot", async () => {
    const { w, first } = await deployed();
    const marker = deploymentMarker(w.node());
    w.fake.node.extra[DEPLOYMENT_MARKER] = { ...marker, preparedAt: w.node().provision_updated_at };
    await w.made((await w.refresh(first)) as Stored, INPUTS);
    expect(w.fake.boots).to.have.length(2);
  });

  it("of another instance refuses, and nothing is written", async () => {
    const { w, first } = await deployed();
    Object.assign(w.fake.node.extra[DEPLOYMENT_MARKER] as object, { instanceUuid: OTHER_INSTANCE });
    expect((await w.up(first, { ...INPUTS, ...B })).error).to.have.property("code", "node-held-by-own-stack");
    untouched(w);
  });
});
