import { expect } from "chai";
import nock from "nock";
import { CancelledError } from "../../provider/core/errors.ts";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import type { Client } from "../../provider/http/client.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, Port } from "../../provider/node/node.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { PlannedSettings } from "../../provider/run/settings-plan.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { fakeServices } from "../fakes/call.ts";
import { foreign, INPUTS, OURS, scene } from "../fakes/deployments.ts";
import { deploymentBy, deploymentMarkBy, settingsMarkBy } from "../fakes/identities.ts";
import { OTHER_INSTANCE } from "../fakes/nodes.ts";
import type { WorldOptions } from "../fakes/world.ts";

/** Nothing that anybody has to answer for. */
const FILES = { kernel: "file:///a.kernel", ramdisk: "file:///a.initramfs" };
const ISO = { kernel: undefined, ramdisk: undefined, bootIso: "file:///a.iso" };

const ADOPTED = "cccccccc-0000-4000-8000-000000000003";

interface Case {
  title: string;
  node?: Partial<Node>;
  ports?: Partial<Port>[];
  inputs?: Props;
  /** What the program's BaremetalNodeConfig says of the node. */
  planned?: Partial<PlannedSettings>;
  /** Of the deployment in the state, beside those of the program. */
  olds?: Props;
  options?: WorldOptions;
  /** All of them, in order. */
  rejected?: RegExp[];
  warned?: RegExp[];
}

/** Every boot interface that these tests name is enabled, unless a case says otherwise. */
const ANY: WorldOptions = { client: { driver: {} } };

const judge = async ({ node, ports, inputs, planned, olds, options }: Case) => {
  const w = scene(node, { ...ANY, ...options });
  if (ports) w.fake.ports = ports.map((port) => ({ ...(w.fake.ports[0] as Port), ...port }));
  if (planned) w.services.run.settings.add({ node: "worker-1", uncertain: false, ...planned });
  const news = { ...INPUTS, ...FILES, ...inputs };
  const check = deploymentHandler.check(olds && { ...news, ...olds }, news, w.services, w.call);
  const { failures } = await w.clock.run(check);
  return { rejected: failures.map(({ path, reason }) => `${path}: ${reason}`), warned: w.call.warnings };
};

const runs = (cases: Case[]) => {
  for (const each of cases)
    it(each.title, async () => {
      const found = await judge(each);
      for (const kind of ["rejected", "warned"] as const) {
        const expected = each[kind] ?? [];
        expect(found[kind], kind).to.have.length(expected.length);
        for (const [index, text] of expected.entries()) expect(found[kind][index]).to.match(text);
      }
    });
};

const settled = { bootInterface: undefined };

describe("preflight: the node", () => {
  const enabled = (list: Record<string, string[]>): WorldOptions => ({ client: { driver: list } });
  const missing = { inputs: { node: "worker-9" } };
  const noSuchNode = /^node: there is no such node in this Ironic, or this account cannot see it$/;
  runs([
    { title: "nothing is said of one that is fit" },
    { title: "has to be there", ...missing, rejected: [noSuchNode] },
    { title: "that was there may be gone, which is for the update to see", ...missing, olds: { kernel: "file:///b" } },
    { title: "may not be known yet", inputs: { node: UNKNOWN } },
    {
      title: "is in maintenance",
      node: { maintenance: true, maintenance_reason: "fan is broken" },
      rejected: [/^node: is in maintenance \("fan is broken"\)$/],
    },
    { title: "is in maintenance for no reason", node: { maintenance: true }, rejected: [/^node: is in maintenance$/] },
    {
      title: "is retired",
      node: { retired: true },
      rejected: [/^node: is retired; Ironic does not deploy retired nodes$/],
    },
    {
      title: "is not available",
      node: { provision_state: "enroll" },
      rejected: [/^node: is "enroll" and cannot be deployed from this state\. .*worker-1/],
    },
    {
      title: "has a deploy interface that writes to disks",
      node: { deploy_interface: "direct" },
      planned: { deployInterface: undefined },
      rejected: [/^node: has the deploy interface direct; add a BaremetalNodeConfig, which sets ramdisk$/],
    },
    {
      title: "may yet get another deploy interface from the program",
      node: { deploy_interface: "direct" },
      warned: [/^Node worker-1: has the deploy interface direct; add a BaremetalNodeConfig, which sets ramdisk\.$/],
    },
    {
      title: "gets another deploy interface from the program",
      node: { deploy_interface: "direct" },
      planned: { deployInterface: "ramdisk" },
    },
    {
      title: "is judged leniently while the program's settings are not known",
      node: { maintenance: true },
      planned: { uncertain: true },
      warned: [/^Node worker-1: is in maintenance\.$/],
    },
    {
      title: "has a driver without the boot interface",
      planned: { bootInterface: "pxe" },
      options: enabled({ enabled_boot_interfaces: ["ipxe", "fake"] }),
      rejected: [/^node: the boot interface pxe is not enabled for its driver redfish; enabled are ipxe, fake$/],
    },
    {
      title: "has a driver without the deploy interface",
      planned: { deployInterface: "ramdisk" },
      options: enabled({ enabled_deploy_interfaces: ["direct"] }),
      rejected: [/^node: the deploy interface ramdisk is not enabled for its driver redfish; enabled are direct$/],
    },
  ]);
});

describe("preflight: what it boots", () => {
  const HOST = "http://preflight-images.test";
  const twice = { ...ISO, kernelArguments: "quiet" };
  const noEffect = "kernelArguments have no effect with bootIso: an ISO has its own";
  before(() => nock.disableNetConnect());
  after(() => nock.enableNetConnect());
  beforeEach(() => {
    nock(HOST).head("/kernel").reply(404).get("/kernel").reply(404);
    nock(HOST)
      .head("/ramdisk")
      .replyWithError(Object.assign(new Error("no"), { code: "ECONNREFUSED" }));
  });
  afterEach(() => nock.cleanAll());
  runs([
    {
      title: "may not be there, as far as can be told from here",
      inputs: { kernel: `${HOST}/kernel`, ramdisk: `${HOST}/ramdisk` },
      warned: [
        /^Node worker-1: kernel answers 404 from here; the conductor may use another network\.$/,
        /^Node worker-1: ramdisk does not answer \(ECONNREFUSED\) from here; /,
      ],
    },
    {
      title: "takes no arguments where it is an ISO",
      inputs: twice,
      warned: [new RegExp(`^Node worker-1: ${noEffect}\\.$`)],
    },
    {
      title: "is an error where every finding is to be one",
      inputs: twice,
      options: { ...ANY, settings: { preflight: "enforce" } },
      rejected: [new RegExp(`^${noEffect.replace(" ", ": ")}$`)],
    },
    { title: "is not looked at where that is off", inputs: twice, options: { ...ANY, settings: { preflight: "off" } } },
    {
      title: "and the node are warnings where every finding is to be one",
      node: { maintenance: true },
      inputs: twice,
      options: { ...ANY, settings: { preflight: "warn" } },
      warned: [/is in maintenance\.$/, /have no effect with bootIso/],
    },
    {
      title: "is looked at as the stack's configuration says, which may be wrong",
      options: { ...ANY, settings: { preflight: "strict" } },
      rejected: [/^ironic:preflight: must be one of off, warn, enforce$/],
    },
    { title: "is not looked at again where nothing changed", node: { maintenance: true }, olds: {} },
  ]);
});

describe("preflight: boot interfaces", () => {
  runs([
    ...[
      "pxe ipxe http http-ipxe redfish-virtual-media idrac-redfish-virtual-media redfish-https",
      "ilo-pxe ilo-ipxe ilo-virtual-media ilo-uefi-https irmc-pxe",
    ]
      .flatMap((names) => names.split(" "))
      .map((boot_interface) => ({ title: `${boot_interface} boots a ramdisk`, node: { boot_interface } })),
    ...["fake", "irmc-virtual-media"].map((boot_interface) => ({
      title: `${boot_interface} does not`,
      node: { boot_interface },
      planned: settled,
      rejected: [/^node: has the boot interface \S+, which cannot boot a ramdisk; use one of pxe, /],
    })),
    {
      title: "of one that is not Ironic's own nothing is known",
      node: { boot_interface: "acme" },
      inputs: { configDrive: { meta_data: {} } },
      planned: settled,
      warned: [/^Node worker-1: has the boot interface acme, which may not boot ramdisks; Ironic refuses/],
    },
    ...["pxe", "http", "ilo-pxe", "irmc-pxe"].map((boot_interface) => ({
      title: `an ISO has no place in the template of ${boot_interface}`,
      node: { boot_interface },
      inputs: ISO,
      warned: [/^Node worker-1: bootIso cannot be booted by the boot interface \S+; use ipxe/],
    })),
    { title: "ipxe boots an ISO", node: { boot_interface: "ipxe" }, inputs: ISO },
    ...["ipxe", "ilo-virtual-media"].map((boot_interface) => ({
      title: `${boot_interface} drops a config drive`,
      node: { boot_interface },
      inputs: { configDrive: { meta_data: {} } },
      warned: [
        /configDrive will be dropped by Ironic without an error: only redfish-virtual-media and \S+ attach it, not /,
      ],
    })),
  ]);
});

describe("preflight: ports", () => {
  runs([
    ...["ipxe", "ilo-pxe"].map((boot_interface) => ({
      title: `${boot_interface} wants one`,
      node: { boot_interface },
      ports: [],
      planned: settled,
      rejected: [/^node: boots with \S+, but has no port in Ironic$/],
    })),
    { title: "virtual media wants none", node: { boot_interface: "redfish-virtual-media" }, ports: [] },
    {
      title: "Ironic takes one without pxe_enabled, but does not boot by it",
      ports: [{ pxe_enabled: false }],
      planned: settled,
      warned: [/^Node worker-1: boots with ipxe, but none of its ports has pxe_enabled, so /],
    },
    { title: "one that boots is enough", ports: [{ pxe_enabled: true }, { pxe_enabled: false, uuid: "p-2" }] },
    {
      title: "a BaremetalNodeConfig that may still come makes it a warning",
      ports: [],
      warned: [/^Node worker-1: boots with ipxe, but has no port in Ironic\.$/],
    },
  ]);
});

describe("preflight: whose node it is", () => {
  const own = { ...deploymentMarkBy("stack-1", "worker"), instanceUuid: OURS, preparedAt: null };
  const marked = (marker: object) => ({ extra: { [DEPLOYMENT_MARKER]: marker } });
  const settings = (stackId: string) => ({ extra: { [CONFIG_MARKER]: settingsMarkBy(stackId, "settings") } });
  const active = { provision_state: "active" };
  const byInstance = [new RegExp(`^node: is held by instance ${OTHER_INSTANCE}$`)];
  const byDeployment = [/^node: is held by deployment "theirs" of stack stack-2$/];
  const bySettings = [/^node: is held by BaremetalNodeConfig "settings" of stack stack-2$/];
  const exists = { kernel: "file:///b.kernel" };
  runs([
    { title: "a new one takes what is free", node: settings("stack-1") },
    { title: "a new one goes on with its own claim", node: { instance_uuid: OURS, ...marked(own) } },
    { title: "a new one sees an instance", node: { instance_uuid: OTHER_INSTANCE }, rejected: byInstance },
    { title: "a new one sees a deployment", node: marked(foreign), rejected: byDeployment },
    { title: "a new one sees settings", node: settings("stack-2"), rejected: bySettings },
    {
      title: "a new one sees settings, though the stack's identity is not known yet",
      node: settings("stack-2"),
      inputs: { stackId: UNKNOWN },
      rejected: bySettings,
    },
    { title: "one that is there has its node", node: { ...active, instance_uuid: OURS, ...marked(own) }, olds: exists },
    {
      title: "one that is there sees an instance",
      node: { ...active, instance_uuid: OTHER_INSTANCE, ...marked(own) },
      olds: exists,
      rejected: byInstance,
    },
    {
      title: "one that is there sees a deployment",
      node: { ...active, ...marked(foreign) },
      olds: exists,
      rejected: byDeployment,
    },
    {
      title: "one that is there sees settings",
      node: { ...active, ...settings("stack-2") },
      olds: exists,
      rejected: bySettings,
    },
    {
      title: "one that is there and was adopted sees an instance",
      node: { ...active, instance_uuid: OTHER_INSTANCE, ...marked({ ...own, instanceUuid: ADOPTED }) },
      inputs: { adopt: ADOPTED },
      olds: exists,
      rejected: byInstance,
    },
    {
      title: "one that is there under another name, or adopted, has its node",
      node: {
        ...active,
        instance_uuid: ADOPTED,
        ...marked({ ...own, ...deploymentBy("stack-1", "former"), instanceUuid: ADOPTED }),
      },
      olds: exists,
    },
    {
      title: "one that moves sees an instance where it goes",
      node: { instance_uuid: OTHER_INSTANCE },
      olds: { node: "worker-0" },
      rejected: byInstance,
    },
    {
      title: "one whose node is spelled anew has it",
      node: { ...active, instance_uuid: ADOPTED, ...marked({ ...own, instanceUuid: ADOPTED }) },
      olds: { node: "worker-0" },
    },
    {
      title: "without its marker nobody can tell before the update",
      node: { ...active, instance_uuid: ADOPTED },
      olds: exists,
    },
    {
      title: "nor while the stack's identity is not known",
      node: { ...active, instance_uuid: OURS, ...marked(own) },
      inputs: { stackId: UNKNOWN },
      olds: exists,
    },
    {
      title: "what is adopted is looked at when it is",
      node: { ...active, instance_uuid: OTHER_INSTANCE },
      inputs: { adopt: OTHER_INSTANCE },
    },
    {
      title: "an allocation has it under its own instance_uuid",
      node: { instance_uuid: OTHER_INSTANCE, allocation_uuid: OTHER_INSTANCE },
      inputs: { allocation: OTHER_INSTANCE },
    },
  ]);
});

describe("preflight: cleaning", () => {
  const agent = { driver_info: { deploy_kernel: "http://k", deploy_ramdisk: "http://r" } };
  const cleans = { automated_clean: true, ...agent };
  const still =
    /^Node worker-1: is cleaned after use\. Cleaning makes destroy slow .*Set automatedCleaning of a BaremetalNodeConfig /;
  runs([
    { title: "still on is said", node: cleans, warned: [still] },
    {
      title: "still on is said where the program's settings leave it",
      node: cleans,
      planned: settled,
      warned: [still],
    },
    {
      title: "by default it depends on the conductor",
      node: { ...cleans, automated_clean: null },
      warned: [
        /^Node worker-1: is cleaned after use, unless the conductor's configuration turns it off\. Cleaning makes/,
      ],
    },
    {
      title: "is no error even where all else is",
      node: cleans,
      options: { ...ANY, settings: { preflight: "enforce" } },
      warned: [still],
    },
    {
      title: "what was adopted before is kept",
      node: {
        ...cleans,
        extra: {
          [DEPLOYMENT_MARKER]: {
            ...deploymentMarkBy("stack-1", "worker"),
            instanceUuid: OURS,
            preparedAt: null,
            keep: true,
          },
        },
        provision_state: "active",
        instance_uuid: OURS,
      },
      olds: { ramdisk: "file:///former" },
    },
    { title: "off is off", node: { ...cleans, automated_clean: false } },
    { title: "an old Ironic shows nothing", node: cleans, options: { client: { driver: {}, minor: 46 } } },
    ...[true, false].map((automatedCleaning) => ({
      title: `${automatedCleaning} in the program is meant`,
      node: cleans,
      planned: { automatedCleaning },
    })),
    { title: "what the program says may not be known yet", node: cleans, planned: { uncertain: true } },
    { title: "what is kept is not cleaned", node: cleans, inputs: { onDestroy: "keep" } },
    {
      title: "what is adopted is kept",
      node: { ...cleans, provision_state: "active" },
      inputs: { adopt: "unclaimed" },
    },
    {
      title: "that it cannot work says enough",
      node: { automated_clean: null },
      warned: [
        /^Node worker-1: is cleaned after use and boots with ipxe, so Ironic also needs deploy_kernel and deploy_ramdisk /,
      ],
    },
    {
      title: "it cannot work though it is meant",
      node: { automated_clean: null, driver_info: { deploy_kernel: "http://k" } },
      planned: { automatedCleaning: true },
      warned: [/so Ironic also needs deploy_ramdisk in driver_info/],
    },
    {
      title: "virtual media needs no such files of the node",
      node: { boot_interface: "redfish-virtual-media", automated_clean: true },
      planned: { automatedCleaning: true },
    },
  ]);
});

describe("preflight: nodes with a parent", () => {
  for (const [minor, shown] of [
    [115, "true"],
    [82, undefined],
  ] as const)
    it(`are looked for where Ironic has them (1.${minor})`, async () => {
      const w = scene({}, { client: { driver: {}, minor } });
      await w.clock.run(deploymentHandler.check(undefined, { ...INPUTS, ...FILES }, w.services, w.call));
      const list = w.client.requests.find(({ path }) => path === "/nodes");
      expect(list?.query?.include_children).to.equal(shown);
    });
});

describe("preflight: what the same run has changed", () => {
  const asked = async (afterMs: number) => {
    const w = scene({ maintenance: true }, ANY);
    const check = async () =>
      (await w.clock.run(deploymentHandler.check(undefined, { ...INPUTS, ...FILES }, w.services, w.call))).failures;
    expect(await check()).to.have.length(1);
    w.fake.node.maintenance = false;
    await w.clock.run(w.clock.sleep(afterMs));
    w.asked();
    return { failures: await check(), asked: w.asked() };
  };

  it("is read again before it is refused", async () =>
    expect(await asked(3_001)).to.deep.equal({
      failures: [],
      asked: ["GET /nodes", "GET /ports", "GET /drivers/redfish"],
    }));

  it("but not for each of those that are checked together", async () => {
    const { failures, asked: requests } = await asked(2_999);
    expect(failures).to.have.length(1);
    expect(requests).to.deep.equal([]);
  });

  it("nor where nothing is refused", async () => {
    const w = scene({}, ANY);
    const check = () => w.clock.run(deploymentHandler.check(undefined, { ...INPUTS, ...FILES }, w.services, w.call));
    await check();
    await w.clock.run(w.clock.sleep(60_000));
    w.asked();
    await check();
    expect(w.asked()).to.deep.equal([]);
  });
});

describe("preflight: an Ironic that does not answer", () => {
  const never = (signal?: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  const silent = (client: Client): Record<string, Partial<Client>> => ({
    "at all": { minor: never },
    "when it is asked for all nodes": {
      get: (path, options) => (path === "/nodes" ? never(options.signal) : client.get(path, options)),
    },
  });

  for (const what of ["at all", "when it is asked for all nodes"])
    it(`${what} is waited for 20 s, and told once`, async () => {
      const w = scene({}, ANY);
      const services = fakeServices({ ...w.client, ...silent(w.client)[what] }, w.clock);
      for (const resourceName of ["worker", "other"]) {
        const check = deploymentHandler.check(undefined, { ...INPUTS, ...FILES, resourceName }, services, w.call);
        expect((await w.clock.run(check)).failures).to.deep.equal([]);
      }
      expect(w.clock.now()).to.equal(20_000);
      expect(w.call.warnings).to.deep.equal([
        "The program could not be checked against Ironic: http://ironic.test gave no usable answer within 20 s.",
      ]);
    });

  it("is not waited for when the run is interrupted, and then nothing is told", async () => {
    const w = scene({}, ANY);
    const services = fakeServices({ ...w.client, minor: never }, w.clock);
    const check = deploymentHandler.check(undefined, { ...INPUTS, ...FILES }, services, w.call);
    w.call.abort();
    const error = await w.clock.run(check).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(CancelledError);
    expect(w.clock.now()).to.equal(0);
    expect(w.call.warnings).to.deep.equal([]);
  });
});
