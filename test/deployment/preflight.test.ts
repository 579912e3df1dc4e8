import { expect } from "chai";
import nock from "nock";
import { deploymentHandler } from "../../provider/deployment/handler.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { INPUTS, scene } from "../fakes/deployments.ts";
import type { WorldOptions } from "../fakes/world.ts";
import { ANY, FILES, runs, settled } from "./preflight-cases.ts";

const ISO = { kernel: undefined, ramdisk: undefined, bootIso: "file:///a.iso" };

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
