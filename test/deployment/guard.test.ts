// Writes to a machine that is ours say so in the write itself: between the look and the write it may change hands.
import { expect } from "chai";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { PatchOp } from "../../provider/node/node.ts";
import type { Stored } from "../fakes/call.ts";
import { B, DRIVE, foreign, INPUTS, isClean, OURS, scene } from "../fakes/deployments.ts";
import { settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";
import { deployed, verbs } from "./scene.ts";

const GUARD = { op: "add", path: "/instance_uuid", value: OURS };
const patches = ({ client }: World): PatchOp[][] =>
  client.writes.filter(({ method }) => method === "PATCH").map(({ body }) => body as PatchOp[]);
const isGuarded = (ops: PatchOp[]): boolean => JSON.stringify(ops[0]) === JSON.stringify(GUARD);

/** Does `deed` just before the next PATCH arrives. */
function beforePatch(w: World, deed: () => void): void {
  let isDone = false;
  w.before(({ method }) => {
    if (method !== "PATCH" || isDone) return;
    isDone = true;
    deed();
  });
}

/** Undeployed by others, and free. */
function giveBack(w: World): void {
  Object.assign(w.fake.node, { instance_uuid: null, instance_info: {}, extra: {} });
  w.fake.runs = undefined;
  w.ironic.move(w.fake, "available");
}

const CHANGES: Readonly<Record<string, Record<string, unknown>>> = {
  "a new ramdisk": { ...INPUTS, ...B },
  "a new drive": { ...INPUTS, configDrive: DRIVE },
  protection: { ...INPUTS, protected: true },
  "what happens on destroy": { ...INPUTS, onDestroy: "keep" },
};

describe("RamdiskDeployment: a write to a machine that is ours", () => {
  for (const [what, news] of Object.entries(CHANGES)) {
    it(`carries our instance_uuid as a guard, and costs no request more (${what})`, async () => {
      const { w, first } = await deployed();
      await w.made(first, news);
      expect(patches(w).map(isGuarded)).to.deep.equal(patches(w).map(() => true));
      expect(patches(w)).to.have.length(1);
    });

    it(`changes nothing on a node that others took between look and write (${what})`, async () => {
      const { w, first } = await deployed();
      const theirs = { instance_uuid: OTHER_INSTANCE, extra: { [DEPLOYMENT_MARKER]: foreign } };
      beforePatch(w, () => Object.assign(w.fake.node, structuredClone(theirs)));
      const { error } = await w.up(first, news);
      expect(error).to.have.property("code", "node-held");
      expect(w.node()).to.deep.include(theirs);
      expect(w.client.writes.filter(({ applied }) => applied)).to.deep.equal([]);
    });

    // Ironic protects no node that is available.
    if (what === "protection") continue;
    for (const answer of ["answered", "locked"])
      it(`is taken back at once from a node that was given back between look and write (${what}, ${answer})`, async () => {
        const { w, first } = await deployed();
        beforePatch(w, () => giveBack(w));
        let patched = 0;
        w.before(({ method }) => {
          if (method === "PATCH" && ++patched === 2 && answer === "locked") w.fault("PATCH", "", "locked");
        });
        const { error } = await w.up(first, news);
        expect(error).to.have.property("code", "node-changed-by-others");
        expect(error?.message).to.match(/was undeployed by somebody else .* taken off again/);
        isClean(w.node());
        expect(verbs(w).filter((verb) => verb !== "PATCH")).to.deep.equal([]);
        // The next run deploys it again.
        expect((await w.diff(first, news)).changes).to.equal(true);
      });
  }

  it("is taken back as well where the deployment had failed", async () => {
    const w = scene({}, {});
    w.fake.fate.deployFails = 1;
    const { stored } = await w.up(undefined, INPUTS);
    beforePatch(w, () => giveBack(w));
    const { error } = await w.up(stored as Stored, { ...INPUTS, ...B });
    expect(error).to.have.property("code", "node-changed-by-others");
    isClean(w.node());
  });

  it("leaves an allocation's instance_uuid where the node was given back, and takes the marker off", async () => {
    const { w, first } = await deployed(
      { instance_uuid: OURS, allocation_uuid: OURS },
      { ...INPUTS, allocation: OURS },
    );
    beforePatch(w, () => {
      w.fake.node.instance_info = {};
      w.ironic.move(w.fake, "available");
    });
    const { error } = await w.up(first, { ...INPUTS, ...B, allocation: OURS });
    expect(error).to.have.property("code", "node-changed-by-others");
    expect(w.node()).to.deep.include({ instance_uuid: OURS, instance_info: {}, extra: {} });
  });

  it("takes the protection off with the guard, and gives back without it", async () => {
    const { w, first } = await deployed({}, { ...INPUTS, protected: true });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(patches(w).map(isGuarded)).to.deep.equal([true, false]);
    isClean(w.node());
  });

  it("is never guarded where the deployment leaves, be it with its machine or without", async () => {
    const extra = { [CONFIG_MARKER]: settingsMarkBy("stack-1", "settings") };
    const { w, first } = await deployed({ extra }, { ...INPUTS, onDestroy: "keep" });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(patches(w).map(isGuarded)).to.deep.equal([false]);
  });
});

describe("RamdiskDeployment: an account that may not write instance_uuid", () => {
  const allocated = { instance_uuid: OURS, allocation_uuid: OURS };
  const inputs = { ...INPUTS, allocation: OURS };
  const narrow = { client: { forbidden: ["/instance_uuid"] } };

  async function running(): Promise<{ w: World; first: Stored }> {
    const w = scene(allocated, narrow);
    const first = await w.made(undefined, inputs);
    w.client.writes.length = 0;
    return { w, first };
  }

  it("reads before, and writes without the guard to the node that its allocation holds", async () => {
    const { w, first } = await running();
    await w.made(first, { ...inputs, ...B });
    expect(w.fake.runs?.info).to.deep.include(B);
  });

  it("writes nothing where the look before shows another state", async () => {
    const { w, first } = await running();
    beforePatch(w, () => Object.assign(w.fake.node, { instance_uuid: OTHER_INSTANCE, extra: {} }));
    const { error } = await w.up(first, { ...inputs, ...B });
    expect(error).to.have.property("code", "node-held");
    expect(w.client.writes.filter(({ applied }) => applied)).to.deep.equal([]);
  });

  it("takes its marker off where the answer shows that the node was given back", async () => {
    const { w, first } = await running();
    let count = 0;
    w.before(({ method }) => {
      if (method === "PATCH" && ++count === 2) giveBack(w);
    });
    const { error } = await w.up(first, { ...inputs, ...B });
    expect(error).to.have.property("code", "node-changed-by-others");
    expect(w.node().extra).to.deep.equal({});
  });

  it("is refused as ever where no allocation holds the node", async () => {
    const w = scene({}, narrow);
    expect((await w.up(undefined, INPUTS)).error).to.have.property("fault", "forbidden");
  });
});
