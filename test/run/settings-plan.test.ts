import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import type { Node } from "../../provider/node/node.ts";
import { createSettingsPlan, type SettingsPlan } from "../../provider/run/settings-plan.ts";
import { virtualClock } from "../fakes/clock.ts";
import { nodeIn } from "../fakes/nodes.ts";

const TIMEOUT_MS = 60_000;

describe("settings of the same program", () => {
  let settings: SettingsPlan;
  beforeEach(() => {
    settings = createSettingsPlan();
  });

  const scene = (fields: Partial<Node> = {}, timeoutMs = TIMEOUT_MS) => {
    const clock = virtualClock();
    const controller = new AbortController();
    const node = nodeIn("available", "free", fields);
    const start = () => settings.whenSettled(node, { clock, signal: controller.signal, timeoutMs });
    const fails = (work: Promise<unknown>): Promise<Error> =>
      clock.run(
        work.then(
          () => expect.fail("it did not fail"),
          (error: Error) => error,
        ),
      );
    return { clock, controller, node, start, fails };
  };
  const other = { deploy_interface: "direct" };

  it("are found by the node's name and by its UUID", () => {
    const { node } = scene();
    expect(settings.of(node)).to.equal(undefined);
    settings.add({ node: "worker-1", bootInterface: "pxe", uncertain: false });
    expect(settings.of(node)).to.deep.include({ bootInterface: "pxe" });
    expect(settings.of({ uuid: node.uuid, name: null })).to.equal(undefined);
    settings.add({ node: node.uuid, bootInterface: "ipxe", uncertain: false });
    expect(settings.of(node)).to.deep.include({ bootInterface: "ipxe" });
  });

  it("are not waited for when they stand, or when the node is ready without any", async () => {
    const { clock, start } = scene();
    expect(await clock.run(start())).to.equal(false);
    settings.add({ node: "worker-1", deployInterface: "ramdisk", automatedCleaning: undefined, uncertain: false });
    expect(await clock.run(start())).to.equal(false);
    expect(clock.now()).to.equal(0);
  });

  it("are waited for, and the node is read again", async () => {
    const { clock, start } = scene(other);
    settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    void clock.sleep(5_000).then(() => settings.settle("worker-1"));
    expect(await clock.run(start())).to.equal(true);
    expect(clock.now()).to.equal(5_000);
  });

  it("that another resource registers a moment later are waited for too", async () => {
    const { clock, start } = scene(other);
    void clock.sleep(3_000).then(() => settings.add({ node: "worker-2", uncertain: false }));
    void clock
      .sleep(5_000)
      .then(() => settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false }));
    void clock.sleep(9_000).then(() => settings.settle("worker-1"));
    expect(await clock.run(start())).to.equal(true);
    expect(clock.now()).to.equal(9_000);
  });

  it("that never come cost ten seconds, after which the node is read again", async () => {
    const { clock, start } = scene(other);
    expect(await clock.run(start())).to.equal(true);
    expect(clock.now()).to.equal(10_000);
  });

  it("that failed are the deployment's failure", async () => {
    const { fails, start } = scene(other);
    settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    settings.settle("worker-1", new Error("it failed"));
    expect((await fails(start())).message).to.equal("it failed");
  });

  it("that do not come to stand end with the deployment's own deadline", async () => {
    const { clock, fails, start } = scene(other);
    settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    const error = await fails(start());
    expect(error).to.be.instanceOf(ProblemError);
    expect(error.message).to.match(/settings .* for node worker-1 were not in place within 60 s.*was not begun/);
    expect(clock.now()).to.equal(TIMEOUT_MS);
  });

  describe("that are not part of the run", () => {
    const PLANNED = { node: "worker-1", resourceName: "config-1", deployInterface: "ramdisk", uncertain: false };

    it("end the wait after a minute, with their name and what to do", async () => {
      const { clock, fails, start } = scene(other, 1_800_000);
      settings.add(PLANNED);
      const error = await fails(start());
      expect(error).to.have.property("code", "settings-not-ready");
      expect(error.message).to.match(
        /node worker-1 .* the BaremetalNodeConfig "config-1" does not begin .* --target`, name the BaremetalNodeConfig .*--target-dependents/,
      );
      expect(clock.now()).to.equal(60_000);
    });

    it("are waited for as long as others of the run get on, and as long as it takes once they have begun", async () => {
      const { clock, start } = scene(other, 1_800_000);
      settings.add(PLANNED);
      for (const atMs of [50_000, 100_000, 150_000])
        void clock.sleep(atMs).then(() => settings[atMs === 100_000 ? "settle" : "begin"](`other-${atMs}`));
      void clock.sleep(200_000).then(() => settings.begin("worker-1"));
      void clock.sleep(1_700_000).then(() => settings.settle("worker-1"));
      expect(await clock.run(start())).to.equal(true);
      expect(clock.now()).to.equal(1_700_000);
    });
  });

  it("that were announced late have no more time than others", async () => {
    const { clock, fails, start } = scene(other);
    void clock
      .sleep(5_000)
      .then(() => settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false }));
    expect((await fails(start())).message).to.contain("within 60 s");
    expect(clock.now()).to.equal(TIMEOUT_MS);
  });

  it("are not waited for after an interruption", async () => {
    const { clock, controller, fails, start } = scene(other);
    settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    void clock.sleep(1_000).then(() => controller.abort(new Error("stop")));
    expect((await fails(start())).message).to.equal("stop");
    expect(clock.now()).to.equal(1_000);
  });

  it("compare each setting with the node, and unknown ones with none", async () => {
    const meets = { bootInterface: "ipxe", deployInterface: "ramdisk", automatedCleaning: false };
    const { clock, start } = scene({ boot_interface: "ipxe", automated_clean: false });
    for (const [key, wrong] of Object.entries({
      bootInterface: "pxe",
      deployInterface: "direct",
      automatedCleaning: true,
    })) {
      settings = createSettingsPlan();
      settings.add({ node: "worker-1", ...meets, [key]: wrong, uncertain: false });
      settings.settle("worker-1");
      expect(await clock.run(start()), key).to.equal(true);
    }
    settings = createSettingsPlan();
    settings.add({ node: "worker-1", ...meets, bootInterface: undefined, uncertain: true });
    expect(await clock.run(start())).to.equal(false);
  });
});
