import { expect } from "chai";
import type { Port, PortChoice } from "../../../provider/drive/network/args.ts";
import { assignPorts, findPortGroup } from "../../../provider/drive/network/ports.ts";

const port = (index: number, more: Partial<Port> = {}): Port => ({
  uuid: `u${index}`,
  address: `52:54:00:00:00:0${index}`,
  pxe_enabled: false,
  ...more,
});
const PORTS = [
  port(1, { physical_network: "lan" }),
  port(2, { pxe_enabled: true, name: "second" }),
  port(3, { physical_network: "lan", portgroup_uuid: "g1" }),
];
const seats = (...choices: PortChoice[]) => choices.map((choice, index) => ({ path: `i[${index}]`, choice }));
const seat = (...choices: PortChoice[]): (string | undefined)[] => {
  const { seated } = assignPorts(seats(...choices), PORTS, []);
  return choices.map((_, index) => seated.get(`i[${index}]`)?.uuid);
};
const failing = (...choices: PortChoice[]) =>
  assignPorts(seats(...choices), PORTS, []).failures.map(({ path }) => path);

describe("ports of a described network", () => {
  const SEATED: readonly [choices: PortChoice[], uuids: string[]][] = [
    [
      [{}, {}, {}],
      ["u1", "u2", "u3"],
    ],
    [
      [{ mac: "52-54-00-00-00-03" }, {}],
      ["u3", "u1"],
    ],
    [
      [{}, { port: "U1" }],
      ["u2", "u1"],
    ],
    [[{ port: "second" }], ["u2"]],
    [
      [{ pxe: true }, {}],
      ["u2", "u1"],
    ],
    [[{ pxe: false }], ["u1"]],
    [
      [{ order: 2 }, {}],
      ["u3", "u1"],
    ],
    [
      [{ physicalNetwork: "lan" }, { physicalNetwork: "lan" }],
      ["u1", "u3"],
    ],
    [
      [{ physicalNetwork: "lan" }, { order: 0 }],
      ["u3", "u1"],
    ],
  ];
  for (const [choices, uuids] of SEATED)
    it(`${JSON.stringify(choices)} are ${uuids}`, () => expect(seat(...choices)).to.deep.equal(uuids));

  const FAILING: readonly [choices: PortChoice[], paths: string[]][] = [
    [[{ mac: "52:54:00:00:00:09" }], ["i[0].mac"]],
    [[{ port: "none" }], ["i[0].port"]],
    [[{ order: 3 }], ["i[0].order"]],
    [[{ physicalNetwork: "wan" }], ["i[0].physicalNetwork"]],
    [[{ pxe: true }, { pxe: true }], ["i[1].pxe"]],
    [[{ order: 0 }, { port: "u1" }], ["i[0].order"]],
    [[{}, {}, {}, {}], ["i[3]"]],
  ];
  for (const [choices, paths] of FAILING)
    it(`${JSON.stringify(choices)} fail at ${paths}`, () => expect(failing(...choices)).to.deep.equal(paths));

  it("of a group are the bond's as a whole", () => {
    const groups = [{ path: "b[0].portGroup", ports: PORTS.slice(0, 1) }];
    expect(assignPorts(seats({}), PORTS, groups).seated.get("i[0]")?.uuid).to.equal("u2");
    const twice = [...groups, { path: "b[1].portGroup", ports: PORTS.slice(0, 1) }];
    expect(assignPorts([], PORTS, twice).failures.map(({ path }) => path)).to.deep.equal(["b[1].portGroup"]);
  });

  it("are found by their group's UUID, name or MAC address", () => {
    const groups = [{ uuid: "g1", name: "lag", address: "52:54:00:00:00:AA" }, { uuid: "g2" }];
    for (const name of ["G1", "lag", "52:54:00:00:00:aa"])
      expect(findPortGroup(name, "p", groups, PORTS)).to.deep.equal({ group: groups[0], ports: [PORTS[2]] });
    for (const name of ["g2", "none"]) expect(findPortGroup(name, "p", groups, PORTS)).to.have.property("path", "p");
  });
});
