import { expect } from "chai";
import { checkNetwork, type NetworkArgs } from "../../../provider/drive/network/network.ts";
import { UNKNOWN } from "../../../provider/schema/index.ts";
import { build, ports, refusals } from "./described.ts";

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
