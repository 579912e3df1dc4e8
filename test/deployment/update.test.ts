import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { DEPLOYMENT_MARKER, deploymentMarker } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { A, B, CLEAN_FAILURES, cutRecovery, DRIVE, INPUTS, NODE, OURS, scene } from "../fakes/deployments.ts";
import { deploymentMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { WorldOptions } from "../fakes/world.ts";

describe("RamdiskDeployment: update", () => {
  const made = async (node: Partial<Node> = {}, inputs: Props = INPUTS, options: WorldOptions = {}) => {
    const w = scene(node, options);
    const first = await w.made(undefined, inputs);
    w.asked();
    return { w, first };
  };

  it("reboots once with what is new, without an undeployment", async () => {
    const { w, first } = await made({ automated_clean: true });
    const { outs } = await w.made(first, { ...INPUTS, ...B, kernelArguments: "quiet", configDrive: DRIVE });
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active", "rebuild"]);
    expect(w.fake.runs).to.deep.include({ drive: DRIVE });
    expect(w.fake.runs?.info).to.deep.include({ ...B, ramdisk_kernel_arguments: "quiet" });
    expect(outs).to.deep.include({ ...B, provisionState: "active", instanceUuid: OURS });
  });

  it("keeps its marks on what it started, where somebody changed it meanwhile and nothing can be done", async () => {
    const w = scene({ automated_clean: true });
    w.fake.fate.rebuild = "never";
    w.fault("PUT", "provision", "loseAfter");
    w.before(({ method }) => {
      if (method === "GET" && w.fake.node.provision_state === "deploying") w.fake.node.instance_info.kernel = B.kernel;
    });
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error?.message).to.match(/cannot rebuild/);
    expect(stored?.failed).to.be.a("string");
    expect(w.node()).to.include({ provision_state: "active", instance_uuid: OURS });
    expect(deploymentMarker(w.node())).to.include({ instanceUuid: OURS });
    expect(w.node().instance_info).to.deep.equal({ ...A, kernel: B.kernel });
    expect(await w.destroy(stored as Stored)).to.equal(undefined);
    expect(w.node()).to.include({ provision_state: "available", instance_uuid: null });
  });

  it("is not fooled either by its own preparation, where somebody takes the machine aside before the reboot", async () => {
    const { w, first } = await made({}, { ...INPUTS, kernelArguments: "quiet" });
    w.before(({ method }) => {
      if (method === "PUT" && w.fake.boots.length === 1 && w.fake.node.provision_state === "active" && !aside) {
        aside = true;
        w.ironic.move(w.fake, "rescue");
      }
    });
    let aside = false;
    const { error } = await w.up(first, INPUTS);
    expect(error?.message).to.match(/from the state "rescue"|while it is in state "rescue"/);
    expect(w.node().instance_info).to.include({ ramdisk_kernel_arguments: "quiet" });
    w.ironic.move(w.fake, "active");
    await w.made(first, INPUTS);
    expect(w.fake.boots).to.have.length(2);
    expect(w.fake.runs).to.deep.include({ info: A });
  });

  it("does not take a drive for running that a create never sent to the machine it had left running", async () => {
    const w = scene({ automated_clean: true });
    const kept = await w.made(undefined, {
      ...INPUTS,
      configDrive: DRIVE,
      kernelArguments: "quiet",
      onDestroy: "keep",
    });
    expect(await w.destroy(kept)).to.equal(undefined);
    w.fake.fate.rebuild = "never";
    const other = { meta_data: { name: "other" } };
    const { stored, error } = await w.up(undefined, { ...INPUTS, configDrive: other });
    expect(error?.message).to.match(/cannot rebuild/);
    w.fake.fate.rebuild = "works";
    await w.made(stored, { ...INPUTS, configDrive: other, kernelArguments: "quiet" });
    expect(w.fake.runs?.drive).to.deep.equal(other);
  });

  for (const wiped of [false, true])
    for (const refreshed of [false, true])
      it(`is not fooled by somebody who writes what is wanted into instance_info without a reboot${wiped ? ", and wipes the marker" : ""}${refreshed ? ", after a refresh" : ""}`, async () => {
        const { w, first } = await made({}, { ...INPUTS, kernelArguments: "quiet" });
        delete w.fake.node.instance_info.ramdisk_kernel_arguments;
        if (wiped) w.fake.node.extra = {};
        const stored = refreshed ? ((await w.refresh(first)) as Stored) : first;
        expect((await w.diff(stored, INPUTS)).changes).to.equal(true);
        await w.made(stored, INPUTS);
        expect(w.fake.boots).to.have.length(2);
        expect(w.fake.runs).to.deep.include({ info: A });
      });

  describe("after a run that was killed at its reboot, and an operator who took the machine aside since", () => {
    /** `fault` decides whether the reboot was begun. Nothing of the killed run gets into the state. */
    const killed = async (inputs: Props, fault: "loseBefore" | "loseAfter", history: boolean) => {
      const { w, first } = await made({}, { ...INPUTS, configDrive: DRIVE });
      w.fault("PUT", "provision", fault);
      let puts = 0;
      w.before(({ method }) => method === "PUT" && ++puts === 1 && w.call.abort());
      expect((await w.up(first, inputs)).error?.message).to.match(/^The run was interrupted/);
      await w.clock.pass(60_000);
      w.node();
      w.ironic.move(w.fake, "rescue");
      w.ironic.move(w.fake, "active");
      if (!history) w.fake.history = [];
      return { w, first };
    };
    const drive = { meta_data: { name: "other" } };
    const news = { ...INPUTS, kernelArguments: "quiet", configDrive: drive };
    for (const refreshes of [false, true])
      for (const [fault, history, boots] of [
        ["loseBefore", true, 2],
        ["loseAfter", true, 2],
        // Where Ironic keeps no such book, what was written down passes for started.
        ["loseBefore", false, 1],
        ["loseAfter", false, 2],
      ] as const)
        it(`knows from Ironic's history whether it has to come (${fault}, ${history ? "told" : "silent"}${refreshes ? ", after a refresh" : ""})`, async () => {
          const { w, first } = await killed(news, fault, history);
          const stored = refreshes ? ((await w.refresh(first)) as Stored) : first;
          expect((await w.diff(stored, news)).changes).to.equal(true);
          const mended = await w.made(stored, news);
          expect(w.fake.boots).to.have.length(boots);
          if (history) expect(w.fake.runs).to.deep.include({ drive });
          expect(await w.refresh(mended)).not.to.have.nested.property("outs.drift");
        });

    for (const [fault, boots] of [
      ["loseBefore", 1],
      ["loseAfter", 3],
    ] as const)
      it(`knows it also where the marker was wiped and the program went back (${fault})`, async () => {
        const back = { ...INPUTS, configDrive: DRIVE };
        const { w, first } = await killed({ ...INPUTS, configDrive: drive }, fault, true);
        w.fake.node.extra = {};
        await w.made(first, back);
        expect(w.fake.boots).to.have.length(boots);
        expect(w.fake.runs).to.deep.include({ drive: DRIVE });
      });
  });

  for (const [what, fault] of [
    ["refused", "overloaded"],
    ["lost before it arrived", "loseBefore"],
  ] as const)
    it(`of what never began (${what}) does not pass for done, and going back needs no reboot`, async () => {
      const { w, first } = await made({}, { ...INPUTS, configDrive: DRIVE });
      w.fake.history = [];
      const news = { ...INPUTS, kernelArguments: "quiet", configDrive: { meta_data: { name: "other" } } };
      w.fault("PUT", "provision", fault);
      let puts = 0;
      w.before(({ method }) => method === "PUT" && ++puts === 1 && w.call.abort());
      const { stored, error } = await w.up(first, news);
      expect(error?.message).to.match(/^The run was interrupted/);
      expect(w.node().instance_info).to.include({ ramdisk_kernel_arguments: "quiet" });
      await w.made(stored, { ...INPUTS, configDrive: DRIVE });
      // A worker that is lacking moves the node's clock, so that it is no longer sure what it runs.
      expect(w.fake.boots).to.have.length(fault === "overloaded" ? 2 : 1);
      expect(w.fake.runs).to.deep.include({ drive: DRIVE });
      expect(w.node().instance_info).not.to.have.property("ramdisk_kernel_arguments");
    });

  it("goes on after a lack of workers in the same run, where Ironic keeps no history", async () => {
    const { w, first } = await made();
    w.fake.history = [];
    w.fault("PUT", "provision", "overloaded", "locked");
    await w.made(first, { ...INPUTS, kernelArguments: "quiet" });
    expect(w.fake.boots).to.have.length(2);
    expect(w.client.writes.filter(({ method }) => method === "PATCH")).to.have.length(2);
  });

  it("that saw its own reboot does not ask the history for it", async () => {
    const { w, first } = await made();
    w.fault("PUT", "provision", "loseAfter");
    await w.made(first, { ...INPUTS, kernelArguments: "quiet" });
    expect(w.fake.boots).to.have.length(2);
    expect(w.asked().filter((line) => line.endsWith("/history"))).to.have.length(0);
  });

  it("takes no history that cannot be read for one that says nothing", async () => {
    const { w, first } = await made();
    Object.assign(w.node().extra.pulumi_ironic_deployment as object, { preparedAt: "2025-12-31T23:59:59+00:00" });
    w.fault("GET", "/history", ...Array.from({ length: 4 }, () => "serverError" as const));
    const { error } = await w.up(first, { ...INPUTS, timeoutSeconds: 700 });
    expect(error?.message).to.match(/Could not read the node's history/);
    await w.made(first, { ...INPUTS, timeoutSeconds: 700 });
    expect(w.fake.boots).to.have.length(1);
  });

  for (const [what, create] of [
    ["create", true],
    ["update", false],
  ] as const)
    it(`that was interrupted in its ${what} knows its own start again, though the marker was wiped`, async () => {
      const w = scene();
      const drive = { meta_data: { name: "other" } };
      const news = { ...INPUTS, configDrive: drive };
      const first = create ? undefined : await w.made(undefined, { ...INPUTS, configDrive: DRIVE });
      w.before(() => w.fake.boots.length === (create ? 1 : 2) && w.fake.due && w.call.abort());
      const { stored, error } = await w.up(first, news);
      expect(error?.message).to.match(/^The run was interrupted/);
      await w.clock.pass(60_000);
      w.node().extra = {};
      await w.made(stored, news);
      expect(w.fake.boots).to.have.length(create ? 1 : 2);
      expect(w.fake.runs).to.deep.include({ drive });
    });

  it("drops a drive that is no longer wanted, and kernel arguments", async () => {
    const { w, first } = await made({}, { ...INPUTS, configDrive: DRIVE, kernelArguments: "quiet" });
    const { outs } = await w.made(first, INPUTS);
    expect(w.fake.runs).to.deep.include({ drive: undefined, info: A });
    expect(outs).not.to.have.any.keys("driveHash", "configDrive");
    expect(w.fake.boots).to.have.length(2);
  });

  it("touches nothing for what does not concern the machine", async () => {
    const { w, first } = await made();
    const policies = {
      timeoutSeconds: 5,
      undeployTimeoutSeconds: 6,
      updateStrategy: "redeploy",
      powerPolicy: "ignore",
    };
    expect((await w.diff(first, { ...INPUTS, ...policies })).changes).to.equal(true);
    await w.made(first, { ...INPUTS, ...policies });
    expect(w.fake.boots).to.have.length(1);
    expect(w.client.writes).to.have.length(2);
  });

  it("notes on the node that it is to be kept, and no longer", async () => {
    const { w, first } = await made();
    const kept = await w.made(first, { ...INPUTS, onDestroy: "keep" });
    expect(deploymentMarker(w.node())?.keep).to.equal(true);
    await w.made(kept, INPUTS);
    expect(deploymentMarker(w.node())?.keep ?? false).to.equal(false);
    expect(w.fake.boots).to.have.length(1);
  });

  for (const fault of [
    "loseAfter",
    "loseBefore",
    "locked",
    "overloaded",
    "unavailableAfter",
    "unavailableBefore",
  ] as const)
    it(`notes it also when the note meets a fault (${fault})`, async () => {
      const { w, first } = await made();
      w.fault("PATCH", "", fault);
      const { error } = await w.up(first, { ...INPUTS, onDestroy: "keep" });
      expect(error).to.equal(undefined);
      expect(deploymentMarker(w.node())?.keep).to.equal(true);
    });

  it("goes around the fault of Ironic 39.0, and says so", async () => {
    const { w, first } = await made({ automated_clean: true });
    w.fake.fate.rebuild = "39.0";
    await w.made(first, { ...INPUTS, ...B });
    expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active", "rebuild"]);
    expect(w.fake.runs?.info).to.deep.include(B);
    expect(w.warnings().join()).to.match(/answered 500 to the rebuild .*image_source/);
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

  it("deploys again what somebody undeployed, on the same node", async () => {
    const { w, first } = await made();
    w.ironic.provision(NODE, "operator", "deleted");
    await w.clock.pass(60_000);
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs).to.include({ provisionState: "available", drift: "undeployed [drift-undeployed]" });
    expect((await w.diff(seen, INPUTS)).changes).to.equal(true);
    expect((await w.made(seen, INPUTS)).outs.provisionState).to.equal("active");
    expect(w.fake.boots).to.have.length(2);
  });

  it("writes a wiped marker back without a reboot", async () => {
    const { w, first } = await made({}, { ...INPUTS, configDrive: DRIVE });
    w.fake.node.extra = {};
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.drift).to.equal("the marker in extra was removed [drift-claim-removed]");
    const mended = await w.made(seen, { ...INPUTS, configDrive: DRIVE });
    expect(w.fake.boots).to.have.length(1);
    expect(mended.outs).not.to.have.property("drift");
    expect(deploymentMarker(w.node())?.instanceUuid).to.equal(OURS);
  });

  it("does not take a drive for running that a failed update never sent", async () => {
    const { w, first } = await made({}, { ...INPUTS, configDrive: DRIVE });
    const other = { ...INPUTS, configDrive: { meta_data: { name: "other" } } };
    w.fault("PUT", "provision", ...Array(10).fill("loseBefore"));
    const { stored } = await w.up(first, { ...other, timeoutSeconds: 5 });
    w.fake.node.extra = {};
    await w.made(stored, other);
    expect(w.fake.runs?.drive).to.deep.equal(other.configDrive);
  });

  it("refuses under maintenance and the protection of others, and touches nothing", async () => {
    for (const fields of [{ maintenance: true }, { protected: true }]) {
      const { w, first } = await made();
      Object.assign(w.fake.node, fields);
      const writes = w.client.writes.length;
      const { stored, error } = await w.up(first, { ...INPUTS, ...B });
      expect(error?.message).to.match(/maintenance|protected by somebody else/);
      expect(w.client.writes).to.have.length(writes);
      expect(stored).to.equal(first);
    }
  });

  it("lifts its own protection for the reboot, and sets it again", async () => {
    const { w, first } = await made({}, { ...INPUTS, protected: true });
    await w.made(first, { ...INPUTS, ...B, protected: true });
    expect(w.fake.runs?.info).to.deep.equal(B);
    expect(w.node().protected).to.equal(true);
  });

  it("works on the node of the state after it was renamed and its name given to another", async () => {
    const { w, first } = await made();
    w.fake.node.name = "old-worker";
    const other = w.ironic.add({ name: "worker-1" });
    const { outs } = await w.made(first, { ...INPUTS, ...B });
    expect(outs.nodeUuid).to.equal(NODE);
    expect(w.fake.boots).to.have.length(2);
    expect(other.boots).to.have.length(0);
    expect(other.node.extra).to.deep.equal({});
  });
});
