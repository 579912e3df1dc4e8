import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Stored } from "../fakes/call.ts";
import { A, INPUTS, NODE, OURS, scene } from "../fakes/deployments.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";
import { deployed } from "./scene.ts";

describe("the handler of RamdiskDeployment", () => {
  const instanceOn = ({ services }: World) => services.run.instances.of(NODE, OURS);

  it("checks against Ironic what has changed since the state, and nothing else", async () => {
    const { w, first } = await deployed();
    const { outs } = first;
    w.fake.node.maintenance = true;
    const check = (olds: typeof outs | undefined, news: typeof outs) =>
      w.clock.run(deploymentHandler.check(olds, news, w.services, w.call));
    expect((await check(outs, INPUTS)).failures).to.deep.equal([]);
    expect(w.asked()).to.deep.equal([]);
    for (const [olds, news] of [
      [outs, { ...INPUTS, kernelArguments: "quiet" }],
      [undefined, INPUTS],
    ] as const) {
      const failures = (await check(olds, news)).failures.map(({ path }) => path);
      expect(failures).to.include("node");
    }
  });

  const WAYS: Readonly<Record<string, (w: World, first: Stored) => Promise<unknown>>> = {
    diff: (w, first) => w.diff(first, INPUTS),
    refresh: (w, first) => w.refresh(first),
  };
  for (const [verb, work] of Object.entries(WAYS))
    it(`tells the run of ${verb} which instance the state has on the node`, async () => {
      const { w, first } = await deployed();
      expect(instanceOn(w)).to.equal(undefined);
      await work(w, first);
      expect(instanceOn(w)).to.equal("held");
    });

  it("keeps through updates whose it is and that it was adopted, whatever the program says by then", async () => {
    const running = { provision_state: "active", instance_info: A, instance_uuid: OTHER_INSTANCE };
    const w = scene(running);
    const adopt = { ...INPUTS, adopt: OTHER_INSTANCE };
    const { stackId, resourceId, resourceName } = INPUTS;
    let stored = await w.made(undefined, adopt);
    for (const timeoutSeconds of [60, 61]) {
      const renamed = { resourceId: "ironic:RamdiskDeployment::renamed", resourceName: "renamed" };
      stored = await w.made(stored, { ...adopt, ...renamed, timeoutSeconds });
      expect(stored.outs).to.deep.include({ stackId, resourceId, resourceName, adopted: true, timeoutSeconds });
      expect(w.node().extra[DEPLOYMENT_MARKER]).to.include({ resourceId, keep: true });
    }
  });

  it("deploys on the node as it is once its settings stand, not as it found it", async () => {
    const w = scene({ deploy_interface: "direct", instance_info: {} });
    w.services.run.settings.add({ node: "worker-1", deployInterface: "ramdisk", uncertain: false });
    void w.clock.sleep(5_000).then(() => {
      Object.assign(w.fake.node, { deploy_interface: "ramdisk", instance_info: { image_source: "http://left" } });
      w.services.run.settings.settle("worker-1");
    });
    await w.made(undefined, INPUTS);
    // Else it would have to write twice.
    expect(w.asked().slice(0, 4)).to.deep.equal([
      "GET /nodes/worker-1",
      "GET /nodes/N",
      "PATCH /nodes/N",
      "GET /nodes/N/validate",
    ]);
    expect(w.fake.runs?.info).to.deep.equal(A);
  });
});
