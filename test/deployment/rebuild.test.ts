import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Stored } from "../fakes/call.ts";
import { A, B, CLEAN_FAILURES, cutRecovery, INPUTS } from "../fakes/deployments.ts";
import { deploymentMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { made } from "./scene.ts";

describe("RamdiskDeployment: update", () => {
  it("goes around the fault of Ironic 39.0, and says so", async () => {
    const { w, first } = await made({ automated_clean: true });
    w.fake.fate.rebuild = "39.0";
    await w.made(first, { ...INPUTS, ...B });
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active", "rebuild"]);
    expect(w.fake.runs?.info).to.deep.include(B);
    expect(w.warnings().join()).to.match(/answered 500 to the rebuild .*image_source/);
  });

  for (const ramdisk of ["0e0ed7e9-7e40-4d0a-8e55-0bd66c9ab2a8", "glance://b-initramfs"])
    it(`sets no image_source to the Glance image ${ramdisk}: a rebuild would then forget kernel and ramdisk`, async () => {
      const glance = { ...INPUTS, kernel: "glance://b-kernel", ramdisk };
      for (const automated_clean of [false, true]) {
        const { w, first } = await made({ automated_clean });
        w.fake.fate.rebuild = "39.0";
        const { error } = await w.up(first, glance);
        const booted = w.fake.boots.map(({ verb }) => verb);
        if (automated_clean) expect(error?.message).to.match(/cannot rebuild .*Nothing was changed/);
        expect(booted).to.deep.equal(automated_clean ? ["active"] : ["active", "active"]);
        expect(w.fake.runs?.info.ramdisk).to.equal(automated_clean ? A.ramdisk : ramdisk);
      }
    });

  it("never rebuilds a Glance image on an Ironic that needs image_source", async () => {
    const old = { client: { minor: 65 } };
    const glance = { ...INPUTS, kernel: "glance://a-kernel", ramdisk: "glance://a-initramfs" };
    const news = { ...glance, kernelArguments: "quiet" };
    const { w, first } = await made({}, glance, old);
    await w.made(first, news);
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active", "active"]);
    for (const isProtected of [false, true]) {
      const cleaned = await made({ automated_clean: true }, { ...glance, protected: isProtected }, old);
      const before = structuredClone(cleaned.w.node());
      const { error } = await cleaned.w.up(cleaned.first, { ...news, protected: isProtected });
      expect(error?.message).to.match(/cannot rebuild .*Nothing was changed/);
      expect(cleaned.w.node()).to.deep.equal(before);
    }
  });

  it("starts a machine no second time in a run when it came back with something else", async () => {
    const { w, first } = await made();
    w.before(() => {
      const { provision_state, instance_info } = w.fake.node;
      if (provision_state === "deploying") delete instance_info.kernel;
    });
    const { stored, error } = await w.up(first, { ...INPUTS, ...B, protected: true });
    expect(error).to.have.property("code", "node-came-back-different");
    expect(error?.message).to.match(/^Node worker-1 .* differs in kernel.*was not started a second time/);
    expect(w.fake.boots).to.have.length(2);
    // The next run is another try.
    expect((await w.diff(stored as Stored, { ...INPUTS, ...B })).changes).to.equal(true);
  });

  it("where no rebuild works: undeploys and deploys a node that does not clean", async () => {
    const { w, first } = await made();
    w.fake.fate.rebuild = "never";
    await w.made(first, { ...INPUTS, ...B });
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active", "active"]);
    expect(w.fake.runs?.info).to.deep.equal(B);
    expect(w.warnings().join()).to.contain("The update continues by undeploy and deploy");
  });

  it("where no rebuild works and the node cleans: refuses, and all is as before", async () => {
    const { w, first } = await made({ automated_clean: true });
    w.fake.fate.rebuild = "never";
    const before = structuredClone(w.node());
    const { stored, error } = await w.up(first, { ...INPUTS, ...B });
    expect(error?.message).to.match(/cannot rebuild .*Nothing was changed.*updateStrategy: "redeploy"/);
    expect(w.fake.boots).to.have.length(1);
    expect(w.node()).to.deep.equal(before);
    // What did not reach the machine is still to be done.
    expect((await w.diff(stored as Stored, { ...INPUTS, ...B })).changes).to.equal(true);
  });

  for (const [was, wanted] of [
    [true, true],
    [true, false],
    [false, true],
  ] as const)
    it(`where no rebuild works and the node cleans: refuses, and its protection is as before (${was}, ${wanted} wanted)`, async () => {
      const { w, first } = await made({ automated_clean: true }, { ...INPUTS, protected: was });
      w.fake.fate.rebuild = "never";
      const before = structuredClone(w.node());
      expect(before.protected).to.equal(was);
      const { error } = await w.up(first, { ...INPUTS, protected: wanted, ...B });
      expect(error?.message).to.match(/cannot rebuild .*Nothing was changed/);
      expect(w.node()).to.deep.equal(before);
    });

  it("redeploys with cleaning where the user chose it", async () => {
    const chosen = { ...INPUTS, updateStrategy: "redeploy" };
    const { w, first } = await made({ automated_clean: true }, chosen);
    await w.made(first, { ...chosen, ...B });
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active", "active"]);
    expect(w.clock.now()).to.be.at.least(30_000);
    // A first claim waits until nothing else waits; a node in mid-redeploy is free for anybody.
    const claims = w.client.requests.filter(({ body }) => JSON.stringify(body)?.includes("/instance_uuid"));
    expect(claims.map(({ later }) => later)).to.deep.equal([true, false]);
  });

  it("brings a node back on which the cleaning of its redeploy failed, in the same run or, cut off anywhere, in the next", async () => {
    const chosen = { ...INPUTS, updateStrategy: "redeploy" };
    for (const how of CLEAN_FAILURES) {
      let cuts = 0;
      for (let cut = 0; cut === 0 || cut === cuts + 1; cut++) {
        const { w, first } = await made({ automated_clean: true }, chosen);
        const isCut = cutRecovery(w, how, cut);
        const what = `${how}, cut off at request ${cut}`;
        const { stored, error } = await w.up(first, { ...chosen, ...B });
        if (isCut()) cuts = cut;
        if (cut === 0) expect(error, what).to.equal(undefined);
        if (error) {
          const check = deploymentHandler.check(first.outs, { ...chosen, ...B }, w.services, w.call);
          const { failures } = await w.clock.run(check);
          expect(failures, what).to.deep.equal([]);
          await w.made(stored, { ...chosen, ...B });
        }
        expect(w.fake.boots, what).to.have.length(2);
        expect(w.node(), what).to.deep.include({ provision_state: "active", automated_clean: true });
      }
      expect(cuts, how).to.be.at.least(5);
    }
  });

  it("undeploys again where the conductor died as it undeployed, in the same run or the next", async () => {
    const chosen = { ...INPUTS, updateStrategy: "redeploy" };
    for (const cut of ["same run", "next run"]) {
      const { w, first } = await made({ automated_clean: true }, chosen);
      let deaths = 0;
      w.before(() => {
        if (w.fake.node.provision_state !== "deleting" || deaths++ > 0) return;
        w.ironic.move(w.fake, "error");
        if (cut === "next run") w.call.abort();
      });
      const { stored, error } = await w.up(first, { ...chosen, ...B });
      expect(error === undefined, cut).to.equal(cut === "same run");
      if (error) {
        const check = deploymentHandler.check(first.outs, { ...chosen, ...B }, w.services, w.call);
        expect((await w.clock.run(check)).failures).to.deep.equal([]);
        await w.made(stored, { ...chosen, ...B });
      }
      expect(w.fake.boots, cut).to.have.length(2);
      expect(w.node()).to.include({ provision_state: "active" });
    }
  });

  it("is refused at preview on a node that another deployment of the stack is bringing back", async () => {
    const { w, first } = await made();
    const other = { ...deploymentMarkBy("stack-1", "other"), instanceUuid: OTHER_INSTANCE, preparedAt: null };
    w.ironic.add({ provision_state: "clean failed", extra: { [DEPLOYMENT_MARKER]: { ...other, cleanRetry: true } } });
    const check = deploymentHandler.check(first.outs, { ...INPUTS, node: "worker-2" }, w.services, w.call);
    expect((await w.clock.run(check)).failures.map(({ reason }) => reason).join()).to.match(
      /is "clean failed" and cannot be deployed from this state/,
    );
  });

  it("loses a node that somebody takes between undeployment and deployment, says so and touches nothing", async () => {
    const chosen = { ...INPUTS, updateStrategy: "redeploy" };
    const { w, first } = await made({}, chosen);
    w.before(() => {
      if (w.fake.node.provision_state === "available") w.fake.node.instance_uuid = OTHER_INSTANCE;
    });
    const { error } = await w.up(first, { ...chosen, ...B });
    expect(error?.message).to.match(/was taken by instance .* lost to this stack and was not touched/);
    expect(w.node().instance_uuid).to.equal(OTHER_INSTANCE);
    expect(w.fake.boots).to.have.length(1);
  });

  it("rebuilds once when the answer is lost, and after a crash in mid-update", async () => {
    const { w, first } = await made();
    w.fault("PUT", "provision", "loseAfter");
    const second = await w.made(first, { ...INPUTS, ...B });
    expect(w.fake.boots).to.have.length(2);
    void w.clock.sleep(2_000).then(() => w.call.abort());
    const { error } = await w.up(second, { ...INPUTS, ...A });
    expect(error?.name).to.equal("CancelledError");
    await w.made(second, { ...INPUTS, ...A });
    expect(w.fake.boots).to.have.length(3);
    expect(w.fake.runs?.info).to.deep.equal(A);
  });
});
