import { expect } from "chai";
import {
  checkNetwork,
  type NetworkArgs,
  type Port,
  type PortGroup,
  toNetworkData,
} from "../../../provider/drive/network/network.ts";
import { describeFailure, InvalidInput, UNKNOWN } from "../../../provider/schema/index.ts";

const port = (number: number, more: Partial<Port> = {}): Port => ({
  uuid: `0000000${number}-0000-4000-8000-000000000000`,
  address: `52:54:00:00:00:0${number}`,
  pxe_enabled: false,
  ...more,
});
const ports = [
  port(0),
  port(1, { pxe_enabled: true }),
  port(2, { name: "left", physical_network: "lan" }),
  port(3, { physical_network: "lan" }),
];
const build = (network: NetworkArgs, on: Port[] = ports, groups: PortGroup[] = []) =>
  toNetworkData(network, on, groups);

/** The refusals of a description, each as one line. */
function refusals(network: unknown, on: Port[] = ports, groups: PortGroup[] = []): string[] {
  try {
    toNetworkData(network as NetworkArgs, on, groups);
    return [];
  } catch (error) {
    if (error instanceof InvalidInput) return error.failures.map(describeFailure);
    throw error;
  }
}
const macs = (network: NetworkArgs, on?: Port[]) =>
  build(network, on).usedPorts.map(({ address }) => address.slice(-2));

describe("network", () => {
  it("makes network data of the design's example", () => {
    const network = { interfaces: [{ addresses: ["192.0.2.10/24"], gateway: "192.0.2.1", dns: ["192.0.2.53"] }] };
    expect(build(network)).to.deep.equal({
      networkData: {
        links: [{ id: "iface0", type: "phy", ethernet_mac_address: "52:54:00:00:00:00", mtu: 1500 }],
        networks: [
          {
            id: "network0",
            network_id: "network0",
            link: "iface0",
            type: "ipv4",
            ip_address: "192.0.2.10",
            netmask: "255.255.255.0",
            routes: [{ network: "0.0.0.0", netmask: "0.0.0.0", gateway: "192.0.2.1" }],
            services: [{ type: "dns", address: "192.0.2.53" }],
          },
        ],
        services: [{ type: "dns", address: "192.0.2.53" }],
      },
      usedPorts: [{ uuid: "00000000-0000-4000-8000-000000000000", address: "52:54:00:00:00:00" }],
      warnings: [],
    });
  });

  it("puts each route where its router is", () => {
    const { networks } = build({
      interfaces: [
        {
          addresses: ["192.0.2.10/24", "198.51.100.10/25", "2001:db8::10/64"],
          gateway: "198.51.100.1",
          gateway6: "fe80::1",
          dhcp6: true,
          routes: [
            { destination: "10.0.0.0/8", gateway: "192.0.2.254" },
            { destination: "2001:db8:1::/48", gateway: "2001:db8::fe" },
          ],
        },
      ],
    }).networkData;
    const seen = networks.map(({ id, type, routes }) => [
      id,
      type,
      routes.map(({ network, netmask, gateway }) => `${network} ${netmask} ${gateway}`),
    ]);
    expect(seen).to.deep.equal([
      ["network0", "ipv4", ["10.0.0.0 255.0.0.0 192.0.2.254"]],
      ["network1", "ipv4", ["0.0.0.0 0.0.0.0 198.51.100.1"]],
      ["network2", "ipv6", [":: :: fe80::1", "2001:db8:1:: ffff:ffff:ffff:: 2001:db8::fe"]],
      ["network3", "ipv6_dhcp", []],
    ]);
  });

  it("has the three ways of being told an address", () => {
    const { networks } = build({ interfaces: [{ dhcp4: true, dhcp6: true, slaac: true }] }).networkData;
    expect(networks.map(({ type }) => type)).to.deep.equal(["ipv4_dhcp", "ipv6_dhcp", "ipv6_slaac"]);
    expect(networks.every(({ routes }) => routes.length === 0)).to.equal(true);
  });

  it("describes bonds and their VLANs", () => {
    const { links, networks } = build({
      bonds: [
        {
          members: [{}, {}],
          mode: "802.3ad",
          transmitHashPolicy: "layer3+4",
          mtu: 9000,
          vlans: [
            { id: 100, dhcp4: true },
            { id: 200, mtu: 1500, addresses: ["2001:db8::5/64"] },
          ],
        },
      ],
    }).networkData;
    expect(links).to.deep.equal([
      { id: "iface0", type: "phy", ethernet_mac_address: "52:54:00:00:00:00", mtu: 9000 },
      { id: "iface1", type: "phy", ethernet_mac_address: "52:54:00:00:00:01", mtu: 9000 },
      {
        id: "bond0",
        type: "bond",
        ethernet_mac_address: "52:54:00:00:00:00",
        bond_mode: "802.3ad",
        bond_links: ["iface0", "iface1"],
        bond_miimon: 100,
        bond_xmit_hash_policy: "layer3+4",
        bond_lacp_rate: "slow",
        mtu: 9000,
      },
      {
        id: "bond0.100",
        type: "vlan",
        vlan_id: 100,
        vlan_link: "bond0",
        vlan_mac_address: "52:54:00:00:00:00",
        mtu: 9000,
      },
      {
        id: "bond0.200",
        type: "vlan",
        vlan_id: 200,
        vlan_link: "bond0",
        vlan_mac_address: "52:54:00:00:00:00",
        mtu: 1500,
      },
    ]);
    expect(networks.map(({ link, type, netmask }) => [link, type, netmask])).to.deep.equal([
      ["bond0.100", "ipv4_dhcp", undefined],
      ["bond0.200", "ipv6", "ffff:ffff:ffff:ffff::"],
    ]);
  });

  it("takes a bond from Ironic's port group", () => {
    const grouped = ports.map((each, index) => ({ ...each, portgroup_uuid: index > 1 ? "group" : null }));
    const group = {
      uuid: "group",
      address: "52:54:00:00:00:AA",
      name: "pair",
      mode: "1",
      properties: { miimon: "50", bond_xmit_hash_policy: "layer2" },
    };
    const { networkData, usedPorts } = build(
      { bonds: [{ portGroup: "pair" }], interfaces: [{ dhcp4: true }] },
      grouped,
      [group],
    );
    expect(usedPorts.map(({ address }) => address.slice(-2))).to.deep.equal(["00", "02", "03"]);
    expect(networkData.links.at(-1)).to.include({
      ethernet_mac_address: "52:54:00:00:00:aa",
      bond_mode: "active-backup",
      bond_miimon: 50,
      bond_xmit_hash_policy: "layer2",
    });
    expect(refusals({ bonds: [{ portGroup: "52-54-00-00-00-aa" }] }, grouped, [group])).to.deep.equal([]);
    expect(refusals({ bonds: [{ portGroup: "other" }] }, grouped, [group])).to.deep.equal([
      "network.bonds[0].portGroup: the node has no port group of this name; there are pair",
    ]);
    expect(refusals({ bonds: [{ portGroup: "pair" }], interfaces: [{ order: 2 }] }, grouped, [group])[0]).to.match(
      /^network\.interfaces\[0\]\.order: every port that fits is used/,
    );
    expect(refusals({ bonds: [{ portGroup: "pair" }] }, grouped, [{ ...group, mode: "sideways" }])[0]).to.match(
      /^network\.bonds\[0\]\.mode: is missing/,
    );
    expect(refusals({ bonds: [{ portGroup: "pair" }] }, ports, [group])).to.deep.equal([
      "network.bonds[0].portGroup: the port group has no ports in Ironic",
    ]);
  });

  it("numbers networks so that their ids sort as written", () => {
    const interfaces = [{ addresses: Array.from({ length: 11 }, (_, index) => `10.${index}.0.1/24`) }];
    const ids = build({ interfaces }).networkData.networks.map(({ id }) => id);
    expect(ids[0]).to.equal("network00");
    expect([...ids].sort()).to.deep.equal(ids);
  });

  it("collects name servers once, the machine's first", () => {
    const { services } = build({
      dns: ["192.0.2.53"],
      interfaces: [
        { dhcp4: true, dns: ["2001:DB8::53", "192.0.2.53"], vlans: [{ id: 5, dhcp4: true, dns: ["192.0.2.54"] }] },
      ],
    }).networkData;
    expect(services.map(({ address }) => address)).to.deep.equal(["192.0.2.53", "2001:db8::53", "192.0.2.54"]);
  });

  it("gives search domains once for each interface", () => {
    const { networks } = build({
      searchDomains: ["example.org"],
      interfaces: [{ addresses: ["192.0.2.10/24", "192.0.2.11/24"], searchDomains: ["lab.example.org"] }],
    }).networkData;
    expect(networks.map(({ dns_search }) => dns_search)).to.deep.equal([["lab.example.org", "example.org"], undefined]);
  });

  describe("ports", () => {
    const it4 = { dhcp4: true };
    const choices: [what: string, interfaces: NetworkArgs["interfaces"], expected: string[]][] = [
      ["in order without a choice", [it4, it4], ["00", "01"]],
      ["by MAC address, in any spelling", [{ ...it4, mac: "52-54-00-00-00-03" }], ["03"]],
      ["by UUID", [{ ...it4, port: "00000001-0000-4000-8000-000000000000" }], ["01"]],
      ["by name", [{ ...it4, port: "left" }], ["02"]],
      [
        "by physical network, the first free one",
        [
          { ...it4, physicalNetwork: "lan" },
          { ...it4, physicalNetwork: "lan" },
        ],
        ["02", "03"],
      ],
      [
        "by order",
        [
          { ...it4, order: 3 },
          { ...it4, order: 0 },
        ],
        ["03", "00"],
      ],
      ["the one enabled for PXE", [it4, { ...it4, pxe: true }], ["00", "01"]],
      ["what others leave", [it4, { ...it4, order: 0 }, it4], ["01", "00", "02"]],
      [
        "the exact choice before the loose one",
        [
          { ...it4, physicalNetwork: "lan" },
          { ...it4, mac: "52:54:00:00:00:02" },
        ],
        ["03", "02"],
      ],
      ["without a choice for pxe: false", [{ ...it4, pxe: false }], ["00"]],
    ];
    for (const [what, interfaces, expected] of choices) {
      it(`are chosen ${what}`, () => expect(macs({ interfaces: interfaces ?? [] })).to.deep.equal(expected));
    }

    const none: [what: string, network: unknown, on: Port[], failure: string][] = [
      [
        "a MAC address of another machine",
        { interfaces: [{ mac: "52:54:00:00:00:99" }] },
        ports.slice(0, 2),
        "network.interfaces[0].mac: 52:54:00:00:00:99 is not a port of the node; the node's ports are 52:54:00:00:00:00, 52:54:00:00:00:01",
      ],
      [
        "a node without ports",
        { interfaces: [{ dhcp4: true }] },
        [],
        "network.interfaces[0]: the node has no ports in Ironic",
      ],
      [
        "more interfaces than ports",
        { interfaces: [{ dhcp4: true }, { dhcp4: true }] },
        ports.slice(0, 1),
        "network.interfaces[1]: no port is left: the node has 1 (52:54:00:00:00:00), and all are used",
      ],
      [
        "an unknown name",
        { interfaces: [{ port: "right" }] },
        ports.slice(2, 3),
        "network.interfaces[0].port: the node has no port of this name; there are left",
      ],
      [
        "an order beyond the ports",
        { interfaces: [{ order: 4 }] },
        ports.slice(0, 1),
        "network.interfaces[0].order: there is no port 4: the node has 1 (52:54:00:00:00:00), counted from 0",
      ],
      [
        "no PXE port",
        { interfaces: [{ pxe: true }] },
        ports.slice(0, 1),
        "network.interfaces[0].pxe: no port of the node has pxe_enabled; the node's ports are 52:54:00:00:00:00",
      ],
      [
        "no such physical network",
        { bonds: [{ members: [{ physicalNetwork: "wan" }, {}], mode: "broadcast" }] },
        ports,
        "network.bonds[0].members[0].physicalNetwork: no port of the node is on this physical network; the physical networks are lan",
      ],
      [
        "two places for one port",
        { interfaces: [{ order: 0 }, { port: "00000000-0000-4000-8000-000000000000" }] },
        ports,
        "network.interfaces[0].order: every port that fits is used (52:54:00:00:00:00 by network.interfaces[1])",
      ],
    ];
    for (const [what, network, on, failure] of none) {
      it(`refuse ${what}`, () => expect(refusals(network, on)).to.deep.equal([failure]));
    }
  });

  describe("refuses", () => {
    const a = { addresses: ["192.0.2.10/24"] };
    const wrong: [network: unknown, failure: RegExp][] = [
      [{}, /^network: describes no network/],
      [{ interfaces: [] }, /^network: describes no network/],
      [
        { interfaces: [{ addresses: ["192.0.2.300/24"] }] },
        /^network\.interfaces\[0\]\.addresses\[0\]: "192\.0\.2\.300\/24" is not an IP address/,
      ],
      [
        { interfaces: [{ ...a, gateway: "198.51.100.1" }] },
        /^network\.interfaces\[0\]\.gateway: 198\.51\.100\.1 is outside the network of the interface \(192\.0\.2\.0\/24\)/,
      ],
      [{ interfaces: [{ ...a, gateway: "192.0.2.10" }] }, /gateway: 192\.0\.2\.10 is the machine's own address/],
      [
        { interfaces: [{ dhcp4: true, gateway: "192.0.2.1" }] },
        /gateway: the gateway 192\.0\.2\.1 needs a static IPv4 address/,
      ],
      [
        { interfaces: [{ ...a, gateway: "2001:db8::1" }] },
        /gateway: the gateway 2001:db8::1 needs a static IPv6 address/,
      ],
      [{ interfaces: [{ ...a, gateway: "fe80::1" }] }, /gateway: the gateway fe80::1 needs a static IPv6 address/],
      [{ interfaces: [{ ...a, gateway6: "192.0.2.1" }] }, /gateway6: is an IPv4 address/],
      [
        { interfaces: [{ addresses: ["2001:db8::2/64"], gateway: "2001:db8::1", gateway6: "2001:db8::3" }] },
        /gateway6: is a second IPv6 router/,
      ],
      [
        { interfaces: [{ ...a, routes: [{ destination: "10.0.0.1/8", gateway: "192.0.2.1" }] }] },
        /routes\[0\]\.destination: .* write 10\.0\.0\.0\/8$/,
      ],
      [
        { interfaces: [{ ...a, routes: [{ destination: "10.0.0.0/8", gateway: "10.0.0.1" }] }] },
        /routes\[0\]\.gateway: 10\.0\.0\.1 is outside/,
      ],
      [
        { interfaces: [{ ...a, routes: [{ destination: "2001:db8::/32", gateway: "192.0.2.1" }] }] },
        /routes\[0\]\.gateway: is an IPv4 address, but the destination is an IPv6 network/,
      ],
      [
        { interfaces: [{ ...a, gateway: "192.0.2.1", routes: [{ destination: "0.0.0.0/0", gateway: "192.0.2.2" }] }] },
        /routes\[0\]\.destination: 0\.0\.0\.0\/0 already has a route, gateway/,
      ],
      [{ interfaces: [{ ...a, routes: [{ destination: "10.0.0.0/8" }] }] }, /routes\[0\]\.gateway: is missing/],
      [{ interfaces: [{ ...a, mtu: 67 }] }, /mtu: must be at least 68/],
      [{ interfaces: [{ ...a, mtu: 65_536 }] }, /mtu: must be at most 65535/],
      [{ interfaces: [{ slaac: true, mtu: 1279 }] }, /mtu: 1279 is too small for IPv6/],
      [
        { interfaces: [{ ...a, vlans: [{ id: 5, mtu: 9000 }] }] },
        /vlans\[0\]\.mtu: 9000 is more than the mtu of the VLAN's interface, 1500/,
      ],
      [{ interfaces: [{ ...a, vlans: [{ id: 0 }] }] }, /vlans\[0\]\.id: must be at least 1/],
      [{ interfaces: [{ ...a, vlans: [{ id: 4095 }] }] }, /vlans\[0\]\.id: must be at most 4094/],
      [
        { interfaces: [{ ...a, vlans: [{ id: 5 }, { id: 5 }] }] },
        /vlans\[1\]\.id: VLAN 5 is already on this interface/,
      ],
      [{ interfaces: [{ ...a, vlans: [{ id: 5, vlans: [] }] }] }, /vlans\[0\]\.vlans: there is no such property/],
      [
        { interfaces: [{ dhcp4: true }], vlans: [{ id: 5 }] },
        /^network\.vlans: there is no such property; VLANs are set in the vlans of their interface/,
      ],
      [
        { interfaces: [{ ...a, mac: "52:54:00:00:00:00", order: 1 }] },
        /interfaces\[0\]\.order: conflicts with mac: set only one of mac, port, physicalNetwork, order and pxe/,
      ],
      [
        { interfaces: [a, a] },
        /interfaces\[1\]\.addresses\[0\]: 192\.0\.2\.10 is already used by network\.interfaces\[0\]\.addresses\[0\]/,
      ],
      [
        { interfaces: [{ mac: "52:54:00:00:00:01" }, { mac: "52:54:00:00:00:01" }] },
        /interfaces\[1\]\.mac: 52:54:00:00:00:01 is already used/,
      ],
      [{ bonds: [{ mode: "802.3ad" }] }, /^network\.bonds\[0\]: a bond needs members/],
      [{ bonds: [{ members: [{}], mode: "lacp" }] }, /bonds\[0\]\.mode: must be one of 802\.3ad, balance-rr/],
      [{ bonds: [{ members: [{}] }] }, /bonds\[0\]\.mode: is missing/],
      [{ bonds: [{ members: [], mode: "802.3ad" }] }, /bonds\[0\]\.members: must have at least 1 entries/],
      [
        { bonds: [{ members: [{}], portGroup: "x", mode: "802.3ad" }] },
        /bonds\[0\]\.portGroup: conflicts with members: set only one/,
      ],
      [
        { bonds: [{ members: [{}], mode: "active-backup", transmitHashPolicy: "layer2" }] },
        /transmitHashPolicy: has no effect in mode active-backup/,
      ],
      [
        { bonds: [{ members: [{}], mode: "active-backup", lacpRate: "fast" }] },
        /lacpRate: has no effect in mode active-backup/,
      ],
      [
        { interfaces: [{ adresses: ["192.0.2.10/24"] }] },
        /interfaces\[0\]\.adresses: there is no such property; did you mean addresses\?/,
      ],
      [{ interfaces: [{ ...a, dns: ["example.org"] }] }, /dns\[0\]: "example\.org" is not an IP address/],
      [{ interfaces: [{ ...a, searchDomains: ["-x"] }] }, /searchDomains\[0\]: is not a domain name/],
      ["text", /^network: must be an object/],
      [null, /^network: must be an object/],
    ];
    for (const [network, failure] of wrong) {
      it(JSON.stringify(network).slice(0, 100), () => {
        const found = checkNetwork(network).map(describeFailure);
        expect(found).to.have.length(1);
        expect(found[0]).to.match(failure);
      });
    }
  });

  it("warns of what will hardly be meant", () => {
    const warnings = (network: NetworkArgs) => build(network).warnings.map(({ text }) => text.slice(0, 44));
    expect(warnings({ interfaces: [{}] })).to.deep.equal(["network.interfaces[0] has no addresses, dhcp"]);
    const gateway = (net: string) => ({ addresses: [`${net}.10/24`], gateway: `${net}.1` });
    expect(warnings({ interfaces: [gateway("192.0.2"), gateway("198.51.100")] })).to.deep.equal([
      "network has 2 default routes for IPv4: which",
    ]);
    expect(
      warnings({ bonds: [{ members: [{}], mode: "active-backup", vlans: [{ id: 5, dhcp4: true }] }] }),
    ).to.deep.equal(["network.bonds[0] has one member: Glean then "]);
  });

  it("judges only what is known", () => {
    const descriptions: unknown[] = [
      UNKNOWN,
      { interfaces: UNKNOWN },
      { interfaces: [UNKNOWN] },
      { interfaces: [{ addresses: UNKNOWN, gateway: "192.0.2.1" }] },
      { interfaces: [{ addresses: [UNKNOWN], gateway: "192.0.2.1" }] },
      { interfaces: [{ addresses: ["192.0.2.10/24"], gateway: UNKNOWN }] },
      { interfaces: [{ dhcp4: UNKNOWN, routes: [{ destination: "10.0.0.0/8", gateway: "192.0.2.1" }] }] },
      { interfaces: [{ mtu: UNKNOWN, vlans: [{ id: UNKNOWN, mtu: 9000 }] }] },
      { interfaces: [{ mac: UNKNOWN }, { mac: UNKNOWN }] },
      { bonds: [{ members: UNKNOWN, mode: UNKNOWN, lacpRate: "fast" }] },
      { bonds: [{ members: [UNKNOWN], mode: "802.3ad" }] },
    ];
    for (const network of descriptions) expect(checkNetwork(network), JSON.stringify(network)).to.deep.equal([]);
    expect(checkNetwork({ interfaces: [{ addresses: [UNKNOWN, "nonsense"] }] })).to.have.length(1);
  });
});
