import { expect } from "chai";
import type { Node } from "../../provider/node/node.ts";
import {
  type Fields,
  fieldsPatch,
  hasOddCapabilities,
  hasOtherSettings,
  inputsOf,
  isCredential,
  isInterface,
  parseNodeConfig,
  readField,
  readFields,
  sameValue,
  wantedFields,
} from "../../provider/node-config/args.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import { newNode } from "../fakes/fake-node.ts";
import { NOW } from "../fakes/nodes.ts";
import { BASE } from "./scene.ts";

const nodeWith = (fields: Partial<Node>): Node => newNode(1, NOW, fields);

describe("the arguments of a BaremetalNodeConfig", () => {
  const failures = (inputs: object) => {
    const parsed = parseNodeConfig({ ...BASE, ...inputs });
    return "failures" in parsed ? parsed.failures.map(({ path, code }) => [path, code]) : [];
  };

  it("are refused together where a key cannot be restored, is a mark's, or breaks the list of capabilities", () => {
    const inputs = {
      driverInfo: { redfish_password: "x", redfish_address: "https://bmc", append: { text: "token = a" } },
      extra: { pulumi_ironic: {}, pulumi_ironic_deployment: 1, pulumi: 1 },
      capabilities: { "a:b": "x", "a b": "x", a: "x,y", b: "x y", c: "", boot_mode: "uefi" },
    };
    expect(failures(inputs)).to.deep.equal([
      ["driverInfo.redfish_password", "driver-info-credential"],
      ["driverInfo.append", "driver-info-credential"],
      ...["pulumi_ironic", "pulumi_ironic_deployment"].map((key) => [`extra.${key}`, "argument-invalid"]),
      ...["a:b", "a b", "a", "b", "c"].map((key) => [`capabilities.${key}`, "argument-invalid"]),
    ]);
  });

  it("are accepted as far as they are not known yet", () => {
    const unknown = { driverInfo: UNKNOWN, extra: { a: UNKNOWN }, capabilities: { boot_mode: UNKNOWN } };
    expect(failures(unknown)).to.deep.equal([]);
    expect(failures({ capabilities: { "a:b": UNKNOWN } })).to.deep.equal([["capabilities.a:b", "argument-invalid"]]);
  });

  it("hold a credential by the name of a key, or by a text as Ironic masks it", () => {
    for (const [key, value] of [
      ...["ipmi_password", "snmp_community_read", "AUTH_TOKEN", "redfish_username_key"].map((key) => [key, ""]),
      ...["nofb password=1", "--password x", "--secret7 x", `secret "x"`, "x-token0 = x"].map((text) => ["a", text]),
      ["a", { private_key: "x" }],
      ["a", ["'passphrase': 'x'"]],
    ] as const)
      expect(isCredential(String(key), value), `${key} ${JSON.stringify(value)}`).to.equal(true);
    for (const [key, value] of [
      ["redfish_username", "admin"],
      ["a", "passwords are kept elsewhere"],
      ["a", "token:"],
      ["a", 1],
      ["a", null],
    ] as const)
      expect(isCredential(key, value), `${key} ${value}`).to.equal(false);
  });
});

describe("the fields that arguments want", () => {
  const PROPS = {
    ...BASE,
    bootInterface: "ipxe",
    automatedCleaning: false,
    description: "",
    driverInfo: { a: { b: 1 } },
    capabilities: { boot_mode: "uefi" },
    extra: { "a/b": null },
  };
  const FIELDS: Fields = {
    deploy_interface: "ramdisk",
    boot_interface: "ipxe",
    automated_clean: false,
    description: "",
    "driver_info/a": { b: 1 },
    "capabilities/boot_mode": "uefi",
    "extra/a/b": null,
  };

  it("are a column each, or a key each, with Ironic's names", () => {
    expect(wantedFields(PROPS)).to.deep.equal(FIELDS);
    expect(wantedFields({ ...BASE, deployInterface: "direct" })).to.deep.equal({ deploy_interface: "direct" });
  });

  it("become arguments again with what the node shows: what is unset is left out, the default as well", () => {
    const live = { ...FIELDS, automated_clean: null, boot_interface: "pxe", "driver_info/a": null, "extra/a/b": "x" };
    const inputs = inputsOf({ ...PROPS, driverInfo: { a: 1, c: 2 } }, live);
    expect(inputs).to.deep.equal({
      ...BASE,
      bootInterface: "pxe",
      description: "",
      driverInfo: { c: 2 },
      capabilities: { boot_mode: "uefi" },
      extra: { "a/b": "x" },
    });
    expect(inputsOf(BASE, { deploy_interface: "direct" })).to.have.property("deployInterface", "direct");
    const explicit = { ...BASE, deployInterface: "ramdisk" };
    expect(inputsOf(explicit, { deploy_interface: "ramdisk" })).to.have.property("deployInterface", "ramdisk");
  });

  it("are others only where something else is to be done on the node", () => {
    for (const [news, other] of [
      [{ deployInterface: "ramdisk", driverInfo: {}, capabilities: {}, extra: {} }, false],
      [{ onDestroy: "keep" }, true],
      [{ resourceName: "renamed" }, false],
      [{ deployInterface: "direct" }, true],
      [{ extra: { a: null } }, true],
      [{ description: "" }, true],
    ] as const)
      expect(hasOtherSettings(BASE, { ...BASE, ...news }), JSON.stringify(news)).to.equal(other);
  });
});

describe("a field of a node", () => {
  const NODE = nodeWith({
    boot_interface: "ipxe",
    driver_info: { a: 0, n: null },
    properties: { capabilities: "raid: yes ,x,a:b:c, boot_mode:uefi,boot_mode:bios" },
    extra: { "a/b": { c: 1 } },
  });
  const ROWS: readonly [path: string, value: unknown][] = [
    ["boot_interface", "ipxe"],
    ["automated_clean", null],
    ["no_such_column", null],
    ["driver_info/a", 0],
    ["driver_info/n", null],
    ["driver_info/constructor", null],
    ["extra/a/b", { c: 1 }],
    ["capabilities/raid", "yes"],
    ["capabilities/boot_mode", "uefi"],
    ["capabilities/x", null],
    ["capabilities/a", null],
  ];
  it("is read by its path; what is not there is unset", () => {
    for (const [path, value] of ROWS) expect(readField(NODE, path), path).to.deep.equal(value);
    expect(readFields(NODE, ["boot_interface", "driver_info/a"])).to.deep.equal({
      boot_interface: "ipxe",
      "driver_info/a": 0,
    });
  });

  it("has the same value whatever the order of keys, and unset is one value", () => {
    expect(sameValue({ a: 1, b: [2] }, { b: [2], a: 1 })).to.equal(true);
    expect(sameValue(undefined, null)).to.equal(true);
    for (const [a, b] of [
      [null, false] as const,
      ["1", 1] as const,
      [
        [1, 2],
        [2, 1],
      ] as const,
    ])
      expect(sameValue(a, b), `${a} ${b}`).to.equal(false);
  });

  it("is an interface by its name", () => {
    expect(["deploy_interface", "boot_interface", "description", "extra/x"].map(isInterface)).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("the PATCH that sets fields", () => {
  const set = (path: string, value: unknown, op = "add") => ({ op, path, value });
  const remove = (path: string) => ({ op: "remove", path });
  const CAPABLE = { properties: { capabilities: "a:1,b:2" } };
  type Row = [what: string, node: Partial<Node>, changes: Fields, ops: object[]];
  const ROWS: readonly Row[] = [
    ["is empty for nothing", {}, {}, []],
    [
      "replaces a column, also with null",
      {},
      { boot_interface: "pxe", automated_clean: null },
      [set("/boot_interface", "pxe", "replace"), set("/automated_clean", null, "replace")],
    ],
    ["removes the description, which takes no null", {}, { description: null }, [remove("/description")]],
    ["adds a key, escaped as JSON pointers are", {}, { "extra/a/b~c": 1 }, [set("/extra/a~1b~0c", 1)]],
    [
      "removes a key that is there, and not one that is not",
      { extra: { a: 1 } },
      { "extra/a": null, "extra/b": null },
      [remove("/extra/a")],
    ],
    [
      "sets capabilities in their places, as one text",
      CAPABLE,
      { "capabilities/c": "3", "capabilities/a": "9" },
      [set("/properties/capabilities", "a:9,b:2,c:3")],
    ],
    ["takes one capability out", CAPABLE, { "capabilities/a": null }, [set("/properties/capabilities", "b:2")]],
    [
      "removes the property with the last",
      CAPABLE,
      { "capabilities/a": null, "capabilities/b": null },
      [remove("/properties/capabilities")],
    ],
    ["has no capabilities to remove where there is no property", {}, { "capabilities/a": null }, []],
  ];
  for (const [what, node, changes, ops] of ROWS)
    it(what, () => expect(fieldsPatch(nodeWith(node), changes)).to.deep.equal(ops));

  it("has no place in capabilities that are no text", () => {
    for (const [capabilities, odd] of [
      [{ a: "1" }, true],
      [1, true],
      ["a:1", false],
      [null, false],
      [undefined, false],
    ] as const)
      expect(hasOddCapabilities(nodeWith({ properties: { capabilities } })), `${capabilities}`).to.equal(odd);
  });
});
