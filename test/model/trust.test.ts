import { expect } from "chai";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import type { Write } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import type { Boot } from "../fakes/fake-node.ts";
import { deploymentMarkBy } from "../fakes/identities.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";
import { ADDRESS_KEY } from "../fakes/lessee.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { REASON } from "../fakes/operator-actions.ts";
import { replicas } from "../fakes/replicas.ts";
import { sightOf } from "../fakes/sight.ts";
import { ACTORS, actorsIn, deedsOf, NOT_YET_MENDED } from "./actors.ts";
import { newTrack, type Track, type Violation } from "./invariants.ts";
import { INSTANCES, PERSISTENT_KEY, STACK } from "./plan.ts";
import { cleaningViolation, mistrustedOutcome, mistrustedWrite, restartViolation, restoresCleaning } from "./trust.ts";

const MARK = { ...deploymentMarkBy(STACK, "worker-1"), instanceUuid: INSTANCES[0] };
const OURS: Partial<Node> = {
  provision_state: "active",
  instance_uuid: INSTANCES[0] ?? null,
  automated_clean: false,
  extra: { [DEPLOYMENT_MARKER]: MARK },
};

const trackOf = (fields: Partial<Node> = {}, more: Partial<Track> = {}): Track => ({
  ...newTrack(fakeIronic({ clock: virtualClock() }).add(fields)),
  ...more,
});

/** A write to a node that was shown as it is. */
function writeTo(fields: object, method: string, more: string, body: unknown): Write {
  const { node } = trackOf().fake;
  const shown = { ...node, ...fields };
  const path = `/nodes/${node.uuid}${more}`;
  return { index: 0, method, path, body, by: "us", atMs: 5, before: shown, shown, shownAtMs: 5, applied: true };
}
const patchOf = (fields: object, ...ops: PatchOp[]): Write => writeTo(fields, "PATCH", "", ops);
const putOf = (fields: object, target: string): Write => writeTo(fields, "PUT", "/states/provision", { target });

const judged = (write: Write): Violation | undefined =>
  mistrustedWrite(write, { track: trackOf(), turnsCleaningOff: false, cleansByDefault: true });
const driverInfo = (key: string, value: string): PatchOp => ({ op: "add", path: `/driver_info/${key}`, value });
const maintained = { maintenance: true, maintenance_reason: REASON };
const marks: PatchOp = { op: "add", path: `/extra/${DEPLOYMENT_MARKER}`, value: MARK };
const unprotects: PatchOp = { op: "replace", path: "/protected", value: false };
const cleanFailed = (target_provision_state: string) => ({ provision_state: "clean failed", target_provision_state });

describe("what is promised among actors: writes", () => {
  const BROKEN: [what: string, number: string, write: Write][] = [
    ["an address in driver_info", "I26", patchOf({}, driverInfo(ADDRESS_KEY, "https://evil.test"))],
    ["a value in driver_info that no program has", "I26", patchOf({}, driverInfo(PERSISTENT_KEY, "Never"))],
    ["cleaning that is turned off", "I27", patchOf({}, { op: "replace", path: "/automated_clean", value: false })],
    ["power in others' maintenance", "I28", writeTo(maintained, "PUT", "/states/power", { target: "power on" })],
    ["an undeploy that cleans in others' maintenance", "I28", putOf(maintained, "deleted")],
    ["a mark on a node that others took", "I29", patchOf({ instance_uuid: OTHER_INSTANCE }, marks)],
    ["others' protection", "I31", patchOf({ protected: true, protected_reason: REASON }, unprotects)],
    ["a manual cleaning that is recovered", "I33", putOf(cleanFailed("manageable"), "manage")],
    ["an undeploy of others' machine", "I37", putOf({ instance_uuid: OTHER_INSTANCE }, "deleted")],
  ];
  for (const [what, number, write] of BROKEN)
    it(`name the number of the one that is broken by ${what}`, () =>
      expect(judged(write)).to.include({ invariant: number }));

  const KEPT: [what: string, write: Write][] = [
    ["what programs write to driver_info", patchOf({}, driverInfo(PERSISTENT_KEY, "Always"))],
    [
      "an undeploy without cleaning in others' maintenance",
      putOf({ ...maintained, automated_clean: false }, "deleted"),
    ],
    ["a mark on a node of ours", patchOf(OURS, marks)],
    ["our own protection", patchOf({ protected: true }, unprotects)],
    ["an automated cleaning that is recovered", putOf(cleanFailed("available"), "manage")],
    ["an undeploy of what has no instance any more", putOf({ provision_state: "error" }, "deleted")],
  ];
  for (const [what, write] of KEPT) it(`are not broken by ${what}`, () => expect(judged(write)).to.equal(undefined));
});

describe("what is promised among actors: what came of it", () => {
  const boot = (atMs: number, outcome: Boot["outcome"]): Boot =>
    ({ by: "us", atMs, verb: "rebuild", instanceUuid: null, info: {}, drive: undefined, outcome }) as const;
  const outcome = { name: "deployment-1", kind: "deployment", did: "delete", stored: undefined, inputs: {} } as const;

  it("I30: a delete that ended well on a hidden node with something of ours", () => {
    const track = trackOf(OURS);
    expect(mistrustedOutcome(outcome, track)).to.equal(undefined);
    track.fake.hidden = true;
    expect(mistrustedOutcome(outcome, track)).to.include({ invariant: "I30" });
    expect(mistrustedOutcome({ ...outcome, error: new Error("hidden") }, track)).to.equal(undefined);
  });

  it("I32: a second start in one run, unless the first failed or others came between", () => {
    const track = trackOf();
    track.fake.boots.push(boot(1, "active"), boot(2, "active"));
    expect(restartViolation(track, 0)).to.include({ invariant: "I32" });
    expect(restartViolation(track, 1)).to.equal(undefined);
    track.deedsAtBoots.add(1);
    expect(restartViolation(track, 0)).to.equal(undefined);
  });

  it("I34: a cleaning after the settings were restored under the deployment", () => {
    const restores: PatchOp[] = [
      { op: "replace", path: "/automated_clean", value: null },
      { op: "remove", path: `/extra/${CONFIG_MARKER}` },
    ];
    expect(restoresCleaning(patchOf(OURS, ...restores), trackOf())).to.equal(true);
    expect(restoresCleaning(patchOf({ ...OURS, provision_state: "available" }, ...restores), trackOf())).to.equal(
      false,
    );
    expect(restoresCleaning(patchOf(OURS, ...restores.slice(0, 1)), trackOf()), "an update").to.equal(false);
    const track = trackOf(OURS, { restoredAtMs: 5 });
    expect(cleaningViolation(track)).to.equal(undefined);
    track.fake.cleanings.push({ by: "us", atMs: 6 });
    expect(cleaningViolation(track)).to.include({ invariant: "I34" });
  });

  it("I36: a machine that is still on its way, or taken for lost, though others did nothing", () => {
    const moving = trackOf({ ...OURS, provision_state: "deploying", reservation: "conductor-1" });
    expect(mistrustedOutcome({ ...outcome, did: "update" }, moving)).to.include({ invariant: "I36" });
    const error = new Error("Node x was undeployed by somebody else while it was being deployed");
    expect(mistrustedOutcome({ ...outcome, did: "create", error }, trackOf())).to.include({ invariant: "I36" });
    expect(mistrustedOutcome({ ...outcome, did: "create", error }, trackOf({}, { deeds: 1 }))).to.equal(undefined);
  });
});

describe("an account's sight", () => {
  it("has no hidden node, and reads that lag, while writes meet what there is", async () => {
    const clock = virtualClock();
    const past = replicas();
    const ironic = fakeIronic({ clock, onChange: past.save });
    const { node } = ironic.add(OURS, { undeployMs: 2_000 });
    const sight = sightOf(ironic, { lagsMs: [0, 1_500], replicas: past });
    await clock.pass(1_000);
    ironic.provision(node.uuid, "others", "deleted");
    const stateAt = (index: number, method = "GET", path = `/nodes/${node.uuid}`) => {
      sight.onRequest({ index, method, path });
      return sight.ironic.find(node.uuid)?.node.provision_state;
    };
    expect([stateAt(0), stateAt(1), stateAt(1, "PATCH")]).to.deep.equal(["deleting", "active", "deleting"]);
    await clock.pass(2_100);
    expect([stateAt(0), stateAt(1)]).to.deep.equal(["available", "deleting"]);
    expect(stateAt(1, "GET", `/nodes/${node.uuid}/validate`)).to.equal("available");
    for (const fake of ironic.nodes) fake.hidden = true;
    expect(sight.ironic.find(node.uuid)).to.equal(undefined);
    expect(sight.ironic.nodes).to.deep.equal([]);
    expect(sight.ironic.patch(node.uuid, [])?.text).to.match(/^Node .* could not be found\.$/);
  });
});

describe("the actors of the model", () => {
  it("are named one by one, all, or none; by default those that are withstood", () => {
    expect(actorsIn("all")).to.deep.equal(Object.keys(ACTORS));
    expect(actorsIn("none")).to.deep.equal([]);
    expect(actorsIn("lag,twin")).to.deep.equal(["lag", "twin"]);
    expect(actorsIn(undefined)).to.deep.equal(actorsIn("all").filter((actor) => !NOT_YET_MENDED.includes(actor)));
    expect(() => actorsIn("lag,nobody")).to.throw("nobody is no actor of the model: lessee,");
  });

  it("share no deed", () => {
    const deeds = deedsOf(actorsIn("all"));
    expect(new Set(deeds).size).to.equal(deeds.length);
  });
});
