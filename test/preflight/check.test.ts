// When what was read is read again is in test/deployment/preflight-run.test.ts.
import { expect } from "chai";
import type { NodeInventory, SurveyedNode } from "../../provider/node/index.ts";
import { checkedAgainst, NO_SUCH_NODE, nodeOf, whyNotEnabled } from "../../provider/preflight/check.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { virtualClock } from "../fakes/clock.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";
import { scene } from "./scene.ts";

const SURVEYED: SurveyedNode = fakeIronic({ clock: virtualClock() }).add().node;

describe("a check against what Ironic shows", () => {
  it("judges what is there, and gives back what is found", async () => {
    const { clock, ironic, services, call } = scene();
    ironic.add({ name: "worker-1" });
    const judge = async ({ nodes }: NodeInventory) => (nodes.has("worker-1") ? [NO_SUCH_NODE] : []);
    expect(await clock.run(checkedAgainst("worker-1", services, call, judge))).to.deep.equal([NO_SUCH_NODE]);
  });

  it("asks nothing about a node that is not known yet", async () => {
    const { client, services, call } = scene();
    const judge = () => expect.fail("it judges");
    expect(await checkedAgainst(UNKNOWN, services, call, judge)).to.deep.equal([]);
    expect(client.requests).to.deep.equal([]);
  });

  for (const [title, what] of [
    ["does not answer", { instead: { minor: () => Promise.reject(new Error("it is down")) } }],
    ["does not show its nodes", { instead: { get: () => Promise.reject(new Error("it is down")) } }],
  ] as const)
    it(`finds nothing where Ironic ${title}, and says so`, async () => {
      const { clock, services, call } = scene(what);
      const judge = () => expect.fail("it judges");
      expect(await clock.run(checkedAgainst("worker-1", services, call, judge))).to.deep.equal([]);
      expect(call.shown).to.deep.equal([
        "The program could not be checked against Ironic: it is down. [preview-incomplete]",
      ]);
    });
});

describe("the node that is meant", () => {
  const OWN = { stackId: "stack-1", resourceId: "r-1" };
  const node = (uuid: string, name: string | null, owner?: string): SurveyedNode => ({
    ...SURVEYED,
    uuid,
    name,
    extra: { owner },
  });
  const ownerOf = ({ extra }: SurveyedNode) => {
    const [stackId, resourceId] = String(extra?.owner ?? "").split("/");
    return stackId !== undefined && resourceId !== undefined ? { stackId, resourceId } : undefined;
  };

  const cases: [title: string, nodes: SurveyedNode[], isSpelledAsBefore: boolean, uuid: string | undefined][] = [
    ["the named one", [node("u-1", "worker-1"), node("u-2", "worker-2")], true, "u-1"],
    ["the one that has the UUID", [node("worker-1", null)], true, "worker-1"],
    ["none, where none has the name", [node("u-2", "worker-2")], true, undefined],
    ["the renamed one, by its marker", [node("u-1", "old", "stack-1/r-1")], true, "u-1"],
    [
      "the renamed one, although another has its name now",
      [node("u-2", "worker-1"), node("u-1", "old", "stack-1/r-1")],
      true,
      "u-1",
    ],
    [
      "the named one, where two have the marker",
      [node("u-2", "other", "stack-1/r-1"), node("u-1", "worker-1", "stack-1/r-1")],
      true,
      "u-1",
    ],
    [
      "the named one, where the program names another than before",
      [node("u-2", "worker-1"), node("u-1", "old", "stack-1/r-1")],
      false,
      "u-2",
    ],
    ["none, where the program names another that is not there", [node("u-1", "old", "stack-1/r-1")], false, undefined],
    [
      "the named one, where markers are of another stack or resource",
      [node("u-1", "worker-1"), node("u-2", "a", "stack-2/r-1"), node("u-3", "b", "stack-1/r-2")],
      true,
      "u-1",
    ],
  ];
  for (const [title, nodes, isSpelledAsBefore, uuid] of cases)
    it(`is ${title}`, () => {
      const byKey = new Map(
        nodes.flatMap((each) => [[each.name ?? each.uuid, each] as const, [each.uuid, each] as const]),
      );
      const facts: NodeInventory = { nodes: byKey, ports: new Map(), enabled: async () => undefined };
      expect(nodeOf({ node: "worker-1", ...OWN }, facts, isSpelledAsBefore, ownerOf)?.uuid).to.equal(uuid);
    });
});

describe("an interface", () => {
  const REDFISH = { ...SURVEYED, driver: "redfish" };
  const ENABLED = { enabled_boot_interfaces: ["ipxe", "pxe"], enabled_deploy_interfaces: null };

  it("that is not enabled is refused with those that are", () => {
    expect(whyNotEnabled(REDFISH, ENABLED, "boot", "virtual")).to.equal(
      "the boot interface virtual is not enabled for its driver redfish; enabled are ipxe, pxe",
    );
    expect(whyNotEnabled(REDFISH, { enabled_deploy_interfaces: ["direct"] }, "deploy", "ramdisk")).to.equal(
      "the deploy interface ramdisk is not enabled for its driver redfish; enabled are direct",
    );
  });

  for (const [title, enabled, kind, name] of [
    ["that is enabled", ENABLED, "boot", "pxe"],
    ["that is not set", ENABLED, "boot", undefined],
    ["of a kind that Ironic does not list", ENABLED, "deploy", "ramdisk"],
    ["of a driver that this account may not see", undefined, "boot", "virtual"],
  ] as const)
    it(`${title} is accepted`, () => expect(whyNotEnabled(REDFISH, enabled, kind, name)).to.equal(undefined));
});
