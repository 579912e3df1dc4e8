import { expect } from "chai";
import type { NetworkArgs, Port } from "../../../provider/drive/network/network.ts";
import { build, ports, refusals } from "./described.ts";

const macs = (network: NetworkArgs, on?: Port[]) =>
  build(network, on).usedPorts.map(({ address }) => address.slice(-2));

describe("network", () => {
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
});
