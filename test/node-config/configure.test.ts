import { expect } from "chai";
import { CONFIG_MARKER, configMarker, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { nodeConfigHandler } from "../../provider/node-config/handler.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { foreign } from "../fakes/deployments.ts";
import { allocationMarkBy, settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";
import { BASE, BEFORE, INPUTS, made, NODE, ours, scene, settings, WRITTEN } from "./scene.ts";

const pathsOf = ({ client }: World): string[] =>
  client.writes.flatMap(({ body }) => (body as { path: string }[]).map(({ path }) => path));

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
