import { expect } from "chai";
import { claimPatch, unclaimPatch, unmarkPatch } from "../../provider/node/claim-patches.ts";
import { holderOf } from "../../provider/node/holder.ts";
import { instanceUuidFor } from "../../provider/node/identity.ts";
import { infoMatches } from "../../provider/node/instance-info.ts";
import { configMarker, type DeploymentMarker, deploymentMarker } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { saltedDriveHash } from "../../provider/node/slow-hash.ts";
import { slowHash } from "../fakes/call.ts";
import { deploymentBy, settingsMarkBy } from "../fakes/identities.ts";
import { applyPatch } from "../fakes/node-rules.ts";
import { CLAIM, type Held, INFO, MARK, NOW, nodeIn, OTHER_INSTANCE } from "../fakes/nodes.ts";

const MARKER: DeploymentMarker = { ...MARK, preparedAt: NOW };

const patched = (node: Node, ops: Parameters<typeof applyPatch>[1]): Node => {
  const copy = structuredClone(node);
  expect(applyPatch(copy, ops)).to.equal(undefined);
  return copy;
};

describe("a claim", () => {
  it("is seen from both of its signs", () => {
    const kinds: Record<Held, string> = {
      free: "free",
      ours: "ours",
      prepared: "ours",
      unmarked: "ours",
      marked: "marked",
      "other instance": "other",
      "other marker": "other",
      "other config marker": "other",
      "unreadable marker": "other",
      "own instance, other marker": "other",
    };
    for (const [held, kind] of Object.entries(kinds))
      expect(holderOf(nodeIn("active", held as Held), CLAIM).kind, held).to.equal(kind);
  });

  it("of another resource of the same stack is another's", () => {
    const node = nodeIn("active", "ours");
    const second = { ...CLAIM, ...deploymentBy("stack-1", "second"), instanceUuid: OTHER_INSTANCE };
    expect(holderOf(node, second)).to.deep.include({ kind: "other", who: 'deployment "worker" of this same stack' });
  });

  it("names the holder for a person", () => {
    const who = (held: Held) => {
      const holder = holderOf(nodeIn("active", held), CLAIM);
      return holder.kind === "other" ? holder.who : "";
    };
    expect(who("other instance")).to.equal(`instance ${OTHER_INSTANCE}`);
    expect(who("other marker")).to.equal('deployment "theirs" of stack stack-2');
    expect(who("other config marker")).to.equal('BaremetalNodeConfig "theirs" of stack stack-2');
    expect(who("own instance, other marker")).to.equal('deployment "theirs" of stack stack-2');
  });

  it("is the same for the same stack, resource and node, and a UUID", () => {
    const uuid = (stackId: string, resourceId: string, nodeUuid: string) =>
      instanceUuidFor({ stackId, resourceId, nodeUuid });
    const one = uuid("o", "r", "n");
    expect(one).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(uuid("o", "r", "n")).to.equal(one);
    const others = [uuid("p", "r", "n"), uuid("o", "s", "n"), uuid("o", "r", "m")];
    expect(new Set([one, ...others]).size).to.equal(4);
    expect(uuid("ab", "c", "n")).not.to.equal(uuid("a", "bc", "n"));
  });
});

describe("markers", () => {
  it("that make no sense are a stranger's, never ours and never nobody's", () => {
    for (const value of ["?", 7, [], {}, { version: 1, stackId: 1, instanceUuid: 2 }]) {
      const extra = { pulumi_ironic_deployment: value, pulumi_ironic: value };
      const node = nodeIn("active", "free", { extra });
      expect(deploymentMarker(node)?.stackId, JSON.stringify(value)).to.equal("(unreadable)");
      expect(configMarker(node)?.stackId, JSON.stringify(value)).to.equal("(unreadable)");
    }
  });
  it("of null are none", () => {
    const node = nodeIn("active", "free", { extra: { pulumi_ironic_deployment: null, pulumi_ironic: null } });
    expect(deploymentMarker(node)).to.equal(undefined);
    expect(configMarker(node)).to.equal(undefined);
  });
  it("of a BaremetalNodeConfig may lack what a newer version adds", () => {
    const node = nodeIn("active", "free", { extra: { pulumi_ironic: settingsMarkBy("o", "r") } });
    expect(configMarker(node)).to.deep.equal({ ...settingsMarkBy("o", "r"), previous: {}, written: {} });
  });
});

describe("the claiming patch", () => {
  it("takes a free node in one go and leaves exactly what is wanted", () => {
    const stale = {
      image_source: "http://images/old.qcow2",
      image_type: "whole-disk",
      image_checksum: "x",
      kernel_append_params: "quiet",
      boot_iso: "http://images/old.iso",
      configdrive: "******",
      traits: ["kept"],
    };
    const node = nodeIn("available", "free", { instance_info: stale, extra: { theirs: 1 } });
    const after = patched(node, claimPatch(node, MARKER, INFO));
    expect(after.instance_uuid).to.equal(CLAIM.instanceUuid);
    expect(after.instance_info).to.deep.equal({ ...INFO, traits: ["kept"] });
    expect(after.extra).to.deep.equal({ theirs: 1, pulumi_ironic_deployment: MARKER });
    expect(infoMatches(after, INFO)).to.equal(true);
  });

  it("says only what differs", () => {
    const node = nodeIn("active", "ours");
    expect(claimPatch(node, MARKER, INFO).map(({ path }) => path)).to.deep.equal(["/extra/pulumi_ironic_deployment"]);
    const changed = claimPatch(node, MARKER, { ...INFO, kernel: "http://images/b.kernel" });
    expect(changed.map(({ path }) => path)).to.deep.equal(["/instance_info/kernel", "/extra/pulumi_ironic_deployment"]);
  });

  it("leaves a drive where one is to come, as the next one replaces it", () => {
    const node = nodeIn("active", "ours", { instance_info: { ...INFO, configdrive: "******" } });
    const ops = claimPatch(node, { ...MARKER, driveHash: "new" }, INFO);
    expect(ops.map(({ path }) => path)).to.deep.equal(["/extra/pulumi_ironic_deployment"]);
  });
});

describe("the releasing patch", () => {
  it("takes off what the claim had put there, and nothing else", () => {
    const node = nodeIn("available", "prepared", { instance_info: { ...INFO, traits: [1] }, extra: { a: 1 } });
    node.extra.pulumi_ironic_deployment = MARKER;
    const after = patched(node, unclaimPatch(node, CLAIM));
    expect(after).to.deep.include({ instance_uuid: null, instance_info: { traits: [1] }, extra: { a: 1 } });
  });
  it("leaves the instance_uuid of an allocation", () => {
    const node = nodeIn("available", "prepared", { allocation_uuid: CLAIM.instanceUuid });
    expect(patched(node, unclaimPatch(node, CLAIM)).instance_uuid).to.equal(CLAIM.instanceUuid);
  });
  it("touches no instance_info that is not ours", () => {
    const node = nodeIn("available", "marked", { instance_info: INFO });
    expect(patched(node, unclaimPatch(node, CLAIM)).instance_info).to.deep.equal(INFO);
  });
  it("is empty where nothing is left", () =>
    expect(unclaimPatch(nodeIn("available", "free"), CLAIM)).to.deep.equal([]));
});

describe("handing a machine over", () => {
  const config = (stackId: string) => ({ ...settingsMarkBy(stackId, "config"), previous: {}, written: {} });
  it("leaves instance and machine, and tells the stack's BaremetalNodeConfig", () => {
    const node = nodeIn("active", "ours");
    node.extra.pulumi_ironic = config(CLAIM.stackId);
    const after = patched(node, unmarkPatch(node, CLAIM));
    expect(after.instance_uuid).to.equal(CLAIM.instanceUuid);
    expect(after.extra).to.deep.equal({
      pulumi_ironic: {
        ...config(CLAIM.stackId),
        keptInstanceUuid: CLAIM.instanceUuid,
        keptResourceId: CLAIM.resourceId,
      },
    });
  });
  it("writes into no BaremetalNodeConfig of others", () => {
    const node = nodeIn("active", "ours");
    node.extra.pulumi_ironic = config("stack-2");
    expect(unmarkPatch(node, CLAIM).map(({ path }) => path)).to.deep.equal(["/extra/pulumi_ironic_deployment"]);
  });
});

describe("a drive's fingerprint", () => {
  it("differs by drive and by deployment, and is slow to compute", async () => {
    const [one, again, drive, instance] = await Promise.all([
      saltedDriveHash(slowHash, "a", CLAIM.instanceUuid),
      saltedDriveHash(slowHash, "a", CLAIM.instanceUuid),
      saltedDriveHash(slowHash, "b", CLAIM.instanceUuid),
      saltedDriveHash(slowHash, "a", OTHER_INSTANCE),
    ]);
    expect(one).to.equal(again);
    expect(new Set([one, drive, instance]).size).to.equal(3);
    expect(one).to.match(/^[0-9a-f]{16}$/);
  });
});
