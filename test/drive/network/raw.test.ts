import { expect } from "chai";
import { checkNetworkData } from "../../../provider/drive/network/network.ts";
import { describeFailure, UNKNOWN } from "../../../provider/schema/index.ts";

const MAC = "52:54:00:00:00:01";
const ports = [{ uuid: "one", address: MAC, pxe_enabled: true }];
const link = { id: "eth0", type: "phy", ethernet_mac_address: MAC, mtu: 1500 };
const net = { id: "n", network_id: "n", link: "eth0", type: "ipv4", ip_address: "192.0.2.1", netmask: "255.255.255.0" };
const data = (more: Record<string, unknown> = {}) => ({ links: [link], networks: [net], services: [], ...more });
const refusals = (raw: unknown, on = ports) => checkNetworkData(raw, on).failures.map(describeFailure);

describe("network-raw", () => {
  it("accepts what OpenStack's own documentation shows, and finds the ports", () => {
    const result = checkNetworkData(
      data({
        links: [{ ...link, vif_id: "x", ethernet_mac_address: MAC.toUpperCase() }],
        networks: [
          { ...net, routes: [{ network: "0.0.0.0", netmask: "0.0.0.0", gateway: "192.0.2.254", services: [] }] },
        ],
        services: [{ type: "dns", address: "8.8.8.8" }],
      }),
      ports,
    );
    expect(result).to.deep.equal({ failures: [], warnings: [], usedPorts: [{ uuid: "one", address: MAC }] });
  });

  const wrong: [raw: unknown, failure: RegExp][] = [
    [{}, /^networkData\.links: is missing$/],
    [data({ services: {} }), /^networkData\.services: must be a list$/],
    [data({ links: [{ ...link, type: "wifi" }] }), /^networkData\.links\[0\]\.type: must be one of bridge/],
    [
      data({ links: [{ ...link, ethernet_mac_address: "nonsense" }] }),
      /links\[0\]\.ethernet_mac_address: must be a MAC address/,
    ],
    [data({ links: [{ ...link, mtu: 0 }] }), /links\[0\]\.mtu: must be at least 1/],
    [
      data({ links: [{ ...link, ethernet_mac_address: "52:54:00:00:00:99" }] }),
      /ethernet_mac_address: 52:54:00:00:00:99 is not a port of the node; the node's ports are 52:54:00:00:00:01$/,
    ],
    [
      data({ links: [link, { id: "v", type: "vlan", vlan_id: 5, vlan_link: "eth9", vlan_mac_address: MAC, mtu: 1 }] }),
      /links\[1\]\.vlan_link: is not the id of a link; the links are eth0, v$/,
    ],
    [
      data({
        links: [
          link,
          { id: "b", type: "bond", bond_mode: "802.3ad", bond_links: ["eth1"], ethernet_mac_address: MAC, mtu: 1 },
        ],
      }),
      /links\[1\]\.bond_links\[0\]: is not the id of a link/,
    ],
    [
      data({
        links: [link, { id: "b", type: "bond", bond_mode: "4", bond_links: [], ethernet_mac_address: MAC, mtu: 1 }],
      }),
      /links\[1\]\.bond_mode: must be one of/,
    ],
    [data({ links: [link, link] }), /links\[1\]\.id: is already the id of links\[0\]/],
    [data({ networks: [{ ...net, link: "eth1" }] }), /networks\[0\]\.link: is not the id of a link/],
    [data({ networks: [{ ...net, ip_address: "2001:db8::1" }] }), /networks\[0\]\.ip_address: must be an IPv4 address/],
    [data({ networks: [{ ...net, netmask: "255.0.255.0" }] }), /networks\[0\]\.netmask: must be an IPv4 netmask/],
    [data({ networks: [{ ...net, type: "static" }] }), /networks\[0\]\.type: must be one of ipv4, ipv4_dhcp/],
    [
      data({ networks: [{ ...net, routes: [{ network: "10.0.0.0", netmask: "255.0.0.0" }] }] }),
      /networks\[0\]\.routes\[0\]\.gateway: is missing/,
    ],
    [data({ services: [{ type: "ntp", address: "8.8.8.8" }] }), /services\[0\]\.type: must be one of dns/],
    [data({ services: [{ type: "dns", address: "x" }] }), /services\[0\]\.address: must be an IP address/],
  ];
  for (const [raw, failure] of wrong) {
    it(`refuses with ${failure.source.slice(0, 60)}`, () => {
      const found = refusals(raw).filter((line) => !/^networkData\.(networks|services): is missing$/.test(line));
      expect(found).to.have.length(1);
      expect(found[0]).to.match(failure);
    });
  }

  it("warns where Ironic would replace the whole", () => {
    const { mtu: _, ...without } = link;
    for (const each of [without, { ...without, mtu: null }]) {
      const { failures, warnings } = checkNetworkData(data({ links: [each] }), ports);
      expect(failures).to.deep.equal([]);
      expect(warnings).to.have.length(1);
      expect(warnings[0]?.text).to.match(/^networkData\.links\[0\] has no mtu: Ironic/);
    }
  });

  it("accepts IPv6 with a prefix length, as the schema does", () => {
    const six = { ...net, type: "ipv6", ip_address: "2001:db8::1/64", netmask: undefined, routes: [] };
    expect(refusals(data({ networks: [JSON.parse(JSON.stringify(six))] }))).to.deep.equal([]);
  });

  it("judges only what is known", () => {
    const raws = [
      UNKNOWN,
      data({ links: UNKNOWN }),
      data({ links: [UNKNOWN] }),
      data({ links: [{ ...link, ethernet_mac_address: UNKNOWN }] }),
      data({ links: [{ ...link, id: UNKNOWN }] }),
      data({ links: [{ ...link, type: UNKNOWN }] }),
      data({ networks: [{ ...net, type: UNKNOWN, link: UNKNOWN }] }),
      data({ networks: UNKNOWN, services: [UNKNOWN] }),
    ];
    for (const raw of raws) expect(checkNetworkData(raw, ports).failures, JSON.stringify(raw)).to.deep.equal([]);
  });
});
