import { expect } from "chai";
import { BOND_MODES, HASH_POLICIES, networkSchema } from "../../../provider/drive/network/args.ts";
import { failuresIn } from "../../../provider/schema/index.ts";

/** Each failure as path and code. */
const failing = (network: unknown): string[] =>
  failuresIn(networkSchema, network).map(({ path, code }) => `${path} ${code}`);
const bond = (fields: object) => ({ bonds: [fields] });
const interface_ = (fields: object) => ({ interfaces: [fields] });
const label = "a".repeat(63);

describe("the arguments of a network", () => {
  it("are taken with all properties at once; rules between them are checked elsewhere", () => {
    const choice = { mac: "52:54:00:00:00:01", port: "p", physicalNetwork: "lan", order: 0, pxe: true };
    const addressing = {
      addresses: ["192.0.2.10/24", "2001:db8::10/64"],
      gateway: "192.0.2.1",
      gateway6: "fe80::1",
      dhcp4: false,
      dhcp6: true,
      slaac: true,
      dns: ["192.0.2.53"],
      searchDomains: ["example.org"],
      routes: [{ destination: "0.0.0.0/0", gateway: "192.0.2.1" }],
      mtu: 9000,
    };
    const vlans = [{ id: 4094, ...addressing }];
    for (const mode of BOND_MODES)
      for (const transmitHashPolicy of HASH_POLICIES) {
        const bonded = { members: [choice], portGroup: "g", mode, transmitHashPolicy, miimon: 0, lacpRate: "fast" };
        const network = {
          interfaces: [{ ...choice, ...addressing, vlans }],
          bonds: [{ ...bonded, ...addressing, vlans }],
          dns: ["2001:db8::53"],
          searchDomains: ["a"],
        };
        expect(failing(network)).to.deep.equal([]);
      }
  });

  const FAILURES: readonly (readonly [network: unknown, failures: readonly string[]])[] = [
    [interface_({ mac: "52-54" }), ["interfaces[0].mac network-address-invalid"]],
    [interface_({ port: "" }), ["interfaces[0].port argument-invalid"]],
    [interface_({ physicalNetwork: "x".repeat(256) }), ["interfaces[0].physicalNetwork argument-invalid"]],
    [interface_({ order: -1 }), ["interfaces[0].order argument-invalid"]],
    [interface_({ order: 1.5 }), ["interfaces[0].order argument-invalid"]],
    [interface_({ order: 1024 }), ["interfaces[0].order argument-invalid"]],
    [interface_({ gateway: "192.0.2.1/24" }), ["interfaces[0].gateway network-address-invalid"]],
    [interface_({ routes: [{ gateway: "192.0.2.1" }] }), ["interfaces[0].routes[0].destination argument-missing"]],
    [interface_({ vlans: [{}] }), ["interfaces[0].vlans[0].id argument-missing"]],
    [interface_({ members: [] }), ["interfaces[0].members argument-unknown"]],
    [bond({ members: [{ addresses: [] }] }), ["bonds[0].members[0].addresses argument-unknown"]],
    [bond({ transmitHashPolicy: "layer4" }), ["bonds[0].transmitHashPolicy argument-invalid"]],
    [bond({ miimon: 60_001 }), ["bonds[0].miimon argument-invalid"]],
    [bond({ lacpRate: 1 }), ["bonds[0].lacpRate argument-invalid"]],
    [{ dns: Array.from({ length: 257 }, () => "192.0.2.53") }, ["dns argument-invalid"]],
    [{ vlans: [] }, ["vlans argument-unknown"]],
  ];
  for (const [network, failures] of FAILURES)
    it(`${JSON.stringify(network).slice(0, 80)} fail at ${failures}`, () =>
      expect(failing(network)).to.deep.equal(failures));

  const DOMAINS: readonly (readonly [domain: string, valid: boolean])[] = [
    ["Example.ORG.", true],
    ["_tcp.a-b.example", true],
    [`${label}.org`, true],
    [`${label}a.org`, false],
    [`${`${label}.`.repeat(3)}${"a".repeat(61)}`, true],
    [`${`${label}.`.repeat(3)}${"a".repeat(62)}`, false],
    ["a-", false],
    ["a..b", false],
    [".", false],
    ["a b", false],
    ["münchen.example", false],
  ];
  for (const [domain, valid] of DOMAINS)
    it(`${valid ? "take" : "refuse"} the domain ${domain.slice(0, 70)} of ${domain.length} characters`, () =>
      expect(failing({ searchDomains: [domain] })).to.deep.equal(
        valid ? [] : ["searchDomains[0] network-address-invalid"],
      ));
});
