import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { instanceUuidFor } from "../../provider/node/identity.ts";
import { CONFIG_MARKER, configMarker, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import type { Stored } from "../fakes/call.ts";
import { foreign } from "../fakes/deployments.ts";
import { allocationMarkBy, deploymentBy, deploymentMarkBy, settingsBy, settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import { type World, type WorldOptions, world } from "../fakes/world.ts";

const NODE = "00000000-0000-4000-8000-000000000001";
const BASE = { node: "worker-1", ...settingsBy("stack-1", "settings") };
const INPUTS = { ...BASE, bootInterface: "redfish-virtual-media", automatedCleaning: false };
const BEFORE: Partial<Node> = { deploy_interface: "direct", boot_interface: "ipxe", automated_clean: null };
const DEPLOYED = instanceUuidFor({ ...deploymentBy("stack-1", "worker"), nodeUuid: NODE });
const ours = (more: Props = {}) => ({
  instance_uuid: DEPLOYED,
  provision_state: "active",
  deploymentMarker: { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: DEPLOYED, preparedAt: null, ...more },
});

const scene = (node: Partial<Node> = {}, options: WorldOptions = {}): World =>
  world(nodeConfigHandler, { ...options, node: { ...BEFORE, ...node } });

const made = async (node: Partial<Node> = {}, inputs: Props = INPUTS) => {
  const w = scene(node);
  const first = await w.made(undefined, inputs);
  w.client.writes.length = 0;
  w.asked();
  return { w, first };
};

/** Puts a running deployment of the same stack on the node. */
const deploy = (w: World, more: Props = {}): void => {
  const { deploymentMarker, ...fields } = ours(more);
  Object.assign(w.fake.node, fields, { extra: { ...w.fake.node.extra, [DEPLOYMENT_MARKER]: deploymentMarker } });
};

const pathsOf = ({ client }: World): string[] =>
  client.writes.flatMap(({ body }) => (body as { path: string }[]).map(({ path }) => path));

const settings = ({ deploy_interface, boot_interface, automated_clean }: Node): Partial<Node> => ({
  deploy_interface: deploy_interface ?? null,
  boot_interface: boot_interface ?? null,
  automated_clean: automated_clean ?? null,
});
const WRITTEN = { deploy_interface: "ramdisk", boot_interface: "redfish-virtual-media", automated_clean: false };

describe("BaremetalNodeConfig: create", () => {
  it("writes nothing over what Ironic hides: it could not be restored", async () => {
    const w = scene({ driver_info: { kernel_append_params: "nofb token=abc" } });
    const inputs = { ...BASE, driverInfo: { kernel_append_params: "nofb" } };
    const { stored, error } = await w.up(undefined, inputs);
    expect(error?.message).to.match(
      /Ironic hides the value of driver_info\/kernel_append_params of node worker-1 .* could not be restored/,
    );
    expect(stored).to.equal(undefined);
    expect(w.client.writes).to.deep.equal([]);
    const held = { ...BASE, driverInfo: { kernel_append_params: "nofb token=abc" } };
    const { failures } = await nodeConfigHandler.check(undefined, held, w.services, w.call);
    expect(failures).to.have.nested.property("[0].path", "driverInfo.kernel_append_params");
    expect(JSON.stringify(failures)).not.to.contain("abc");
  });

  it("reads once and sends one PATCH with what differs, and what was there before", async () => {
    const w = scene({ boot_interface: "redfish-virtual-media" });
    const { id, outs } = await w.made(undefined, INPUTS);
    expect(w.asked()).to.deep.equal(["GET /nodes/worker-1", "PATCH /nodes/N"]);
    expect(pathsOf(w)).to.deep.equal(["/deploy_interface", "/automated_clean", "/extra/pulumi_ironic"]);
    expect(id).to.equal(NODE);
    const previous = { ...BEFORE, boot_interface: "redfish-virtual-media" };
    expect(outs).to.deep.include({ ...INPUTS, nodeUuid: NODE, nodeName: "worker-1", previous, written: WRITTEN });
    expect(configMarker(w.node())).to.deep.equal({
      ...settingsMarkBy("stack-1", "settings"),
      previous,
      written: WRITTEN,
    });
  });

  it("sets keys of driver_info, capabilities and extra, and leaves those of others", async () => {
    const node = {
      driver_info: { redfish_address: "https://bmc" },
      properties: { capabilities: "boot_mode:bios,cpu_vt:true", local_gb: 1 },
      extra: { rack: 7 },
    };
    const inputs = {
      ...BASE,
      driverInfo: { force_persistent_boot_device: "Always" },
      capabilities: { boot_mode: "uefi", secure_boot: "false" },
      extra: { team: "a/b~c" },
      description: "busy",
    };
    const { w, first } = await made(node, inputs);
    expect(w.node().driver_info).to.deep.equal({ ...node.driver_info, force_persistent_boot_device: "Always" });
    expect(w.node().properties.capabilities).to.equal("boot_mode:uefi,cpu_vt:true,secure_boot:false");
    expect(w.node().extra).to.deep.include({ rack: 7, team: "a/b~c" });
    expect(w.node().description).to.equal("busy");
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.node()).to.deep.include({ ...node, description: null });
    expect(settings(w.node())).to.deep.equal(BEFORE);
  });

  it("leaves capabilities of others letter by letter, whatever their form", async () => {
    for (const [capabilities, set] of [
      ["abc,raid:yes", "abc,raid:yes,boot_mode:uefi"],
      ["cpu:a,cpu:b", "cpu:a,cpu:b,boot_mode:uefi"],
      ["a:b:c, d:e,", "a:b:c, d:e,,boot_mode:uefi"],
      ["boot_mode:a:b,raid: yes", "boot_mode:a:b,raid: yes,boot_mode:uefi"],
      ["raid:yes,boot_mode:bios,boot_mode:x", "raid:yes,boot_mode:uefi,boot_mode:x"],
    ]) {
      const { w, first } = await made(
        { properties: { capabilities } },
        { ...BASE, capabilities: { boot_mode: "uefi" } },
      );
      expect(w.node().properties.capabilities).to.equal(set);
      expect(await w.destroy(first)).to.equal(undefined);
      expect(w.node().properties.capabilities).to.equal(capabilities);
    }
  });

  it("writes nothing over capabilities that are no text", async () => {
    const w = scene({ properties: { capabilities: { raid: "yes" } } });
    const { stored, error } = await w.up(undefined, { ...BASE, capabilities: { boot_mode: "uefi" } });
    expect(error?.message).to.match(
      /properties\.capabilities of node worker-1 .* does not have the form .*Nothing was written/,
    );
    expect(stored).to.equal(undefined);
    expect(w.client.writes).to.deep.equal([]);
    await w.made(undefined, BASE);
    expect(w.node().properties).to.deep.equal({ capabilities: { raid: "yes" } });
  });

  it("after a crash takes the previous values from the node, not from what it wrote itself", async () => {
    for (const fault of ["loseAfter", "hangAfter"] as const) {
      const w = scene();
      w.fault("PATCH", "", fault);
      w.before(({ index }) => index === 2 && w.call.abort());
      expect((await w.up(undefined, INPUTS)).error?.name).to.equal("CancelledError");
      const { outs } = await w.made(undefined, INPUTS);
      expect(outs.previous).to.deep.equal(BEFORE);
      expect(w.client.writes).to.have.length(1);
    }
  });

  it("keeps in the state what a run that was killed had written, also where it cannot go on", async () => {
    const cases: [string, (w: World) => void, Props][] = [
      ["maintenance", (w) => Object.assign(w.fake.node, { maintenance: true }), INPUTS],
      ["another program", (w) => Object.assign(w.fake.node, { maintenance: true }), { ...INPUTS, description: "x" }],
      [
        "interrupted while cleaning",
        (w) => {
          Object.assign(w.fake.node, { provision_state: "cleaning" });
          void w.clock.sleep(2_000).then(() => w.call.abort());
        },
        INPUTS,
      ],
    ];
    for (const [what, then, inputs] of cases) {
      // The engine that was killed has written nothing down.
      const { w } = await made();
      then(w);
      const { stored, error } = await w.up(undefined, inputs);
      expect(error, what).to.be.instanceOf(Error);
      expect(stored?.outs, what).to.deep.include({ nodeUuid: NODE, previous: BEFORE, written: WRITTEN });
      Object.assign(w.fake.node, { provision_state: "available", maintenance: false });
      expect(await w.destroy(stored as Stored), what).to.equal(undefined);
      expect(settings(w.node()), what).to.deep.equal(BEFORE);
      expect(w.node().extra, what).to.deep.equal({});
    }
  });

  it("refuses a node of others, and a second one of its own stack, before a byte is written", async () => {
    const cases: [Partial<Node>, RegExp][] = [
      [{ instance_uuid: OTHER_INSTANCE }, /held by instance/],
      [{ extra: { [DEPLOYMENT_MARKER]: foreign } }, /held by deployment "theirs" of stack stack-2/],
      [{ extra: { [CONFIG_MARKER]: { ...settingsMarkBy("stack-2", "settings") } } }, /of stack stack-2/],
      [{ extra: { [CONFIG_MARKER]: { ...settingsMarkBy("stack-1", "second") } } }, /"second" of this same stack/],
      [{ extra: { [CONFIG_MARKER]: "?" } }, /of stack \(unreadable\)/],
    ];
    for (const [fields, text] of cases) {
      const w = scene(fields);
      const { stored, error } = await w.up(undefined, INPUTS);
      expect(stored).to.equal(undefined);
      expect(error?.message).to.match(text);
      expect(w.client.writes).to.deep.equal([]);
    }
  });

  it("takes a node with a deployment of its own stack, or an allocation of it", async () => {
    const { deploymentMarker, ...fields } = ours();
    const w = scene({ ...fields, ...WRITTEN, extra: { [DEPLOYMENT_MARKER]: deploymentMarker } });
    await w.made(undefined, INPUTS);
    const v = scene({ instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE });
    v.client.allocations.all.push({
      uuid: OTHER_INSTANCE,
      state: "active",
      node_uuid: NODE,
      last_error: null,
      resource_class: "baremetal",
      extra: { pulumi_ironic: allocationMarkBy("stack-1", "any") },
    });
    await v.made(undefined, INPUTS);
    const u = scene({ instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE });
    u.client.allocations.all.push({ ...(v.client.allocations.all[0] as never as object), extra: {} } as never);
    expect((await u.up(undefined, INPUTS)).error?.message).to.match(/held by instance/);
  });

  it("waits where the node is passing through, else fails with the advice", async () => {
    const w = scene({ automated_clean: true });
    w.ironic.provision(NODE, "x", "manage");
    w.ironic.provision(NODE, "x", "provide");
    expect((await w.made(undefined, INPUTS)).outs.written).to.deep.equal(WRITTEN);
    expect(w.clock.now()).to.be.at.least(30_000);
    for (const [state, text] of [
      ["active", /deploy_interface and boot_interface .* cannot be changed while the node is "active"\. .*undeploy/],
      ["clean failed", /cannot be changed while the node is "clean failed"/],
      ["deploy hold", /unhold worker-1/],
      ["clean hold", /unhold worker-1/],
      ["levitating", /which this version does not know/],
    ] as const) {
      const v = scene({ provision_state: state, target_provision_state: state.endsWith("hold") ? "x" : null });
      expect((await v.up(undefined, INPUTS)).error?.message, state).to.match(text);
      expect(v.client.writes).to.deep.equal([]);
    }
  });

  it("does not press on where an operator holds the node and Ironic takes no PATCH at all", async () => {
    for (const state of ["deploy hold", "clean hold"]) {
      const { w, first } = await made();
      w.ironic.move(w.fake, state, "active");
      const { error } = await w.up(first, { ...INPUTS, automatedCleaning: true });
      expect(error?.message).to.match(
        /settings of node worker-1 .* cannot be changed while the node is ".* hold"\. .*unhold/,
      );
      expect(w.client.writes).to.deep.equal([]);
    }
  });

  it("refuses in maintenance set by others", async () => {
    const w = scene({ maintenance: true });
    expect((await w.up(undefined, INPUTS)).error?.message).to.match(/is in maintenance/);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("says what an older Ironic cannot do, and what to do", async () => {
    for (const [minor, inputs] of [
      [46, INPUTS],
      [50, { ...BASE, description: "x" }],
    ] as const) {
      const w = scene({}, { client: { minor } });
      expect((await w.up(undefined, inputs)).error).to.have.property("fault", "unsupported");
      expect(w.client.writes).to.deep.equal([]);
    }
  });

  it("goes on after locks and lost answers", async () => {
    const w = scene();
    w.fault("PATCH", "", "locked", "overloaded", "loseBefore", "unavailableBefore", "loseAfter");
    const { outs } = await w.made(undefined, INPUTS);
    expect(outs.previous).to.deep.equal(BEFORE);
    expect(settings(w.node())).to.deep.equal(WRITTEN);
  });
});

describe("BaremetalNodeConfig: update", () => {
  it("writes per field, and remembers a field only when it is first managed", async () => {
    const { w, first } = await made({}, BASE);
    w.fake.node.boot_interface = "pxe";
    const second = await w.made(first, { ...BASE, bootInterface: "redfish-virtual-media" });
    expect(second.outs.previous).to.deep.equal({ deploy_interface: "direct", boot_interface: "pxe" });
    const third = await w.made(second, { ...BASE, bootInterface: "http" });
    expect(third.outs.previous).to.deep.equal({ deploy_interface: "direct", boot_interface: "pxe" });
  });

  it("restores a field that is dropped at once, unless somebody has changed it", async () => {
    const { w, first } = await made();
    const second = await w.made(first, { ...BASE, automatedCleaning: false });
    expect(w.node().boot_interface).to.equal("ipxe");
    expect(second.outs.written).to.deep.equal({ deploy_interface: "ramdisk", automated_clean: false });
    w.fake.node.automated_clean = true;
    await w.made(second, BASE);
    expect(w.node().automated_clean).to.equal(true);
  });

  it("drops a field that was like that before also where it could not change", async () => {
    const { w, first } = await made({ boot_interface: "http" }, { ...BASE, bootInterface: "http" });
    deploy(w);
    const { outs } = await w.made(first, BASE);
    expect(outs.written).to.deep.equal({ deploy_interface: "ramdisk" });
  });

  it("stays on the node of the state when its name has moved to another", async () => {
    const { w, first } = await made();
    w.fake.node.name = "renamed";
    const other = w.ironic.add({ name: "worker-1" });
    await w.made(first, { ...INPUTS, bootInterface: "http" });
    expect(w.node().boot_interface).to.equal("http");
    expect(other.node.boot_interface).to.equal("ipxe");
  });

  it("takes the state's copy where somebody wiped extra", async () => {
    const { w, first } = await made();
    w.fake.node.extra = {};
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.drift).to.equal("the marker in extra was removed [drift-claim-removed]");
    expect((await w.diff(seen, INPUTS)).changes).to.equal(true);
    const second = await w.made(seen, INPUTS);
    expect(second.outs).to.deep.include({ previous: BEFORE, written: WRITTEN });
    expect(second.outs).not.to.have.property("drift");
  });

  it("changes what an active node allows, and refuses the rest", async () => {
    const { w, first } = await made();
    deploy(w);
    await w.made(first, { ...INPUTS, automatedCleaning: true });
    expect(w.node().automated_clean).to.equal(true);
    const { error } = await w.up(first, { ...INPUTS, bootInterface: "http" });
    expect(error?.message).to.match(/boot_interface .* cannot be changed while the node is "active"/);
  });
});

describe("BaremetalNodeConfig: diff and refresh", () => {
  it("find nothing where nothing changed, whatever the spelling of the node", async () => {
    const { w, first } = await made();
    expect(await w.refresh(first)).to.deep.equal(first);
    for (const node of ["worker-1", NODE])
      expect(await w.diff(first, { ...INPUTS, node })).to.deep.equal({
        changes: false,
        replaces: [],
        deleteBeforeReplace: true,
      });
  });

  it("replace for another node and an unknown one only", async () => {
    const { w, first } = await made();
    w.ironic.add();
    for (const node of ["worker-2", "none", UNKNOWN])
      expect((await w.diff(first, { ...INPUTS, node })).replaces).to.deep.equal(["node"]);
    for (const change of [{ bootInterface: "http" }, { onDestroy: "keep" }, { bootInterface: UNKNOWN }])
      expect(await w.diff(first, { ...INPUTS, ...change })).to.deep.include({ changes: true, replaces: [] });
  });

  it("show drift of managed fields only, and up repairs it", async () => {
    const { w, first } = await made({}, { ...INPUTS, capabilities: { boot_mode: "uefi" }, extra: { a: 1 } });
    Object.assign(w.fake.node, { automated_clean: true, description: "theirs", deploy_interface: "direct" });
    w.fake.node.properties.capabilities = "cpu_vt:true";
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.inputs).to.deep.include({ automatedCleaning: true, deployInterface: "direct", capabilities: {} });
    expect(seen.inputs).not.to.have.property("description");
    const inputs = { ...INPUTS, capabilities: { boot_mode: "uefi" }, extra: { a: 1 } };
    expect((await w.diff(seen, inputs)).changes).to.equal(true);
    const mended = await w.made(seen, inputs);
    expect(settings(w.node())).to.deep.equal(WRITTEN);
    expect(w.node().properties.capabilities).to.equal("cpu_vt:true,boot_mode:uefi");
    expect(mended.outs.previous).to.deep.include(BEFORE);
    expect(await w.destroy(mended)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
  });

  it("say who holds the node, and are gone with it", async () => {
    const { w, first } = await made();
    w.fake.node.instance_uuid = OTHER_INSTANCE;
    expect((await w.refresh(first))?.outs.drift).to.equal(`held by instance ${OTHER_INSTANCE} [node-held]`);
    w.ironic.remove(NODE);
    expect(await w.refresh(first)).to.equal(undefined);
  });
});

describe("BaremetalNodeConfig: destroy", () => {
  it("restores what was there, unset included, and removes the marker, in one PATCH", async () => {
    const { w, first } = await made();
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    expect(w.node().extra).to.deep.equal({});
    expect(w.client.writes).to.have.length(1);
  });

  it("leaves a field that somebody changed since, with a warning", async () => {
    const { w, first } = await made();
    w.fake.node.boot_interface = "http";
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal({ ...BEFORE, boot_interface: "http" });
    expect(w.warnings().join()).to.match(/not restored, because somebody else changed the value: boot_interface/);
  });

  it("keeps all where asked, but not the marker", async () => {
    const { w, first } = await made({}, { ...INPUTS, onDestroy: "keep" });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(WRITTEN);
    expect(w.node().extra).to.deep.equal({});
  });

  it("lets reenableAutomatedCleaning override what was there", async () => {
    for (const [automated_clean, reenableAutomatedCleaning, expected] of [
      [false, true, true],
      [null, true, true],
      [true, false, false],
    ] as const) {
      const { w, first } = await made({ automated_clean }, { ...INPUTS, reenableAutomatedCleaning });
      expect(await w.destroy(first)).to.equal(undefined);
      expect(w.node().automated_clean).to.equal(expected);
    }
  });

  it("waits while a deployment of the stack is on the node, so that it goes without cleaning", async () => {
    const { w, first } = await made();
    deploy(w);
    void w.clock.sleep(10_000).then(() => w.ironic.provision(NODE, "us", "deleted"));
    void w.clock.sleep(15_000).then(() => delete w.fake.node.extra[DEPLOYMENT_MARKER]);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.clock.now()).to.be.at.least(15_000);
    expect(w.client.writes.map(({ before }) => before?.provision_state)).to.deep.equal(["available"]);
    expect(settings(w.node())).to.deep.equal(BEFORE);
  });

  it("with a deployment that is kept: restores what an active node allows, and warns about the interfaces", async () => {
    for (const handedOver of [false, true]) {
      const { w, first } = await made();
      deploy(w, { keep: true });
      if (handedOver) {
        delete w.fake.node.extra[DEPLOYMENT_MARKER];
        Object.assign(w.fake.node.extra[CONFIG_MARKER] as object, { keptInstanceUuid: DEPLOYED });
      }
      expect(await w.destroy(first)).to.equal(undefined);
      expect(settings(w.node())).to.deep.equal({ ...WRITTEN, automated_clean: null });
      expect(w.warnings().join()).to.match(/deploy_interface, boot_interface could not be restored .*"active"/);
      expect(w.node().extra).not.to.have.property(CONFIG_MARKER);
    }
  });

  it("does not wait for ever for a deployment that does not go", async () => {
    const { w, first } = await made();
    deploy(w);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.clock.now()).to.be.within(60_000, 70_000);
    expect(w.warnings().join()).to.match(/could not be restored .*Destroying that deployment restores the rest/);
    expect(configMarker(w.node())).to.deep.include({ restorePending: true, previous: BEFORE, written: WRITTEN });
  });

  it("leaves the rest to a deployment that goes later, unless the stack has taken the settings up again", async () => {
    for (const again of [false, true]) {
      const { w, first } = await made();
      deploy(w);
      await w.destroy(first);
      if (again) await w.made(undefined, INPUTS);
      const held = { ...BASE, resourceName: "worker", nodeUuid: NODE, instanceUuid: DEPLOYED };
      await w.clock.run(deploymentHandler.delete(DEPLOYED, held, w.services, w.call));
      expect(w.node()).to.include({ provision_state: "available", instance_uuid: null });
      expect(settings(w.node())).to.deep.equal(again ? WRITTEN : BEFORE);
      expect(CONFIG_MARKER in w.node().extra).to.equal(again);
    }
  });

  it("refuses a node of others, and writes nothing", async () => {
    for (const fields of [{ instance_uuid: OTHER_INSTANCE }, { extra: { [DEPLOYMENT_MARKER]: foreign } }]) {
      const { w, first } = await made();
      Object.assign(w.fake.node, fields);
      expect((await w.destroy(first))?.message).to.match(/is held by .*nothing was written/);
      expect(w.client.writes).to.deep.equal([]);
    }
  });

  it("goes on under the maintenance of others, and leaves it", async () => {
    const { w, first } = await made();
    w.fake.node.maintenance = true;
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    expect(w.node().maintenance).to.equal(true);
  });

  it("restores from the state where somebody wiped extra, and is over where nothing is left", async () => {
    const { w, first } = await made();
    w.fake.node.extra = {};
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    w.client.writes.length = 0;
    expect(await w.destroy(first)).to.equal(undefined);
    w.ironic.remove(NODE);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.client.writes).to.deep.equal([]);
  });

  it("is done once where the answer is lost", async () => {
    for (const fault of ["loseAfter", "loseBefore", "locked", "hangAfter"] as const) {
      const { w, first } = await made();
      w.fault("PATCH", "", fault);
      expect(await w.destroy(first)).to.equal(undefined);
      expect(settings(w.node())).to.deep.equal(BEFORE);
    }
  });

  it("looks again where another resource of the run restores them just before", async () => {
    const { w, first } = await made();
    let others = true;
    w.before(({ method }) => {
      if (method !== "PATCH" || !others) return;
      others = false;
      delete w.fake.node.extra[CONFIG_MARKER];
    });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    expect(w.node().extra).to.deep.equal({});
  });
});

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
