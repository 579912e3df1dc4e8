import { expect } from "chai";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { bootHashOf } from "../../provider/node/slow-hash.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { type Stored, slowHash } from "../fakes/call.ts";
import { A, B, DRIVE, foreign, INPUTS, NODE, OURS, scene } from "../fakes/deployments.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";

const [DEBUG, QUIET] = await Promise.all(
  ["debug", "quiet"].map((ramdisk_kernel_arguments) => bootHashOf(slowHash, { ...A, ramdisk_kernel_arguments }, OURS)),
);

describe("RamdiskDeployment: refresh", () => {
  it("stores no drift that steers the terminal which shows it", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.fake.node.extra[DEPLOYMENT_MARKER] = { ...foreign, resourceName: "a\u001b[2J\nb" };
    expect((await w.refresh(first))?.outs.drift).to.match(
      /^held by deployment "a\\u001b\[2J\\u000ab" of .*\[node-held\]$/,
    );
  });

  it("does not take for running what a crash kept from the machine, though the program wants just that", async () => {
    const w = scene();
    const first = await w.made(undefined, { ...INPUTS, kernelArguments: "one" });
    w.before(({ method, body }) => {
      if (method === "PUT" && (body as Props).target === "rebuild") throw new Error("the engine was killed");
    });
    const program = { ...INPUTS, kernelArguments: "two" };
    expect((await w.up(first, program)).error).to.be.instanceOf(Error);
    expect(w.node().instance_info.ramdisk_kernel_arguments).to.equal("two");
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.inputs.kernelArguments).to.equal("two");
    expect((await w.diff(seen, program)).changes).to.equal(true);
  });

  const drifted = async (change: (w: World) => void, inputs: Props = INPUTS) => {
    const w = scene();
    const first = await w.made(undefined, inputs);
    change(w);
    return { w, first, seen: await w.refresh(first) };
  };

  it("sees nothing where nothing is different", async () => {
    const { first, seen } = await drifted(() => undefined, { ...INPUTS, configDrive: DRIVE, kernelArguments: "" });
    expect(seen).to.deep.equal(first);
  });

  it("is gone with the node, and only with it", async () => {
    const gone = await drifted((w) => {
      w.ironic.add();
      w.ironic.remove(NODE);
    });
    expect(gone.seen).to.equal(undefined);
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.fault("GET", "/nodes/", "noConductor");
    let failure: unknown;
    await w.refresh(first).catch((error: unknown) => {
      failure = error;
    });
    expect(failure).to.have.property("fault", "noConductor");
  });

  const CASES: Record<string, { change: (node: Node) => void; drift?: RegExp; inputs?: Props; boots?: number }> = {
    "another kernel": {
      change: (node) => {
        node.instance_info.kernel = B.kernel;
      },
      inputs: { kernel: B.kernel },
    },
    "kernel arguments that were added": {
      change: (node) => {
        node.instance_info.ramdisk_kernel_arguments = "debug";
      },
      inputs: { kernelArguments: "debug" },
    },
    "kernel arguments that were removed": {
      change: (node) => {
        delete node.instance_info.ramdisk_kernel_arguments;
      },
    },
    "a change that a crash kept from the machine": {
      change: (node) => {
        node.instance_info.ramdisk_kernel_arguments = "debug";
        Object.assign(node.extra[DEPLOYMENT_MARKER] as object, {
          preparedAt: node.provision_updated_at,
          bootHash: DEBUG,
          runningBootHash: QUIET,
        });
      },
      drift: /was not restarted/,
      // The machine runs what is wanted all the time.
      boots: 1,
    },
    "a drive that was removed": {
      change: (node) => {
        delete node.instance_info.configdrive;
      },
      drift: /config drive/,
    },
  };
  for (const [what, { change, drift, inputs, boots = 2 }] of Object.entries(CASES))
    it(`sees ${what}, and up repairs it ${boots === 1 ? "without a reboot" : "by one reboot"}`, async () => {
      const program = { ...INPUTS, kernelArguments: "quiet", configDrive: DRIVE };
      const { w, seen } = await drifted((each) => change(each.fake.node), program);
      if (drift) expect(seen?.outs.drift).to.match(drift);
      if (inputs) expect(seen?.inputs).to.deep.include(inputs);
      if (!drift && !inputs) expect(seen?.inputs).not.to.have.property("kernelArguments");
      expect((await w.diff(seen as Stored, program)).changes).to.equal(true);
      const mended = await w.made(seen, program);
      expect(w.fake.boots).to.have.length(boots);
      expect(w.node().instance_info).to.deep.include({ ...A, ramdisk_kernel_arguments: "quiet" });
      expect(w.fake.runs?.info).to.deep.include({ ...A, ramdisk_kernel_arguments: "quiet" });
      expect(w.fake.runs?.drive).to.deep.equal(DRIVE);
      const again = (await w.refresh(mended)) as Stored;
      expect(again.outs).not.to.have.property("drift");
      expect((await w.diff(again, program)).changes).to.equal(false);
    });

  it("says maintenance, fault, power, and who holds the node now", async () => {
    const cases: [Partial<Node>, Props][] = [
      [
        { maintenance: true, fault: "power failure" },
        { drift: "in maintenance (power failure) [node-in-maintenance]" },
      ],
      [{ power_state: "power off" }, { powerState: "power off" }],
      [{ instance_uuid: OTHER_INSTANCE }, { drift: `held by instance ${OTHER_INSTANCE} [node-held]` }],
      [{ instance_uuid: null }, { drift: "instance_uuid was removed [drift-claim-removed]" }],
      [{ extra: {} }, { drift: "the marker in extra was removed [drift-claim-removed]" }],
      [
        { extra: {}, instance_uuid: null },
        { drift: "instance_uuid and the marker in extra were removed [drift-claim-removed]" },
      ],
      [{ provision_state: "rescue" }, { provisionState: "rescue" }],
    ];
    for (const [change, expected] of cases) {
      const { seen } = await drifted((w) => Object.assign(w.fake.node, change));
      expect(seen?.outs, JSON.stringify(change)).to.deep.include(expected);
    }
  });

  it("forgets a drift that is over", async () => {
    const { w, seen } = await drifted((each) => Object.assign(each.fake.node, { maintenance: true }));
    w.fake.node.maintenance = false;
    expect((await w.refresh(seen as Stored))?.outs).not.to.have.property("drift");
  });

  it("shows a protection that others lifted, where one was asked for", async () => {
    const { seen } = await drifted((w) => Object.assign(w.fake.node, { protected: false }), {
      ...INPUTS,
      protected: true,
    });
    expect(seen?.inputs.protected).to.equal(false);
  });

  it("follows a new name of the node", async () => {
    const { seen } = await drifted((w) => Object.assign(w.fake.node, { name: "renamed" }));
    expect(seen?.outs.nodeName).to.equal("renamed");
  });
});
