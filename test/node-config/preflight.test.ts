import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { foreign } from "../fakes/deployments.ts";
import { deploymentBy, settingsBy, settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { WorldOptions } from "../fakes/world.ts";
import { INPUTS, scene } from "./scene.ts";

describe("BaremetalNodeConfig: check", () => {
  const ANY: WorldOptions = { client: { driver: {} } };
  const check = async (inputs: Props, node: Partial<Node> = {}, olds?: Props, options = ANY) => {
    const w = scene(node, options);
    const { call } = w;
    const { failures } = await w.clock.run(nodeConfigHandler.check(olds, inputs, w.services, call));
    return { w, call, failures, reasons: failures.map(({ path, reason }) => `${path}: ${reason}`) };
  };
  it("tells the deployments of the program what is planned", async () => {
    const { w, failures } = await check({ ...INPUTS, bootInterface: UNKNOWN });
    expect(failures).to.deep.equal([]);
    expect(w.services.run.settings.of(w.node())).to.deep.include({
      deployInterface: "ramdisk",
      bootInterface: undefined,
      automatedCleaning: false,
      uncertain: true,
    });
  });
  for (const begins of ["diff", "create", "never"] as const)
    it(`tells them that its ${begins} has begun, so that they wait for it`, async () => {
      const { w } = await check({ ...INPUTS, resourceName: "config-1" });
      w.fake.node.deploy_interface = "direct";
      const { settings } = w.services.run;
      const state = { ...INPUTS, nodeUuid: w.fake.node.uuid, previous: {}, written: {} };
      if (begins === "diff")
        await nodeConfigHandler.diff("id", state, { ...INPUTS, description: "new" }, w.services, w.call);
      if (begins === "create") {
        w.fake.node.reservation = "conductor-1";
        void nodeConfigHandler.create(INPUTS, w.services, w.call).catch(() => undefined);
      }
      const waiting = { clock: w.clock, signal: w.call.signal, timeoutMs: 300_000 };
      const [ended] = await w.clock.run(Promise.allSettled([settings.whenSettled(w.node(), waiting)]));
      const message = begins === "never" ? /"config-1" does not begin/ : /were not in place within 300 s/;
      expect(ended).to.have.nested.property("reason.message").that.matches(message);
    });

  it("asks Ironic once per run, together with the deployments, and not at all where nothing changed", async () => {
    const { w, call } = await check(INPUTS);
    const held = {
      node: "worker-1",
      kernel: "file:///k",
      ramdisk: "file:///r",
      ...deploymentBy("stack-1", "worker"),
    };
    await w.clock.run(
      nodeConfigHandler.check(undefined, { ...INPUTS, ...settingsBy("stack-1", "other") }, w.services, call),
    );
    await w.clock.run(deploymentHandler.check(undefined, held, w.services, call));
    expect(w.asked()).to.deep.equal(["GET /nodes", "GET /ports", "GET /drivers/redfish"]);
    expect((await check(INPUTS, {}, INPUTS)).w.asked()).to.deep.equal([]);
    expect((await check({ ...INPUTS, node: UNKNOWN })).w.asked()).to.deep.equal([]);
  });

  const marked = (key: string, marker: object) => ({ extra: { [key]: marker } });
  const theirs = marked(CONFIG_MARKER, { ...settingsMarkBy("stack-2", "theirs") });
  const driver = { enabled_boot_interfaces: ["ipxe"], enabled_deploy_interfaces: ["direct"] };
  const former = { ...INPUTS, description: "former" };
  const refusals: [title: string, inputs: Props, node: Partial<Node>, olds: Props | undefined, reasons: string[]][] = [
    [
      "a node that is not there",
      { ...INPUTS, node: "worker-9" },
      {},
      undefined,
      ["node: there is no such node in this Ironic, or this account cannot see it"],
    ],
    [
      "settings of another stack",
      INPUTS,
      theirs,
      undefined,
      ['node: is held by BaremetalNodeConfig "theirs" of stack stack-2'],
    ],
    [
      "settings of another stack, whose identity is not known yet",
      { ...INPUTS, stackId: UNKNOWN },
      theirs,
      undefined,
      ['node: is held by BaremetalNodeConfig "theirs" of stack stack-2'],
    ],
    [
      "settings of another stack at update",
      INPUTS,
      theirs,
      former,
      ['node: is held by BaremetalNodeConfig "theirs" of stack stack-2'],
    ],
    [
      "a deployment of another stack",
      INPUTS,
      marked(DEPLOYMENT_MARKER, foreign),
      undefined,
      ['node: is held by deployment "theirs" of stack stack-2'],
    ],
  ];
  for (const [title, inputs, node, olds, reasons] of refusals)
    it(`refuses ${title}`, async () => expect((await check(inputs, node, olds)).reasons).to.deep.equal(reasons));

  it("refuses interfaces that are not enabled for the node's driver", async () => {
    const { reasons } = await check(INPUTS, {}, undefined, { client: { driver } });
    expect(reasons).to.deep.equal([
      "node: the deploy interface ramdisk is not enabled for its driver redfish; enabled are direct",
      "node: the boot interface redfish-virtual-media is not enabled for its driver redfish; enabled are ipxe",
    ]);
    const unknown = { ...INPUTS, bootInterface: UNKNOWN, deployInterface: UNKNOWN };
    expect((await check(unknown, {}, undefined, { client: { driver } })).reasons).to.deep.equal([]);
  });

  it("says so as the stack's configuration wants it", async () => {
    const asWarnings = { ...ANY, settings: { preflight: "warn" } };
    const { reasons, call } = await check(INPUTS, theirs, undefined, asWarnings);
    expect(reasons).to.deep.equal([]);
    expect(call.warnings).to.deep.equal(['Node worker-1: is held by BaremetalNodeConfig "theirs" of stack stack-2.']);
    const off = await check(INPUTS, theirs, undefined, { ...ANY, settings: { preflight: "off" } });
    expect([off.reasons, off.call.warnings, off.w.asked()]).to.deep.equal([[], [], []]);
  });

  const accepted: [title: string, node: Partial<Node>, olds?: Props][] = [
    ["what is its own", marked(CONFIG_MARKER, { ...settingsMarkBy("stack-1", "settings") })],
    [
      "a node on which a deployment of the stack is",
      { ...marked(DEPLOYMENT_MARKER, { ...foreign, stackId: "stack-1" }) },
    ],
    ["an instance_uuid of which only an allocation can tell whose it is", { instance_uuid: OTHER_INSTANCE }],
    [
      "a node that was renamed since",
      { name: "renamed", ...marked(CONFIG_MARKER, { ...settingsMarkBy("stack-1", "settings") }) },
      former,
    ],
    ["a node that is gone since, which is for the update to see", { name: "renamed" }, former],
  ];
  for (const [title, node, olds] of accepted)
    it(`accepts ${title}`, async () => expect((await check(INPUTS, node, olds)).reasons).to.deep.equal([]));
});
