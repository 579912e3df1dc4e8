import { expect } from "chai";
import { CONFIG_MARKER } from "../../provider/node/marker.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { NODE } from "../fakes/deployments.ts";
import { settingsMarkBy } from "../fakes/identities.ts";
import { world } from "../fakes/world.ts";
import { BASE } from "./scene.ts";

const SETTINGS = { ...BASE, automatedCleaning: false };

describe("settings whose PATCH was sent", () => {
  /** Interrupted while Ironic's answer is out. */
  const cutOff = async (fault: "hangAfter" | "hangBefore") => {
    const w = world(nodeConfigHandler, { node: { deploy_interface: "direct", automated_clean: true } });
    w.fault("PATCH", "/nodes", fault);
    w.before(({ method }) => {
      if (method === "PATCH") void w.clock.sleep(1_000).then(() => w.call.abort());
    });
    return { w, ...(await w.up(undefined, SETTINGS)) };
  };

  it("are kept in the state with what was there before, applied or not, and given back", async () => {
    for (const applied of [true, false]) {
      const { w, stored, error } = await cutOff(applied ? "hangAfter" : "hangBefore");
      expect(error).to.be.instanceOf(Error);
      expect(stored?.outs).to.deep.include({
        nodeUuid: NODE,
        previous: { deploy_interface: "direct", automated_clean: true },
      });
      expect(CONFIG_MARKER in w.node().extra).to.equal(applied);
      expect(await w.destroy(stored as Stored)).to.equal(undefined);
      expect(w.node()).to.deep.include({ deploy_interface: "direct", automated_clean: true, extra: {} });
    }
  });

  it("are not taken for written where the node shows no mark of them", async () => {
    // Somebody sets it by hand before the next run: that is what was there before.
    const changed = await cutOff("hangBefore");
    changed.w.fake.node.automated_clean = null;
    const made = await changed.w.made((await changed.w.refresh(changed.stored as Stored)) as Stored, SETTINGS);
    expect(made.outs).to.deep.include({ previous: { deploy_interface: "direct", automated_clean: null } });
    expect(made.outs).not.to.have.property("unsure");
    // Or another stack takes the node: it is not in the way of a destroy.
    const taken = await cutOff("hangBefore");
    const theirs = { ...settingsMarkBy("stack-2", "theirs"), previous: {}, written: {} };
    taken.w.fake.node.extra = { [CONFIG_MARKER]: theirs };
    expect(await taken.w.destroy(taken.stored as Stored)).to.equal(undefined);
    expect(taken.w.node().extra).to.deep.equal({ [CONFIG_MARKER]: theirs });
  });
});
