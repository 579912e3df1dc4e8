import { expect } from "chai";
import { deploymentMarker } from "../../provider/node/marker.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { A, B, DRIVE, INPUTS, OURS, scene } from "../fakes/deployments.ts";
import { made } from "./scene.ts";

describe("RamdiskDeployment: update", () => {
  it("keeps its marks on what it started, where somebody changed it meanwhile and nothing can be done", async () => {
    const w = scene({ automated_clean: true });
    w.fake.fate.rebuild = "never";
    w.fault("PUT", "provision", "loseAfter");
    w.before(({ method }) => {
      if (method === "GET" && w.fake.node.provision_state === "deploying") w.fake.node.instance_info.kernel = B.kernel;
    });
    const { stored, error } = await w.up(undefined, INPUTS);
    expect(error?.message).to.match(/came back with something else/);
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
});
