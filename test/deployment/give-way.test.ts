import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { newAttempt } from "../../provider/deployment/attempt.ts";
import { giveWay, hasCollided } from "../../provider/deployment/give-way.ts";
import type { Loop } from "../../provider/deployment/power.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { scene } from "../fakes/deployments.ts";
import { settingsMarkBy } from "../fakes/identities.ts";
import { BEFORE, CLAIM, INFO, MARK, nodeIn } from "../fakes/nodes.ts";
import { WANT } from "./decided.ts";

const OWN = { [DEPLOYMENT_MARKER]: { ...MARK, preparedAt: BEFORE } };
const settings = (stackId: string) => ({
  [CONFIG_MARKER]: { ...settingsMarkBy(stackId, "theirs"), previous: {}, written: {} },
});
const THEIRS = settings("stack-2");
const FREE = nodeIn("available", "free");
/** Claimed by this run, beside another stack's settings. */
const CLAIMED = { instance_uuid: CLAIM.instanceUuid, instance_info: INFO, extra: { ...OWN, ...THEIRS } };
const seenIn = (state: string, fields: Partial<Node> = {}) => nodeIn(state, "free", { ...CLAIMED, ...fields });

describe("another stack's claim that came at the same time", () => {
  for (const [what, collides, seen, before = FREE, startsSent = 0] of [
    ["is met where its settings stand beside our claim", true, seenIn("available")],
    ["is not met where the node is ours alone", false, seenIn("available", { extra: OWN })],
    [
      "is not met beside settings of this stack",
      false,
      seenIn("available", { extra: { ...OWN, ...settings("stack-1") } }),
    ],
    ["does not count where this run has sent a start", false, seenIn("available"), FREE, 1],
    ["asks for nothing where nothing of ours was written", false, nodeIn("available", "other config marker")],
    ["is met where a run that was killed had claimed the node", true, seenIn("available"), seenIn("available")],
    [
      "is not met where others took the instance_uuid of a killed run off",
      false,
      seenIn("available", { instance_uuid: null }),
      seenIn("available"),
    ],
    ["does not count where a run that was killed has begun more", false, seenIn("deploying"), seenIn("available")],
  ] as [what: string, collides: boolean, seen: Node, before?: Node, startsSent?: number][])
    it(what, () => {
      expect(hasCollided(seen, before, WANT, { ...newAttempt(), startsSent })).to.equal(collides);
    });
});

/** Gives way on a node as it is `seen`, which was as `before` when the run began. */
async function givenWay(before: Node, seen: Partial<Node>, prepare: (w: ReturnType<typeof scene>) => void = () => {}) {
  const w = scene({ ...before, ...structuredClone(seen) });
  // The nodes of these tests are of some minutes after the clock begins.
  await w.clock.pass(3_600_000);
  const from = w.clock.now();
  const asSeen = structuredClone(w.node());
  prepare(w);
  const loop: Loop = {
    clock: w.clock,
    random: () => 0.5,
    signal: w.call.signal,
    timeoutMs: 600_000,
    onProgress: w.call.progress,
    cause: async () => "none",
    trouble: () => undefined,
  };
  const way = giveWay(asSeen, before, WANT, await w.services.connection(), loop);
  const error = await w.clock.run(way).catch((thrown: Error) => thrown);
  const { instance_uuid, instance_info, extra } = w.node();
  return { w, error, tookMs: w.clock.now() - from, left: { instance_uuid, instance_info, extra } };
}

describe("a deployment that gives way", () => {
  it("takes off what it wrote, and fails with who holds the node", async () => {
    const { w, error, left } = await givenWay(FREE, CLAIMED);
    expect(left).to.deep.equal({ instance_uuid: null, instance_info: {}, extra: THEIRS });
    expect(w.asked()).to.deep.equal(["PATCH /nodes/N"]);
    expect(error).to.be.instanceOf(ProblemError);
    expect(error).to.include({ code: "node-held", node: FREE.uuid });
    expect(String(error)).to.match(
      /Node worker-1 .* is held by BaremetalNodeConfig "theirs" of stack stack-2, which came .*; the claim was taken back\. Choose/,
    );
  });

  it("puts back what stood in instance_info, and leaves what others wrote there since", async () => {
    const before = nodeIn("available", "free", { instance_info: { kernel: "http://old", image_source: "http://old" } });
    const written = { kernel: INFO.kernel, ramdisk: "http://theirs" };
    const { left } = await givenWay(before, { ...CLAIMED, instance_info: written });
    expect(left.instance_info).to.deep.equal({ ...before.instance_info, ramdisk: "http://theirs" });
  });

  it("leaves the instance_uuid of an allocation, or the marker of an earlier run, where that stood there before", async () => {
    const allocated = await givenWay(nodeIn("available", "unmarked", { instance_info: {} }), CLAIMED);
    expect(allocated.left).to.deep.equal({ instance_uuid: CLAIM.instanceUuid, instance_info: {}, extra: THEIRS });
    const marked = await givenWay(nodeIn("available", "marked"), CLAIMED);
    expect(marked.left).to.deep.equal({ instance_uuid: null, instance_info: {}, extra: CLAIMED.extra });
  });

  it("takes off all of a claim that a run which was killed had left", async () => {
    const { left } = await givenWay(nodeIn("available", "free", { ...CLAIMED, extra: OWN }), CLAIMED);
    expect(left).to.deep.equal({ instance_uuid: null, instance_info: {}, extra: THEIRS });
  });

  it("waits while Ironic is at work on the node, and takes nothing back where a step holds it", async () => {
    const waits = await givenWay(nodeIn("cleaning", "free"), CLAIMED, ({ clock, ironic, fake }) => {
      void clock.sleep(5_000).then(() => ironic.move(fake, "available"));
    });
    expect(waits.tookMs).to.equal(5_000);
    expect(waits.left.extra).to.deep.equal(THEIRS);
    const held = await givenWay(nodeIn("clean hold", "free"), CLAIMED);
    expect(held.w.asked()).to.deep.equal([]);
    expect(held.error).to.have.property("code", "node-held");
  });

  it("ends without an error where the others have left by then", async () => {
    const { error, left } = await givenWay(FREE, CLAIMED, ({ fake }) => {
      fake.node.extra = OWN;
    });
    expect(error).to.equal(undefined);
    expect(left).to.deep.equal({ instance_uuid: null, instance_info: {}, extra: {} });
  });
});
