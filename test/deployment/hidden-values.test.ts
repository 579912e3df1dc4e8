import { scryptSync } from "node:crypto";
import { expect } from "chai";
import { parseDeployment } from "../../provider/deployment/args.ts";
import { shows } from "../../provider/node/instance-info.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Stored } from "../fakes/call.ts";
import { A, INPUTS, scene } from "../fakes/deployments.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";

describe("RamdiskDeployment: what Ironic takes for a secret and hides", () => {
  const secret = (token: string) => ({ ...INPUTS, kernelArguments: `console=ttyS0 k3s.token=${token} quiet` });

  it("is deployed once, is no drift, and is updated where it changes", async () => {
    const w = scene();
    const first = await w.made(undefined, secret("one"));
    expect(w.client.writes.map(({ method }) => method)).to.deep.equal(["PATCH", "PUT"]);
    expect(w.fake.runs?.info).to.have.property("ramdisk_kernel_arguments", "console=ttyS0 k3s.token=one quiet");
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.drift).to.equal(undefined);
    expect(seen.outs.kernelArguments).to.equal(secret("one").kernelArguments);
    expect((await w.diff(seen, secret("one"))).changes).to.equal(false);
    await w.made(seen, secret("one"));
    expect(w.fake.boots).to.have.length(1);
    const second = await w.made(seen, secret("two"));
    expect(w.fake.runs?.info).to.have.property("ramdisk_kernel_arguments", "console=ttyS0 k3s.token=two quiet");
    expect(w.fake.boots).to.have.length(2);
    expect((await w.refresh(second))?.outs.drift).to.equal(undefined);
  });

  it("stands on the node beside it only in a hash that is slow to guess, and another one for each deployment", async () => {
    const marks = new Set<string>();
    for (const resourceId of ["ironic:RamdiskDeployment::worker", "ironic:RamdiskDeployment::other"]) {
      const w = scene();
      const { outs } = await w.made(undefined, { ...secret("one"), resourceId });
      const content = JSON.stringify({
        kernel: A.kernel,
        kernelArguments: secret("one").kernelArguments,
        ramdisk: A.ramdisk,
      });
      const cost = { N: 4_096, r: 8 };
      const hash = scryptSync(`pulumi-ironic/1/boot\n${content}`, String(outs.instanceUuid), 8, cost).toString("hex");
      const mark = w.node().extra[DEPLOYMENT_MARKER] as { bootHash: string };
      expect(mark.bootHash).to.equal(hash);
      const { bootHash: _, instanceUuid: _uuid, ...rest } = { ...mark, instanceUuid: "" };
      expect(JSON.stringify(rest)).not.to.match(/[0-9a-f]{16}|one quiet/);
      marks.add(hash);
    }
    expect(marks.size).to.equal(2);
  });

  it("is put back as the state knows it, never as Ironic shows it", async () => {
    const w = scene({ automated_clean: true });
    const first = await w.made(undefined, secret("one"));
    w.fake.fate.rebuild = "never";
    const { stored, error } = await w.up(first, secret("two"));
    expect(error?.message).to.contain("cannot rebuild");
    expect(w.fake.node.instance_info).to.have.property("ramdisk_kernel_arguments", secret("one").kernelArguments);
    expect((await w.refresh(stored as Stored))?.outs.drift).to.equal(undefined);
    expect(w.fake.boots).to.have.length(1);
  });

  it("is put back where only what is new has a secret", async () => {
    const w = scene({ automated_clean: true });
    const first = await w.made(undefined, { ...INPUTS, kernelArguments: "quiet" });
    w.fake.fate.rebuild = "never";
    await w.up(first, secret("two"));
    expect(w.fake.node.instance_info).to.have.property("ramdisk_kernel_arguments", "quiet");
  });

  it("is changed also on a machine that was adopted", async () => {
    const info = { ...A, ramdisk_kernel_arguments: secret("one").kernelArguments };
    const running = { provision_state: "active", instance_uuid: OTHER_INSTANCE, instance_info: info };
    const w = scene({ ...running, power_state: "power on" });
    const first = await w.made(undefined, { ...secret("one"), adopt: OTHER_INSTANCE });
    const boots = w.fake.boots.length;
    await w.made(first, { ...secret("two"), adopt: OTHER_INSTANCE });
    expect(w.fake.node.instance_info).to.have.property("ramdisk_kernel_arguments", secret("two").kernelArguments);
    expect(w.fake.boots).to.have.length(boots + 1);
  });

  it("is refused as Ironic shows it", () => {
    const parsed = parseDeployment(secret("******"));
    const failures = parsed.kind === "failed" ? parsed.failures : [];
    expect(failures).to.have.nested.property("[0].path", "kernelArguments");
  });

  it("is told from what Ironic shows, be it cut between quotes", () => {
    expect(shows('conf={"token":"******","x":"} quiet', 'conf={"token":"abc","x":"y"} quiet')).to.equal(true);
    expect(shows("a token=****** b", "a token=1 b")).to.equal(true);
    expect(shows("a token=****** b", "a token=1 c")).to.equal(false);
    expect(shows("a.b", "axb")).to.equal(false);
  });

  it("is drift where the rest of it was changed", async () => {
    const w = scene();
    const first = await w.made(undefined, secret("one"));
    w.fake.node.instance_info = { ...w.fake.node.instance_info, ramdisk_kernel_arguments: "k3s.token=one verbose" };
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.kernelArguments).to.equal("k3s.token=****** verbose");
    expect((await w.diff(seen, secret("one"))).changes).to.equal(true);
  });
});
