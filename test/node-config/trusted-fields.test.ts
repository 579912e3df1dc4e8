/** The closed list itself. What handlers make of it, forged-marks.test.ts tells. */
import { expect } from "chai";
import { isManageable, mayComeFromMark, splitPath } from "../../provider/node-config/trusted-fields.ts";

/** Of Ironic's drivers: https://docs.openstack.org/ironic/latest/admin/drivers.html */
const SENSITIVE_KEYS = [
  ...["address", "username", "password", "system_id", "verify_ca", "auth_type"].map((key) => `redfish_${key}`),
  ...["address", "port", "username", "password", "bridging", "priv_level", "cipher_suite"].map((key) => `ipmi_${key}`),
  ...["local_address", "target_channel", "transit_address", "hex_kg_key", "terminal_port"].map((key) => `ipmi_${key}`),
  ...["ipmi_protocol_version", "snmp_community_read", "snmp_user", "snmp_security", "snmp_context_engine_id"],
  ...["snmp_auth_prot_key", "ca_file", "client_port", "ilo_address", "irmc_snmp_priv_password"],
  ...["deploy_kernel", "deploy_ramdisk", "rescue_ramdisk", "bootloader", "deploy_iso", "kernel_append_params"],
  ...["external_http_url", "image_https_proxy", "cleaning_network", "agent_url", "agent_token", "REDFISH_ADDRESS"],
];

describe("the path of a field", () => {
  it("has a column, and a key up to the end", () => {
    for (const [path, parts] of [
      ["description", ["description", undefined]],
      ["extra/team", ["extra", "team"]],
      ["extra/a/b", ["extra", "a/b"]],
      ["extra/", ["extra", ""]],
    ] as const)
      expect(splitPath(path), path).to.deep.equal(parts);
  });

  it("is manageable where a BaremetalNodeConfig has an argument for it, and no mark of the project's lies there", () => {
    const yes = ["deploy_interface", "boot_interface", "automated_clean", "description", "capabilities/a", "extra/a/b"];
    const no = ["lessee", "owner", "", "driver_info", "capabilities", "extra", "properties/a", "description/a"];
    for (const path of [...yes, "driver_info/redfish_password"]) expect(isManageable(path), path).to.equal(true);
    for (const path of [...no, "extra/pulumi_ironic", "extra/pulumi_ironic_deployment", "constructor"])
      expect(isManageable(path), path).to.equal(false);
  });
});

describe("what a mark may bring back", () => {
  type Row = [path: string, may: readonly unknown[], mayNot: readonly unknown[]];
  const ANY_MARK: readonly Row[] = [
    ["deploy_interface", ["direct", "a".repeat(63), null, undefined], ["a".repeat(64), "Direct", "-a", "", 1, {}]],
    ["boot_interface", ["http-ipxe", null], ["a_b", "ipxe\n", true]],
    ["automated_clean", [true, null, undefined], [false, "true", 1]],
    ["description", ["", "x".repeat(4096), null], ["x".repeat(4097), 1, ["x"]]],
    ["capabilities/boot_mode", ["uefi", "a.b+c/d-e", "x".repeat(255), null], ["", "x".repeat(256), "a:b", "a,b", true]],
    ["capabilities/a:b", [], ["uefi", null]],
    ["driver_info/force_persistent_boot_device", ["NEVER", "Default", false, null], ["", "never\n", "http://evil", {}]],
  ];
  for (const [path, may, mayNot] of ANY_MARK)
    it(`to ${path} on the word of any mark`, () => {
      for (const managed of [false, true]) {
        for (const value of may) expect(mayComeFromMark(path, value, managed), `${value}`).to.equal(true);
        for (const value of mayNot) expect(mayComeFromMark(path, value, managed), `${value}`).to.equal(false);
      }
    });

  const MANAGED: readonly Row[] = [
    [
      "driver_info/agent_erase_priority",
      [5, true, "a_b-1", "x".repeat(64), null],
      ["x".repeat(65), "a.b", "a/b", "", {}],
    ],
    ["extra/team", ["http://any", { a: [1, null] }, "", null], [() => 1]],
  ];
  for (const [path, may, mayNot] of MANAGED)
    it(`to ${path} where the program manages it as well, and not else`, () => {
      for (const value of may) expect(mayComeFromMark(path, value, true), `${value}`).to.equal(true);
      for (const value of mayNot) expect(mayComeFromMark(path, value, true), `${value}`).to.equal(false);
      for (const value of [...may, ...mayNot]) expect(mayComeFromMark(path, value, false), `${value}`).to.equal(false);
    });

  it("is never whom Ironic talks to, how it proves itself, or what is booted", () => {
    for (const key of SENSITIVE_KEYS)
      for (const value of ["a", 1, true, null])
        expect(mayComeFromMark(`driver_info/${key}`, value, true), `${key} ${value}`).to.equal(false);
  });

  it("is no other word for force_persistent_boot_device than Ironic knows", () => {
    for (const value of ["sometimes", 1, "yes"])
      for (const managed of [false, true])
        expect(mayComeFromMark("driver_info/force_persistent_boot_device", value, managed), `${value}`).to.equal(false);
  });

  it("is nothing that no BaremetalNodeConfig manages, nor a mark", () => {
    for (const path of [
      "lessee",
      "owner",
      "driver_info",
      "extra",
      "extra/pulumi_ironic",
      "extra/pulumi_ironic_deployment",
    ])
      for (const value of ["a", null, {}]) expect(mayComeFromMark(path, value, true), path).to.equal(false);
  });
});
