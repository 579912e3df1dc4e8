/** A mark on a node is a hint: what it wants to be written that no state knows is written from a closed list only. */
import { expect } from "chai";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { CONFIG_MARKER, configMarker, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { restoreByMark } from "../../provider/node-config/handler.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { deploymentBy, deploymentMarkBy, settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { World } from "../fakes/world.ts";
import { BASE, BEFORE, DEPLOYED, deploy, INPUTS, made, NODE, scene, settings, WRITTEN } from "./scene.ts";

const DRIVER_INFO = { redfish_address: "https://bmc", redfish_password: "******" };
const EVIL = {
  previous: { "driver_info/redfish_address": "https://evil", lessee: "evil", "extra/pulumi_ironic_deployment": {} },
  written: { "driver_info/redfish_address": "https://bmc", lessee: null, "extra/pulumi_ironic_deployment": null },
};

/** The mark of ours with `more` in what it says of fields. */
const forge = ({ fake }: World, previous: Props, written: Props, more: Props = {}): void => {
  const mark = configMarker(fake.node) ?? { ...settingsMarkBy("stack-1", "settings"), previous: {}, written: {} };
  fake.node.extra[CONFIG_MARKER] = {
    ...mark,
    previous: { ...mark.previous, ...previous },
    written: { ...mark.written, ...written },
    ...more,
  };
};

const patched = ({ client }: World): string =>
  JSON.stringify(client.writes.filter(({ method }) => method === "PATCH").map(({ body }) => body));

/** What no state knows goes by its mark. */
const byMark = (w: World) => {
  const { call } = w;
  const { stackId, resourceId, resourceName } = BASE;
  return w.clock.run(restoreByMark({ stackId, resourceId, resourceName, nodeUuid: NODE }, w.services, call));
};

describe("a forged mark of settings", () => {
  it("changes nothing where the state knows the settings, and the command is printed instead", async () => {
    const { w, first } = await made({ driver_info: DRIVER_INFO });
    forge(w, { ...EVIL.previous, boot_interface: "fake", automated_clean: false }, EVIL.written);
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
    expect(w.node()).to.deep.include({ driver_info: DRIVER_INFO, extra: {} });
    expect(patched(w)).not.to.match(/evil|lessee/);
    expect(w.warnings().join()).to.match(
      /only the record on the node .*: driver_info\/redfish_address\. .*`baremetal node set \S+ --driver-info redfish_address=https:\/\/evil`/,
    );
  });

  it("does not keep the state's settings from being restored", async () => {
    const { w, first } = await made();
    forge(w, { boot_interface: "pxe" }, { boot_interface: "http", automated_clean: true });
    expect(await w.destroy(first)).to.equal(undefined);
    expect(settings(w.node())).to.deep.equal(BEFORE);
  });

  it("makes the end of a deployment write no address and no description of others' making", async () => {
    const { w } = await made({ driver_info: DRIVER_INFO, description: "mine" }, BASE);
    forge(w, EVIL.previous, EVIL.written, { restorePending: true });
    deploy(w);
    const held = { ...deploymentBy("stack-1", "worker"), node: "worker-1", nodeUuid: NODE, instanceUuid: DEPLOYED };
    const { call } = w;
    await w.clock.run(deploymentHandler.delete(DEPLOYED, held, w.services, call));
    expect(w.node()).to.deep.include({ provision_state: "available", driver_info: DRIVER_INFO, extra: {} });
    expect(call.shown.join()).to.match(/redfish_address=https:\/\/evil.*\[settings-mark-not-trusted\]/);
    expect(patched(w)).not.to.contain("evil");
  });

  it("does not end settings that the program of the run has for the node", async () => {
    const { w } = await made();
    forge(w, {}, {}, { restorePending: true });
    deploy(w);
    w.services.run.settings.add({ node: "worker-1", uncertain: false });
    const held = { ...deploymentBy("stack-1", "worker"), node: "worker-1", nodeUuid: NODE, instanceUuid: DEPLOYED };
    await w.clock.run(deploymentHandler.delete(DEPLOYED, held, w.services, w.call));
    expect(settings(w.node())).to.deep.equal(WRITTEN);
    expect(w.node().extra).to.have.property(CONFIG_MARKER);
  });

  it("gives a create that goes on the program's own fields, but no address", async () => {
    const driverInfo = { redfish_verify_ca: false, agent_erase_priority: 10, deploy_kernel: "http://mine/k" };
    const inputs = { ...INPUTS, driverInfo, extra: { team: "a" } };
    const before = { redfish_verify_ca: true, agent_erase_priority: 5, deploy_kernel: "http://before/k", other: "x" };
    const { w } = await made({ driver_info: before }, inputs);
    // The engine that was killed has written nothing down.
    forge(
      w,
      { "driver_info/deploy_kernel": "http://evil/k", "driver_info/other": "evil" },
      { "driver_info/other": "x" },
    );
    const second = await w.made(undefined, inputs);
    expect(second.outs.previous).to.deep.equal({
      ...BEFORE,
      "driver_info/redfish_verify_ca": false,
      "driver_info/agent_erase_priority": 5,
      "driver_info/deploy_kernel": "http://mine/k",
      "extra/team": null,
    });
    expect(w.warnings().join())
      .to.match(/redfish_verify_ca=true/)
      .and.to.match(/deploy_kernel=http:\/\/evil\/k/);
    w.client.writes.length = 0;
    expect(await w.destroy(second)).to.equal(undefined);
    expect(w.node().driver_info).to.deep.equal({ ...before, ...driverInfo, agent_erase_priority: 5 });
    expect(patched(w)).not.to.contain("evil");
  });

  it("does not get into the state where a create cannot go on", async () => {
    const { w } = await made({ driver_info: DRIVER_INFO });
    forge(w, EVIL.previous, EVIL.written);
    w.fake.node.maintenance = true;
    const { stored } = await w.up(undefined, INPUTS);
    expect(stored?.outs.previous).to.deep.equal(BEFORE);
    w.fake.node.maintenance = false;
    expect(await w.destroy(stored as Stored)).to.equal(undefined);
    expect(w.node().driver_info).to.deep.equal(DRIVER_INFO);
  });

  it("needs no word for what a run wrote itself, though the answer is lost", async () => {
    const w = scene({ driver_info: { redfish_verify_ca: true } });
    w.fault("PATCH", "", "loseAfter");
    const first = await w.made(undefined, { ...INPUTS, driverInfo: { redfish_verify_ca: false } });
    expect(first.outs.previous).to.deep.include({ "driver_info/redfish_verify_ca": true });
    expect(w.warnings()).to.deep.equal([]);
  });
});

describe("settings that only a mark knows", () => {
  const ROWS: readonly [path: string, now: unknown, before: unknown, brought: boolean, command?: string][] = [
    ["deploy_interface", "ramdisk", "direct", true],
    ["deploy_interface", "ramdisk", "a b", false, "--deploy-interface 'a b'"],
    ["boot_interface", "ipxe", "http-ipxe", true],
    ["automated_clean", false, true, true],
    ["automated_clean", true, null, true],
    ["automated_clean", true, false, false, "--no-automated-clean"],
    ["description", "ours", "it's mine", true],
    ["description", "ours", "x".repeat(4097), false, "--description VALUE"],
    ["capabilities/boot_mode", "uefi", "bios", true],
    ["capabilities/boot_mode", "uefi", "bios,x:y", false, "--property capabilities=boot_mode:bios,x:y"],
    ["driver_info/force_persistent_boot_device", "Always", "Never", true],
    ["driver_info/force_persistent_boot_device", "Always", "http://evil", false, "=http://evil"],
    ["driver_info/redfish_system_id", "/1", "/2", false, "--driver-info redfish_system_id=/2"],
    ["driver_info/redfish_address", "a", "b'; reboot; '", false, "'redfish_address=b'\\''; reboot; '\\'''"],
    ["driver_info/redfish_password", "a", "hunter2", false, "--driver-info redfish_password=VALUE"],
    ["driver_info/x", "a", "\u001b[2J", false, "--driver-info x=VALUE"],
    ["extra/team", "a", null, false, "unset 00000000-0000-4000-8000-000000000001 --extra team"],
  ];
  const fieldsOf = (path: string, now: unknown): Partial<Node> => {
    const [column = "", key] = path.split("/");
    if (column === "capabilities") return { properties: { capabilities: `${key}:${now}` } };
    return key === undefined ? { [column]: now } : { [column]: { [key]: now } };
  };

  for (const [path, now, before, brought, command] of ROWS)
    it(`${brought ? "are restored" : "are left to a person"}: ${path} to ${JSON.stringify(before).slice(0, 30)}`, async () => {
      const w = scene(fieldsOf(path, now));
      const untouched = structuredClone(w.node());
      forge(w, { [path]: before }, { [path]: now });
      const { call } = w;
      expect(await byMark(w)).to.deep.equal({ did: "released" });
      expect(w.node().extra).not.to.have.property(CONFIG_MARKER);
      const { extra: _, ...rest } = w.node();
      if (brought) expect(w.node()).to.deep.include(fieldsOf(path, before));
      else expect({ ...rest, extra: untouched.extra }).to.deep.equal(untouched);
      expect(call.warnings).to.have.length(brought ? 0 : 1);
      expect(call.warnings.join()).to.contain(command ?? "");
      for (const never of ["hunter2", "\u001b"]) expect(call.warnings.join()).not.to.contain(never);
    });
});

describe("a mark that makes another's instance the stack's", () => {
  const lies: readonly [string, (node: Node) => void][] = [
    [
      "as one that was kept",
      (node) => Object.assign(node.extra[CONFIG_MARKER] ?? {}, { keptInstanceUuid: OTHER_INSTANCE }),
    ],
    [
      "as one that was kept, by a deployment of ours",
      (node) =>
        Object.assign(node.extra[CONFIG_MARKER] ?? {}, {
          keptInstanceUuid: OTHER_INSTANCE,
          keptResourceId: "ironic:RamdiskDeployment::worker",
        }),
    ],
  ];
  for (const [what, lie] of lies)
    it(`${what}, is not believed`, async () => {
      const { w, first } = await made();
      Object.assign(w.fake.node, { instance_uuid: OTHER_INSTANCE, provision_state: "active" });
      lie(w.fake.node);
      expect((await w.up(first, { ...INPUTS, automatedCleaning: true })).error?.message).to.match(/held by instance/);
      expect((await w.destroy(first))?.message).to.match(/held by instance/);
      expect(w.client.writes).to.deep.equal([]);
    });

  it("as a deployment of ours, is not believed where no settings are in the state", async () => {
    const mark = { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OTHER_INSTANCE, preparedAt: null };
    const w = scene({ instance_uuid: OTHER_INSTANCE, extra: { [DEPLOYMENT_MARKER]: mark } });
    expect((await w.up(undefined, INPUTS)).error?.message).to.match(/held by instance/);
    expect(w.client.writes).to.deep.equal([]);
    // A deployment that the run has in its state is another matter.
    w.services.run.instances.hold(NODE, OTHER_INSTANCE);
    await w.made(undefined, INPUTS);
  });
});
