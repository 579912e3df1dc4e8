import { expect } from "chai";
import { cases, portGroups, ports } from "../../matrix/cases.ts";
import { pictureOfGlean } from "../../matrix/glean.ts";
import { differences, emptyLink, expected } from "../../matrix/picture.ts";
import { toNetworkData } from "../../provider/drive/network/network.ts";

describe("picture, the matrix's way of comparing", () => {
  const wanted = expected({
    name: "",
    network: { interfaces: [{ addresses: ["192.0.2.10/24"], gateway: "192.0.2.1", mtu: 9000 }] },
  });

  it("finds each fact that differs, and nothing else", () => {
    expect(differences(wanted, structuredClone(wanted))).to.deep.equal([]);
    const card0 = wanted.links.card0 ?? emptyLink();
    const got = {
      links: { card0: { ...card0, mtu: 1500, addresses: [], dhcp4: true }, card1: emptyLink() },
      dns: ["192.0.2.53"],
    };
    expect(differences(wanted, got)).to.deep.equal([
      "card0 mtu: 9000, got 1500",
      "card0 addresses: 192.0.2.10/24, got nothing",
      "card0 dhcp4: false, got true",
      "card1: not asked for, got it",
      "dns: nothing, got 192.0.2.53",
    ]);
    expect(differences(wanted, { links: {}, dns: [] })).to.deep.equal(["card0: missing"]);
  });

  it("reads Glean's files", () => {
    const text =
      "auto card0\niface card0 inet static\n    address 192.0.2.10\n    netmask 255.255.255.0\n    gateway 192.0.2.1\n";
    const { links } = pictureOfGlean({ files: { "/etc/network/interfaces.d/card0.cfg": text } }, "debian");
    expect(links.card0).to.deep.include({
      addresses: ["192.0.2.10/24"],
      routes: ["0.0.0.0/0 via 192.0.2.1"],
      dhcp4: false,
    });
  });

  it("expects the cards that the provider chooses, in every case", () => {
    for (const each of cases) {
      const { usedPorts } = toNetworkData(each.network, ports, portGroups);
      const cards = usedPorts.map(({ uuid }) => `card${ports.findIndex((port) => port.uuid === uuid)}`);
      const asked = Object.keys(expected(each).links).filter((name) => /^card\d$/.test(name));
      expect([...cards].sort(), each.name).to.deep.equal([...asked].sort());
    }
  });
});
