// Deployments where reads lag some seconds behind what was written.
import { expect } from "chai";
import { A, B, INPUTS, isClean, scene } from "../fakes/deployments.ts";
import { verbs } from "./scene.ts";

/** Of so many replicas one is `lagMs` behind. */
const lagging = (replicas: number, lagMs: number, resolution: "us" | "s") => ({
  ironic: { resolution },
  lagsMs: [lagMs, ...Array<number>(replicas - 1).fill(0)],
});

const CASES = ([1, 2, 3] as const).flatMap((replicas) =>
  ([1_500, 8_000] as const).flatMap((lagMs) => (["us", "s"] as const).map((unit) => [replicas, lagMs, unit] as const)),
);

describe("RamdiskDeployment: among replicas that lag", () => {
  for (const [replicas, lagMs, unit] of CASES)
    it(`starts and ends each machine once: one of ${replicas} is ${lagMs} ms behind, times in ${unit}`, async () => {
      const w = scene({ automated_clean: false }, lagging(replicas, lagMs, unit));
      w.fake.fate.deployMs = 4_000;
      await w.clock.pass(60_000);
      const first = await w.made(undefined, { ...INPUTS, protected: true });
      expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active"]);
      await w.clock.pass(60_000);
      const second = await w.made(first, { ...INPUTS, ...B, protected: true });
      expect(w.fake.boots.map(({ verb }) => verb)).to.deep.equal(["active", "rebuild"]);
      expect(w.fake.runs?.info).to.deep.equal(B);
      expect(second.outs.deployedAt).to.equal(w.node().provision_updated_at);
      await w.clock.pass(60_000);
      w.client.writes.length = 0;
      expect(await w.destroy(second)).to.equal(undefined);
      expect(verbs(w).filter((verb) => verb === "deleted")).to.have.length(1);
      isClean(w.node());
    });

  it("deploys anew on a node from which the same run has just taken a deployment", async () => {
    const lagsMs = [0];
    const w = scene({}, { lagsMs });
    const first = await w.made(undefined, INPUTS);
    await w.clock.pass(60_000);
    expect(await w.destroy(first)).to.equal(undefined);
    const lagsOfNext = [5_000];
    w.before(() => {
      lagsMs[0] = lagsOfNext.pop() ?? 0;
    });
    await w.made(undefined, INPUTS);
    expect(w.fake.boots).to.have.length(2);
    expect(w.node().provision_state).to.equal("active");
  });

  it("does not start a machine again whose start the history of a replica does not have yet", async () => {
    const lagsMs = [0];
    const w = scene({}, { lagsMs });
    const first = await w.made(undefined, INPUTS);
    await w.clock.pass(60_000);
    w.fake.fate.deployMs = 300;
    w.fault("PUT", "/states/provision", "loseAfter");
    w.before(({ path }) => {
      lagsMs[0] = path.endsWith("/history") ? 5_000 : 0;
    });
    await w.made(first, { ...INPUTS, ...B });
    expect(w.fake.boots.map(({ info }) => info)).to.deep.equal([A, B]);
  });

  it("does not call a rebuild done before it began", async () => {
    const w = scene({}, { lagsMs: [3_000] });
    await w.clock.pass(60_000);
    const first = await w.made(undefined, INPUTS);
    await w.clock.pass(60_000);
    const from = w.clock.now();
    await w.made(first, { ...INPUTS, ...B });
    expect(w.clock.now() - from).to.be.at.least(w.fake.fate.deployMs);
    expect(w.fake.runs?.info).to.deep.equal(B);
    expect(w.fake.boots.map(({ info }) => info)).to.deep.equal([A, B]);
  });
});
