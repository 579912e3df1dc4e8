// Networks that people have, each with the cards it should land on, written by hand: the matrix asks every reader.
import type { NetworkArgs, Port, PortGroup } from "../provider/drive/network/network.ts";

export interface Case {
  name: string;
  network: NetworkArgs;
  /** Which card each interface, then each bond member, should get. Default: in order. */
  cards?: number[];
}

const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const GROUP = "00000000-0000-4000-8000-0000000000aa";

/** The machine of every case: four cards, called card0 to card3 in its operating system. */
export const ports: Port[] = [0, 1, 2, 3].map((number) => ({
  uuid: uuid(number),
  address: `52:54:00:00:00:0${number}`,
  name: `port-${number}`,
  pxe_enabled: number === 1,
  physical_network: number < 2 ? "left" : "right",
  portgroup_uuid: number < 2 ? null : GROUP,
}));
export const portGroups: PortGroup[] = [
  {
    uuid: GROUP,
    address: "52:54:00:00:00:aa",
    name: "pair",
    mode: "802.3ad",
    properties: { miimon: 50, xmit_hash_policy: "layer3+4" },
  },
];
export const cardName = (number: number): string => `card${number}`;

const v4 = { addresses: ["192.0.2.10/24"], gateway: "192.0.2.1" };
const v6 = { addresses: ["2001:db8::10/64"], gateway: "2001:db8::1" };
const pair = { members: [{ order: 0 }, { order: 1 }] };

export const cases: Case[] = [
  { name: "static IPv4", network: { interfaces: [{ ...v4, dns: ["192.0.2.53"] }] } },
  { name: "static IPv4 without a gateway", network: { interfaces: [{ addresses: ["192.0.2.10/26"] }] } },
  { name: "DHCP", network: { interfaces: [{ dhcp4: true }] } },
  { name: "DHCP and a name server", network: { dns: ["192.0.2.53", "2001:db8::53"], interfaces: [{ dhcp4: true }] } },
  { name: "static IPv6", network: { interfaces: [{ ...v6, dns: ["2001:db8::53"] }] } },
  { name: "static IPv6, router link-local", network: { interfaces: [{ ...v6, gateway: "fe80::1" }] } },
  { name: "DHCPv6", network: { interfaces: [{ dhcp6: true }] } },
  { name: "SLAAC", network: { interfaces: [{ slaac: true }] } },
  {
    name: "static IPv4 and IPv6",
    network: {
      interfaces: [{ addresses: ["192.0.2.10/24", "2001:db8::10/64"], gateway: "192.0.2.1", gateway6: "2001:db8::1" }],
    },
  },
  { name: "static IPv4, SLAAC", network: { interfaces: [{ ...v4, slaac: true }] } },
  { name: "DHCP and DHCPv6", network: { interfaces: [{ dhcp4: true, dhcp6: true }] } },
  { name: "two IPv4 addresses", network: { interfaces: [{ ...v4, addresses: ["192.0.2.10/24", "198.51.100.7/25"] }] } },
  {
    name: "three addresses of two families",
    network: {
      interfaces: [{ addresses: ["192.0.2.10/24", "2001:db8::10/64", "2001:db8:1::10/48"], gateway: "2001:db8::1" }],
    },
  },
  {
    name: "IPv4 routes",
    network: {
      interfaces: [
        {
          ...v4,
          routes: [
            { destination: "10.0.0.0/8", gateway: "192.0.2.254" },
            { destination: "198.51.100.0/25", gateway: "192.0.2.253" },
          ],
        },
      ],
    },
  },
  {
    name: "IPv6 routes",
    network: { interfaces: [{ ...v6, routes: [{ destination: "2001:db8:f::/48", gateway: "2001:db8::fe" }] }] },
  },
  { name: "jumbo frames", network: { interfaces: [{ ...v4, mtu: 9000 }] } },
  {
    name: "search domains",
    network: {
      searchDomains: ["example.org"],
      interfaces: [{ ...v4, dns: ["192.0.2.53"], searchDomains: ["lab.example.org"] }],
    },
  },
  {
    name: "two cards",
    network: {
      interfaces: [
        { ...v4, dns: ["192.0.2.53"] },
        { addresses: ["198.51.100.10/24"], dns: ["198.51.100.53"] },
      ],
    },
  },
  {
    name: "four cards, three of them by DHCP",
    network: { interfaces: [{ dhcp4: true }, { dhcp4: true }, { dhcp4: true }, v4] },
  },
  { name: "card by MAC address", network: { interfaces: [{ ...v4, mac: "52:54:00:00:00:02" }] }, cards: [2] },
  {
    name: "card by port name and by order",
    network: {
      interfaces: [
        { ...v4, port: "port-3" },
        { dhcp4: true, order: 1 },
      ],
    },
    cards: [3, 1],
  },
  {
    name: "the PXE card, and the next one",
    network: { interfaces: [{ dhcp4: true }, { ...v4, pxe: true }] },
    cards: [0, 1],
  },
  { name: "card by physical network", network: { interfaces: [{ ...v4, physicalNetwork: "right" }] }, cards: [2] },
  { name: "VLAN only", network: { interfaces: [{ vlans: [{ id: 100, ...v4 }] }] } },
  {
    name: "untagged and two VLANs",
    network: {
      interfaces: [
        {
          ...v4,
          mtu: 9000,
          vlans: [
            { id: 100, addresses: ["198.51.100.10/24"] },
            { id: 200, dhcp4: true, mtu: 1500 },
          ],
        },
      ],
    },
  },
  { name: "VLAN with IPv6", network: { interfaces: [{ dhcp4: true, vlans: [{ id: 7, ...v6 }] }] } },
  { name: "bond, active-backup", network: { bonds: [{ ...pair, mode: "active-backup", ...v4 }] } },
  {
    name: "bond, LACP, hash policy",
    network: {
      bonds: [{ ...pair, mode: "802.3ad", transmitHashPolicy: "layer3+4", miimon: 50, lacpRate: "fast", dhcp4: true }],
    },
  },
  { name: "bond from Ironic's port group", network: { bonds: [{ portGroup: "pair", ...v4 }] }, cards: [2, 3] },
  {
    name: "VLANs on a bond",
    network: {
      bonds: [
        {
          ...pair,
          mode: "802.3ad",
          vlans: [
            { id: 100, ...v4 },
            { id: 200, addresses: ["198.51.100.10/24"] },
          ],
        },
      ],
    },
  },
  {
    name: "two bonds",
    network: {
      bonds: [
        { members: [{ order: 0 }, { order: 1 }], mode: "active-backup", ...v4 },
        { members: [{ order: 2 }, { order: 3 }], mode: "balance-xor", addresses: ["198.51.100.10/24"] },
      ],
    },
  },
  {
    name: "card, bond and VLAN together",
    network: {
      dns: ["192.0.2.53"],
      interfaces: [{ dhcp4: true }],
      bonds: [{ members: [{}, {}], mode: "active-backup", mtu: 9000, ...v4, vlans: [{ id: 5, dhcp4: true }] }],
    },
  },
  {
    name: "bond with IPv4 and IPv6",
    network: { bonds: [{ ...pair, mode: "active-backup", addresses: ["192.0.2.10/24", "2001:db8::10/64"] }] },
  },
  { name: "card without addresses", network: { interfaces: [{}, v4] } },
];

/** Network data that OpenStack's schema allows and the typed description does not offer: what readers make of it. */
export interface RawCase {
  name: string;
  networkData: {
    links: Record<string, unknown>[];
    networks: Record<string, unknown>[];
    services: Record<string, unknown>[];
  };
  /** Devices that the machine should have, with their parents or members. */
  wanted: Record<string, { parent: string } | { members: string[] }>;
}
const physical = (number: number) => ({
  id: `iface${number}`,
  type: "phy",
  ethernet_mac_address: ports[number]?.address,
  mtu: 1500,
});
const tagged = (id: string, link: string, tag: number) => ({
  id,
  type: "vlan",
  vlan_id: tag,
  vlan_link: link,
  vlan_mac_address: ports[0]?.address,
  mtu: 1500,
});
const fixed = (link: string) => ({
  id: "network0",
  network_id: "network0",
  link,
  type: "ipv4",
  ip_address: "192.0.2.10",
  netmask: "255.255.255.0",
  routes: [],
});

export const rawCases: RawCase[] = [
  {
    name: "VLAN on a VLAN",
    networkData: {
      links: [physical(0), tagged("outer", "iface0", 100), tagged("inner", "outer", 7)],
      networks: [fixed("inner")],
      services: [],
    },
    wanted: { "card0.100": { parent: "card0" }, "card0.100.7": { parent: "card0.100" } },
  },
  {
    name: "bond of VLANs",
    networkData: {
      links: [
        physical(0),
        physical(1),
        tagged("a", "iface0", 100),
        tagged("b", "iface1", 100),
        {
          id: "bond0",
          type: "bond",
          ethernet_mac_address: ports[0]?.address,
          bond_mode: "active-backup",
          bond_links: ["a", "b"],
          mtu: 1500,
        },
      ],
      networks: [fixed("bond0")],
      services: [],
    },
    wanted: { bond0: { members: ["card0.100", "card1.100"] } },
  },
];
