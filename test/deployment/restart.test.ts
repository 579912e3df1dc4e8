import { expect } from "chai";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { DRIVE, INPUTS, NODE, scene } from "../fakes/deployments.ts";
import type { World } from "../fakes/world.ts";

describe("RamdiskDeployment: refresh", () => {
  /** Somebody boots the machine again, with all that this stack had set, and waits until it is active. */
  const restart = async (w: World, drive?: Props) => {
    expect(w.ironic.provision(NODE, "somebody", "rebuild", drive)).to.equal(undefined);
    await w.clock.run(w.clock.sleep(600_000));
    expect(w.node().provision_state).to.equal("active");
  };
  const DEPLOYED_ANEW =
    /^Node worker-1 \(\S+\) was deployed again, but not by this stack\. It has been active since 2026-/;

  /** An update that is interrupted when the machine has begun to restart; the machine goes on. */
  const cutOff = async (w: World, first: Stored): Promise<Stored | undefined> => {
    const { call } = w;
    w.before(({ method }) => {
      if (method === "GET" && w.fake.node.provision_state === "deploying") call.abort();
    });
    const { stored, error } = await w.up(first, { ...INPUTS, kernelArguments: "two" });
    expect(error).to.be.instanceOf(Error);
    await w.clock.run(w.clock.sleep(600_000));
    return stored;
  };

  it("tells once of a restart by others, and leaves what runs since alone", async () => {
    for (const [inputs, said] of [
      [INPUTS, /\d\+00:00\. `pulumi up --replace`/],
      [
        { ...INPUTS, configDrive: DRIVE },
        /Ironic does not show whether its config drive is still the one of this stack\. `/,
      ],
    ] as const) {
      const w = scene();
      const first = await w.made(undefined, inputs);
      await restart(w, "configDrive" in inputs ? { meta_data: { name: "another" } } : undefined);
      const seen = (await w.refresh(first)) as Stored;
      expect(w.warnings()).to.have.length(1);
      expect(w.warnings()[0]).to.match(DEPLOYED_ANEW).and.to.match(said);
      expect(seen.outs).not.to.have.property("drift");
      expect(seen.outs.deployedAt).to.equal(w.node().provision_updated_at).and.not.to.equal(first.outs.deployedAt);
      expect((await w.diff(seen, inputs)).changes).to.equal(false);
      expect(await w.refresh(seen)).to.deep.equal(seen);
      expect(w.warnings()).to.deep.equal([]);
    }
  });

  it("tells of it on a node in maintenance as well, and where an update comes before a refresh", async () => {
    for (const [next, change] of [
      ["refresh", { maintenance: true }],
      ["update", {}],
    ] as const) {
      const w = scene();
      const first = await w.made(undefined, INPUTS);
      await restart(w);
      Object.assign(w.fake.node, change);
      if (next === "refresh") await w.refresh(first);
      else await w.made(first, { ...INPUTS, powerPolicy: "on" });
      expect(w.warnings().join(), next).to.match(DEPLOYED_ANEW);
    }
  });

  it("waits for the history no longer than a hint is worth, nor than customTimeouts leave", async () => {
    for (const [timeoutMs, waitsMs] of [
      [undefined, 10_000],
      [4_000, 4_000],
    ] as const) {
      const w = scene();
      const first = await w.made(undefined, INPUTS);
      await restart(w);
      w.fault("GET", "/history", "hangBefore");
      Object.assign(w.call, { timeoutMs });
      const from = w.clock.now();
      await w.refresh(first);
      expect(w.clock.now() - from).to.equal(waitsMs);
      expect(w.warnings()).to.deep.equal([]);
    }
  });

  it("does not take a rescue, what this stack began, or an Ironic without a memory for a restart by others", async () => {
    const cases: Record<string, (w: World, first: Stored) => Promise<Stored | undefined>> = {
      rescue: async (w) => {
        await w.clock.run(w.clock.sleep(1000));
        w.ironic.move(w.fake, "rescue");
        w.ironic.move(w.fake, "active");
        return undefined;
      },
      "own update": (w, first) => w.made(first, { ...INPUTS, kernelArguments: "two" }),
      "own update that was interrupted": cutOff,
      // Nobody wrote down how far it came.
      "own update that was killed": async (w, first) => {
        await cutOff(w, first);
        return first;
      },
      forgets: async (w) => {
        await restart(w);
        w.fake.history.length = 0;
        return undefined;
      },
      "does not answer": async (w) => {
        await restart(w);
        w.fault("GET", "/history", "serverError", "serverError", "serverError");
        return undefined;
      },
    };
    for (const [what, happens] of Object.entries(cases)) {
      const w = scene();
      const first = await w.made(undefined, INPUTS);
      const stored = (await happens(w, first)) ?? first;
      const seen = await w.refresh(stored);
      expect(w.node().provision_state, what).to.equal("active");
      expect(seen?.outs.deployedAt, what).to.equal(w.node().provision_updated_at);
      expect(w.warnings(), what).to.deep.equal([]);
    }
  });
});
