import { expect } from "chai";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import type { Write } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { deploymentMarkBy, settingsMarkBy } from "../fakes/identities.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import {
  deploymentViolation,
  endViolations,
  INVARIANTS,
  newTrack,
  printedViolation,
  rebootViolation,
  releaseViolation,
  settingsViolation,
  type Track,
  type Violation,
  wrongWrite,
} from "./invariants.ts";
import { INSTANCES, STACK, TWIN } from "./plan.ts";

const trackOf = (fields: Partial<Node> = {}, more: Partial<Track> = {}): Track => {
  const fake = fakeIronic({ clock: virtualClock(), cleansByDefault: false, resolution: "us" }).add(fields, {});
  return { ...newTrack(fake), ...more };
};
const ORIGINAL = { deploy_interface: "direct", boot_interface: "pxe", automated_clean: true };
const INPUTS = { kernel: "http://images/a.kernel", ramdisk: "http://images/a.initramfs" };

const UNDEPLOY = { body: { target: "deleted" } };

/** A write that its client may send. */
const write = (more: Partial<Write>, shown: Partial<Node> = {}): Violation | undefined => {
  const { node } = trackOf(shown).fake;
  const right = { method: "PUT", path: `/nodes/${node.uuid}/states/provision`, body: { target: "active" } };
  const seen = { shown: node, shownAtMs: 0, atMs: 1_000, before: node };
  return wrongWrite({ ...right, ...seen, ...more } as Write, STACK, INSTANCES);
};

describe("the promises of the model", () => {
  it("are numbered without a gap, and no two say the same", () => {
    const numbers = Object.keys(INVARIANTS);
    expect(numbers).to.deep.equal(numbers.map((_, index) => `I${index + 1}`));
    expect(new Set(Object.values(INVARIANTS)).size).to.equal(numbers.length);
  });

  it("are kept by a write that may be sent", () => expect(write({})).to.equal(undefined));

  const marker = { [DEPLOYMENT_MARKER]: { ...deploymentMarkBy(STACK, "worker-1"), instanceUuid: INSTANCES[0] } };
  const active = { provision_state: "active", instance_uuid: INSTANCES[0] ?? null };
  const theirs = { [CONFIG_MARKER]: settingsMarkBy(TWIN, "worker-1") };
  const boot = { verb: "rebuild", outcome: "active", info: { kernel: "k" }, drive: undefined } as never;

  it("are kept by an undeployment of ours beside another stack's settings", () =>
    expect(write(UNDEPLOY, { ...active, extra: { ...marker, ...theirs } })).to.equal(undefined));

  const BROKEN: [what: string, number: string, violation: Violation | undefined][] = [
    ["a write to what was never read", "I5", write({ shown: undefined })],
    ["a write to what was read long ago", "I5", write({ atMs: 200_000 })],
    ["a write to a node of others", "I6", write({}, { instance_uuid: OTHER_INSTANCE })],
    ["a start beside another stack's settings", "I6", write({}, { ...active, extra: { ...marker, ...theirs } })],
    ["an undeployment where no mark of ours stands", "I6", write(UNDEPLOY, { ...active, extra: theirs })],
    ["a machine that is forgotten", "I14", releaseViolation(trackOf({ ...active, extra: { ...marker, ...theirs } }))],
    ["a verb that Ironic does not take", "I9", write({}, { provision_state: "deploying" })],
    ["a start in maintenance", "I10", write({}, { maintenance: true })],
    ["settings that are not there", "I12", settingsViolation(false, trackOf(), { bootInterface: "http" })],
    ["settings that stay", "I13", settingsViolation(true, trackOf({}, { original: ORIGINAL }))],
    ["a mark that stays", "I14", releaseViolation(trackOf({ extra: marker }))],
    ["a machine that is not up", "I15", deploymentViolation(trackOf(), INPUTS)],
    ["a machine that runs nothing", "I16", deploymentViolation(trackOf(active), INPUTS)],
    ["a boot for nothing", "I18", rebootViolation(boot, boot, trackOf())],
    ["a mark at the end", "I24", [...endViolations(trackOf({ extra: marker }), false)][0]],
    ["other settings at the end", "I25", [...endViolations(trackOf({}, { original: ORIGINAL }), false)][0]],
  ];
  for (const [what, number, violation] of BROKEN)
    it(`name the number of the one that is broken by ${what}`, () => {
      const printed = violation && printedViolation(violation, "step 1 (up)");
      expect(printed).to.match(new RegExp(`^${number} .*\\. step 1 \\(up\\): .`));
    });
});
