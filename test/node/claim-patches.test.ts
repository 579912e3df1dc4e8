// What marker.test.ts does not say: kernel and drive left by others, allocations, and whose settings are told.
import { expect } from "chai";
import { claimPatch, markerPatch, unclaimPatch, unmarkPatch } from "../../provider/node/claim-patches.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { PatchOp } from "../../provider/node/node.ts";
import { settingsMarkBy } from "../fakes/identities.ts";
import { CLAIM, INFO, MARK, nodeIn } from "../fakes/nodes.ts";

const marker = { ...MARK, preparedAt: "t" };
const brief = (ops: PatchOp[]): string[] => ops.map(({ op, path }) => `${op} ${path}`);
const MARK_OP = `add /extra/${DEPLOYMENT_MARKER}`;

describe("the PATCH of a claim", () => {
  const CLAIMS: readonly [what: string, ops: PatchOp[], brief: string[]][] = [
    [
      "on a free node",
      claimPatch(nodeIn("available", "free"), marker, INFO),
      ["add /instance_uuid", "add /instance_info/kernel", "add /instance_info/ramdisk", MARK_OP],
    ],
    ["on one that has it all", claimPatch(nodeIn("active", "ours"), marker, INFO), [MARK_OP]],
    [
      "over what others left",
      claimPatch(
        nodeIn("available", "free", { instance_info: { image_source: "x", boot_iso: "y", display_name: "z" } }),
        marker,
        INFO,
      ),
      [
        "add /instance_uuid",
        "add /instance_info/kernel",
        "add /instance_info/ramdisk",
        "remove /instance_info/boot_iso",
        "remove /instance_info/image_source",
        MARK_OP,
      ],
    ],
    [
      "without a drive, over the drive of others",
      claimPatch(nodeIn("active", "ours", { instance_info: { ...INFO, configdrive: "******" } }), marker, INFO),
      ["remove /instance_info/configdrive", MARK_OP],
    ],
    [
      "with a drive, which replaces that of others",
      claimPatch(
        nodeIn("active", "ours", { instance_info: { ...INFO, configdrive: "******" } }),
        { ...marker, driveHash: "d" },
        INFO,
      ),
      [MARK_OP],
    ],
  ];
  for (const [what, ops, expected] of CLAIMS)
    it(`${what} says only what differs, and the marker last`, () => {
      expect(brief(ops)).to.deep.equal(expected);
      expect(ops.at(-1)?.value).to.deep.include(marker);
    });

  it("takes off the marker where it is the only sign left, and keeps the instance of an allocation", () => {
    const remove = `remove /extra/${DEPLOYMENT_MARKER}`;
    expect(brief(unclaimPatch(nodeIn("available", "marked", { instance_info: INFO }), CLAIM))).to.deep.equal([remove]);
    const allocated = nodeIn("active", "ours", { allocation_uuid: CLAIM.instanceUuid });
    const info = ["remove /instance_info/kernel", "remove /instance_info/ramdisk"];
    expect(brief(unclaimPatch(allocated, CLAIM))).to.deep.equal([...info, remove]);
  });

  it("writes or removes the marker alone", () => {
    expect(brief(markerPatch(marker))).to.deep.equal([MARK_OP]);
    expect(brief(markerPatch(undefined))).to.deep.equal([`remove /extra/${DEPLOYMENT_MARKER}`]);
  });

  it("tells the settings of the same stack only about what stays", () => {
    for (const [stack, told] of [
      ["stack-1", true],
      ["stack-2", false],
    ] as const) {
      const extra = { [DEPLOYMENT_MARKER]: marker, [CONFIG_MARKER]: settingsMarkBy(stack, "settings") };
      const ops = unmarkPatch(nodeIn("active", "ours", { extra }), CLAIM);
      const add = (key: string, value: string) => ({ op: "add", path: `/extra/${CONFIG_MARKER}/${key}`, value });
      const kept = [add("keptInstanceUuid", CLAIM.instanceUuid), add("keptResourceId", CLAIM.resourceId)];
      expect(ops.slice(1)).to.deep.equal(told ? kept : []);
    }
  });
});
