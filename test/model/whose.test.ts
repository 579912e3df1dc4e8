import { expect } from "chai";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import type { Write } from "../fakes/client.ts";
import { newNode } from "../fakes/fake-node.ts";
import { settingsMarkBy } from "../fakes/identities.ts";
import { STACK, TWIN } from "./plan.ts";
import { givesWay } from "./whose.ts";

const settingsOf = (stackId: string, written: Record<string, unknown> = {}) => ({
  ...settingsMarkBy(stackId, "worker-1"),
  written,
});
const OURS = settingsOf(STACK);
const patch = (body: PatchOp[], shown: Partial<Node>): Write => {
  const node = { ...newNode(1, "2026-01-01T00:00:00+00:00", { boot_interface: "ipxe" }), ...shown };
  return {
    by: "us",
    index: 0,
    method: "PATCH",
    path: "/nodes/1",
    body,
    shown: node,
    before: node,
    shownAtMs: 0,
    atMs: 0,
    applied: true,
  };
};

describe("a write to a node that others took at the same moment", () => {
  const setBoot: PatchOp = { op: "replace", path: "/boot_interface", value: "http" };
  const mark: PatchOp = { op: "add", path: `/extra/${CONFIG_MARKER}`, value: settingsOf(STACK, { x: 1 }) };
  const earlier = [patch([setBoot, mark], { extra: { [CONFIG_MARKER]: OURS } })];
  const standsWith = (stackId: string, written: Record<string, unknown> = {}) => ({
    boot_interface: "http",
    extra: { [CONFIG_MARKER]: settingsOf(stackId, written) },
  });
  const unsetBoot: PatchOp = { ...setBoot, value: "ipxe" };
  const unmark: PatchOp = { op: "remove", path: `/extra/${CONFIG_MARKER}` };
  const CASES: [what: string, body: PatchOp[], shown: Partial<Node>, gives: boolean][] = [
    ["takes off the mark of the run", [unmark], standsWith(STACK), true],
    ["takes off another's mark", [unmark], standsWith(TWIN), false],
    ["puts back field and mark", [unsetBoot, { ...mark, value: OURS }], standsWith(STACK), true],
    ["puts back a field under another's mark", [unsetBoot], standsWith(TWIN), true],
    ["puts back a field that the other wrote", [unsetBoot], standsWith(TWIN, { boot_interface: "http" }), false],
    ["puts its mark over another's", [{ ...mark, value: OURS }], standsWith(TWIN), false],
    ["sets a field to something else", [{ ...setBoot, value: "pxe" }], standsWith(TWIN), false],
    ["claims", [{ op: "add", path: `/extra/${DEPLOYMENT_MARKER}`, value: {} }], standsWith(TWIN), false],
  ];
  for (const [what, body, shown, gives] of CASES)
    it(`${gives ? "may" : "must not"} be one that ${what}`, () =>
      expect(givesWay(patch(body, shown), STACK, earlier)).to.equal(gives));
});
