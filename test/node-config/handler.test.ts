/** What the handler tells the deployments of the same program, which wait for the settings of their nodes. */
import { expect } from "chai";
import { CONFIG_MARKER } from "../../provider/node/marker.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { fakeCall } from "../fakes/call.ts";
import { settingsMarkBy } from "../fakes/identities.ts";
import type { World } from "../fakes/world.ts";
import { INPUTS, made, NODE, scene } from "./scene.ts";

const WAITING_MS = 300_000;

/** How the wait of a deployment on the node ends, which began before. */
const waited = async (w: World, work: () => Promise<unknown>): Promise<{ outcome: unknown; afterMs: number }> => {
  const node = { ...w.node(), deploy_interface: "direct" };
  const from = w.clock.now();
  const waiting = { clock: w.clock, signal: fakeCall().signal, timeoutMs: WAITING_MS };
  const settled = w.services.run.settings.whenSettled(node, waiting).catch((error: unknown) => error);
  await w.clock.run(work());
  const outcome = await w.clock.run(settled);
  return { outcome, afterMs: w.clock.now() - from };
};

const planned = async (w: World, inputs: Props): Promise<void> => {
  await w.clock.run(nodeConfigHandler.check(undefined, inputs, w.services, fakeCall()));
};

describe("a deployment that waits for the settings of its node", () => {
  const OFF = { settings: { preflight: "off" } };

  it("goes on once they are made, by create or by update, under each name that it may have", async () => {
    for (const node of ["worker-1", NODE]) {
      const w = scene({}, OFF);
      await planned(w, { ...INPUTS, node });
      const created = await waited(w, () => w.made(undefined, { ...INPUTS, node }));
      expect(created, node).to.deep.equal({ outcome: true, afterMs: 0 });
      const { w: v, first } = await made();
      await planned(v, { ...INPUTS, node, description: "new" });
      const other = node === NODE ? "worker-1" : NODE;
      const updated = await waited(v, () => v.made(first, { ...INPUTS, node: other, description: "new" }));
      expect(updated, node).to.deep.equal({ outcome: true, afterMs: 0 });
    }
  });

  it("fails at once where they could not be made, and is sent to their own message", async () => {
    const w = scene({ maintenance: true }, OFF);
    await planned(w, INPUTS);
    const { outcome, afterMs } = await waited(w, () => w.up(undefined, INPUTS));
    expect(outcome).to.have.property("code", "settings-not-ready");
    expect(outcome).to.have.property(
      "message",
      "The BaremetalNodeConfig of node worker-1 failed, so the deployment was not begun. Its own message says why.",
    );
    expect(afterMs).to.be.below(1_000);
  });

  it("fails where the node could not even be found", async () => {
    const w = scene({}, OFF);
    await planned(w, INPUTS);
    w.fault("GET", "/nodes", "forbidden");
    const { outcome } = await waited(w, () => w.up(undefined, INPUTS));
    expect(outcome).to.have.property("code", "settings-not-ready");
  });

  it("goes on where a diff finds that nothing is to be done", async () => {
    const { w, first } = await made();
    await planned(w, INPUTS);
    const { outcome, afterMs } = await waited(w, () => w.diff(first, INPUTS));
    expect({ outcome, afterMs }).to.deep.equal({ outcome: true, afterMs: 0 });
  });

  it("goes on waiting where a diff finds drift: an update follows", async () => {
    const { w, first } = await made();
    await planned(w, INPUTS);
    const drifted = { ...first, outs: { ...first.outs, drift: "held by others" } };
    const { outcome, afterMs } = await waited(w, () => w.diff(drifted, INPUTS));
    expect(outcome).to.have.property("message").that.contains("were not in place within 300 s");
    expect(afterMs).to.equal(WAITING_MS);
  });
});

describe("the plan that the check makes", () => {
  it("has Ironic's default, and leaves out what is not known yet", async () => {
    const rest = { node: "worker-1", resourceName: "settings" };
    for (const [inputs, plan] of [
      [{}, { deployInterface: "ramdisk", automatedCleaning: false, uncertain: false }],
      [
        { deployInterface: "direct", automatedCleaning: UNKNOWN },
        { deployInterface: "direct", uncertain: true },
      ],
      [{ deployInterface: UNKNOWN }, { deployInterface: undefined, uncertain: true }],
      [
        { description: UNKNOWN, driverInfo: UNKNOWN },
        { deployInterface: "ramdisk", uncertain: false },
      ],
    ] as const) {
      const w = scene({}, { settings: { preflight: "off" } });
      await planned(w, { ...INPUTS, ...inputs });
      expect(w.services.run.settings.of(w.node()), JSON.stringify(plan)).to.deep.include({ ...rest, ...plan });
    }
  });

  it("is none where the check refuses the node, or does not know it yet", async () => {
    const theirs = { [CONFIG_MARKER]: { ...settingsMarkBy("stack-2", "theirs"), previous: {}, written: {} } };
    for (const [extra, inputs] of [
      [theirs, INPUTS],
      [{}, { ...INPUTS, node: UNKNOWN }],
    ] as const) {
      const w = scene({ extra }, { client: { driver: {} } });
      await planned(w, inputs);
      expect(w.services.run.settings.of(w.node())).to.equal(undefined);
    }
  });
});
