import { expect } from "chai";
import { checkNetwork } from "../../../provider/drive/network/network.ts";
import { describeFailure } from "../../../provider/schema/index.ts";

describe("network", () => {
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
});
