// What version 1 has written into states and onto nodes (test/fixtures/wire/v1) is gone on from without a reboot. A fixture is
// never made anew to get this green: a difference is a change of the wire.
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { allocationHandler } from "../provider/allocation/handler.ts";
import { configDriveHandler } from "../provider/config-drive/handler.ts";
import { driveHashOf } from "../provider/deployment/args.ts";
import { deploymentHandler } from "../provider/deployment/handler.ts";
import type { Place } from "../provider/http/place.ts";
import {
  type AllocationSource,
  allocationUuidFor,
  type InstanceSource,
  instanceUuidFor,
} from "../provider/node/identity.ts";
import type { InstanceInfo } from "../provider/node/instance-info.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../provider/node/marker.ts";
import type { Node } from "../provider/node/node.ts";
import { bootHashOf, saltedDriveHash } from "../provider/node/slow-hash.ts";
import { nodeConfigHandler } from "../provider/node-config/handler.ts";
import type { Handler, Props } from "../provider/plugin/handler.ts";
import { unversioned } from "../provider/plugin/state-version.ts";
import { stackIdentityHandler } from "../provider/stack/handler.ts";
import type { Allocation } from "./fakes/allocations.ts";
import { type Stored, slowHash } from "./fakes/call.ts";
import { world } from "./fakes/world.ts";

interface Fixture extends Stored {
  node?: Node;
  allocation?: Allocation;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./fixtures/wire/v1/${name}.json`, import.meta.url), "utf8"));

const fixture = (name: string): Fixture => {
  const found = read(name) as Fixture;
  expect(found.outs.version).to.equal(1);
  return { ...found, outs: unversioned(found.outs) };
};

const scene = (handler: Handler, name: string) => {
  const { node, allocation, ...stored } = fixture(name);
  const w = world(handler, { node: node ?? {} });
  if (allocation) w.client.allocations.all.push(allocation);
  const { connection } = stored.outs as { connection?: Place };
  if (connection) w.client.here = { ...connection, account: "ops" };
  return { w, stored };
};

const LATER = { writtenByALaterVersion: { kept: true } };

const HANDLERS: Readonly<Record<string, Handler>> = {
  "stack-identity": stackIdentityHandler,
  deployment: deploymentHandler,
  "node-config": nodeConfigHandler,
  "config-drive": configDriveHandler,
  allocation: allocationHandler,
};

describe("the wire, version 1", () => {
  for (const [name, handler] of Object.entries(HANDLERS))
    it(`goes on from the state of a ${name}: nothing to do, nothing to see, nothing rebooted`, async () => {
      const { w, stored } = scene(handler, name);
      const before = structuredClone(w.node());
      const renamed = { ...stored.inputs, stackName: "renamed", stackId: "other", resourceId: "x", resourceName: "y" };
      const inputs = "stackId" in stored.inputs ? renamed : stored.inputs;
      expect(await w.diff(stored, stored.inputs)).to.deep.include({ changes: false, replaces: [] });
      expect(await w.diff(stored, inputs)).to.deep.include({ changes: false, replaces: [] });
      expect(await w.refresh(stored)).to.deep.equal(stored);
      expect(w.warnings()).to.deep.equal([]);
      const again = await w.made(stored, inputs);
      expect(again.outs).to.deep.equal(stored.outs);
      expect(w.client.writes.filter(({ method }) => method !== "GET")).to.deep.equal([]);
      expect(w.node()).to.deep.equal(before);
    });

  it("gives a machine back", async () => {
    const { w, stored } = scene(deploymentHandler, "deployment");
    expect(await w.destroy(stored)).to.equal(undefined);
    expect(w.node()).to.deep.include({
      provision_state: "available",
      instance_uuid: null,
      instance_info: {},
      extra: {},
    });
  });

  it("gives settings back", async () => {
    const { w, stored } = scene(nodeConfigHandler, "node-config");
    const { previous } = stored.outs as { previous: Props };
    expect(await w.destroy(stored)).to.equal(undefined);
    expect(w.node()).to.deep.include({ ...previous, extra: {} });
  });

  it("ends an allocation", async () => {
    const { w, stored } = scene(allocationHandler, "allocation");
    expect(await w.destroy(stored)).to.equal(undefined);
    expect(w.client.allocations.all).to.deep.equal([]);
  });

  it("keeps in a record what a later version has written there", async () => {
    const { w, stored } = scene(deploymentHandler, "deployment");
    await w.made(stored, { ...stored.inputs, onDestroy: "keep" });
    expect(w.node().extra[DEPLOYMENT_MARKER]).to.deep.include({ ...LATER, keep: true });
    await w.made(stored, { ...stored.inputs, kernel: "http://images/b.kernel" });
    expect(w.node().extra[DEPLOYMENT_MARKER]).to.deep.include(LATER);

    const settings = scene(nodeConfigHandler, "node-config");
    await settings.w.made(settings.stored, { ...settings.stored.inputs, description: "another machine" });
    expect(settings.w.node().extra[CONFIG_MARKER]).to.deep.include(LATER);
  });

  it("leaves a node alone that carries a record of a newer version, and says so", async () => {
    const { w, stored } = scene(deploymentHandler, "deployment");
    Object.assign(w.node().extra[DEPLOYMENT_MARKER] as object, { version: 2 });
    const before = structuredClone(w.node());
    const { error } = await w.up(stored, { ...stored.inputs, kernel: "http://images/b.kernel" });
    expect(error?.message).to.match(/of stack \(of a newer pulumi-ironic: version 2 of its records\)/);
    expect(w.node()).to.deep.equal(before);
  });

  it("touches no state of a newer version", () => {
    expect(() => unversioned({ version: 2 })).to.throw(/has version 2; this pulumi-ironic knows only version 1/);
  });

  describe("has these hashes", () => {
    const hashes = read("hashes") as {
      instanceUuids: { from: InstanceSource; uuid: string }[];
      allocationUuids: { from: AllocationSource; uuid: string }[];
      bootHashes: { info: InstanceInfo; instanceUuid: string; hash: string }[];
      driveHashes: { configDrive: string | Props; hash: string; salted: string }[];
    };
    it("of instances, where what is absent does not count", () => {
      for (const { from, uuid } of hashes.instanceUuids) {
        expect(instanceUuidFor(from)).to.equal(uuid);
        expect(instanceUuidFor({ member: undefined, runId: undefined, ...from })).to.equal(uuid);
      }
    });
    it("of allocations", () => {
      for (const { from, uuid } of hashes.allocationUuids) expect(allocationUuidFor(from)).to.equal(uuid);
    });
    it("of what is booted, whatever a rebuild needs beside it", async () => {
      for (const { info, instanceUuid, hash } of hashes.bootHashes) {
        expect(await bootHashOf(slowHash, info, instanceUuid)).to.equal(hash);
        expect(
          await bootHashOf(slowHash, { ...info, image_source: "http://images/a.initramfs" }, instanceUuid),
        ).to.equal(hash);
      }
    });
    it("of drives", async () => {
      const instanceUuid = hashes.bootHashes[0]?.instanceUuid ?? "";
      for (const { configDrive, hash, salted } of hashes.driveHashes) {
        expect(driveHashOf(configDrive)).to.equal(hash);
        expect(await saltedDriveHash(slowHash, hash, instanceUuid)).to.equal(salted);
      }
    });
  });
});
