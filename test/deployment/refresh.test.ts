import { expect } from "chai";
import { ProblemError } from "../../provider/core/errors.ts";
import { DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { bootHashOf } from "../../provider/node/slow-hash.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { type Stored, slowHash } from "../fakes/call.ts";
import { A, B, DRIVE, INPUTS, NODE, OURS, scene } from "../fakes/deployments.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";

const [DEBUG, QUIET] = await Promise.all(
  ["debug", "quiet"].map((ramdisk_kernel_arguments) => bootHashOf(slowHash, { ...A, ramdisk_kernel_arguments }, OURS)),
);

describe("RamdiskDeployment: diff", () => {
  it("finds nothing where nothing changed, whatever the spelling of the node", async () => {
    const w = scene();
    const first = await w.made(undefined, { ...INPUTS, configDrive: DRIVE });
    w.asked();
    for (const node of ["worker-1", NODE]) {
      const text = `{ "meta_data": {"name": "worker-1"} }`;
      const diff = await w.diff(first, { ...INPUTS, node, configDrive: text });
      expect(diff).to.deep.equal({ changes: false, replaces: [], deleteBeforeReplace: true });
    }
    expect(w.asked()).to.deep.equal([]);
  });

  it("replaces for another node, an unknown one, and another allocation", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    const second = w.ironic.add();
    for (const change of [{ node: "worker-2" }, { node: second.node.uuid }, { node: "none" }, { node: UNKNOWN }])
      expect(await w.diff(first, { ...INPUTS, ...change })).to.deep.include({ changes: true, replaces: ["node"] });
    expect((await w.diff(first, { ...INPUTS, allocation: OTHER_INSTANCE })).replaces).to.deep.equal(["allocation"]);
  });

  it("asks Ironic whether a new name is the same node", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.fake.node.name = "renamed";
    expect((await w.diff(first, { ...INPUTS, node: "renamed" })).changes).to.equal(false);
  });

  it("replaces nothing while Ironic does not say whether a new name is the same node", async () => {
    for (const fault of ["overloaded", "unreachable", "serverError", "noConductor"] as const) {
      const w = scene();
      const first = await w.made(undefined, INPUTS);
      w.fault("GET", "/nodes/renamed", fault);
      const error = await w.diff(first, { ...INPUTS, node: "renamed" }).catch((thrown: Error) => thrown);
      expect(error, fault).to.be.instanceOf(ProblemError);
      expect((error as Error).message).to.match(
        /^It is not known whether renamed is the node that the state knows as worker-1, .*Nothing was changed\. Run again/,
      );
    }
  });

  it("stops asking whether a new name is the same node when the run is interrupted", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.fault("GET", "/nodes/renamed", "hangBefore");
    w.before(() => w.call.abort());
    const startMs = w.clock.now();
    const error = await w.diff(first, { ...INPUTS, node: "renamed" }).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(Error);
    expect(w.clock.now() - startMs).to.equal(0);
  });

  it("updates for each input, for unknown drives, and for what is wrong with the machine", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    for (const change of [
      { kernel: B.kernel },
      { kernelArguments: "quiet" },
      { configDrive: DRIVE },
      { configDrive: UNKNOWN },
      { onDestroy: "keep" },
      { readiness: { tcp: "h:1" } },
    ])
      expect(await w.diff(first, { ...INPUTS, ...change })).to.deep.include({ changes: true, replaces: [] });
    for (const outs of [{ provisionState: "error" }, { drift: "x" }, { ready: false }])
      expect((await w.diff({ ...first, outs: { ...first.outs, ...outs } }, INPUTS)).changes).to.equal(true);
  });
});

describe("RamdiskDeployment: refresh", () => {
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
    expect((await drifted((w) => w.ironic.remove(NODE))).seen).to.equal(undefined);
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
