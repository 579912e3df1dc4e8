import { expect } from "chai";
import type { BondArgs, PortGroup } from "../../../provider/drive/network/args.ts";
import { bondLink, groupMode } from "../../../provider/drive/network/bond.ts";
import type { Link } from "../../../provider/drive/network/data.ts";

const MEMBERS: Link[] = [1, 2].map((index) => ({
  id: `interface${index}`,
  type: "phy",
  mtu: 1500,
  ethernet_mac_address: `52:54:00:00:00:0${index}`,
}));
const link = (bond: BondArgs, group?: PortGroup) => bondLink(bond, MEMBERS, group, "bond0");

describe("the link of a bond", () => {
  const ROWS: readonly [what: string, bond: BondArgs, group: PortGroup | undefined, wanted: Partial<Link>][] = [
    [
      "has its first member's address and a monitored link",
      { mode: "active-backup" },
      undefined,
      {
        ethernet_mac_address: "52:54:00:00:00:01",
        bond_miimon: 100,
        mtu: 1500,
        bond_links: ["interface1", "interface2"],
      },
    ],
    ["keeps an interval of 0", { mode: "active-backup", miimon: 0 }, undefined, { bond_miimon: 0 }],
    ["has LACP's slow rate without a word", { mode: "802.3ad" }, undefined, { bond_lacp_rate: "slow" }],
    [
      "takes from the port group what it does not say",
      {},
      {
        uuid: "g",
        address: "52:54:00:00:00:AA",
        mode: "4",
        properties: { miimon: "50", lacp_rate: "1", bond_xmit_hash_policy: "layer3+4" },
      },
      {
        ethernet_mac_address: "52:54:00:00:00:aa",
        bond_mode: "802.3ad",
        bond_miimon: 50,
        bond_lacp_rate: "fast",
        bond_xmit_hash_policy: "layer3+4",
      },
    ],
    [
      "goes before the port group",
      { mode: "balance-xor", transmitHashPolicy: "layer2", miimon: 10, mtu: 9000 },
      { uuid: "g", mode: "802.3ad", properties: { miimon: 50, xmit_hash_policy: "layer3+4" } },
      { bond_mode: "balance-xor", bond_xmit_hash_policy: "layer2", bond_miimon: 10, mtu: 9000 },
    ],
    [
      "is monitored where the group's interval is no number",
      { mode: "balance-rr" },
      { uuid: "g", properties: { miimon: "x" } },
      { bond_miimon: 100 },
    ],
  ];
  for (const [what, bond, group, wanted] of ROWS)
    it(what, () => expect(link(bond, group)).to.deep.include({ id: "bond0", type: "bond", ...wanted }));

  it("has a rate in 802.3ad only", () =>
    expect(link({ mode: "balance-xor", lacpRate: "fast" })).not.to.have.property("bond_lacp_rate"));

  const MODES: readonly [mode: string | null | undefined, name: string | undefined][] = [
    ["active-backup", "active-backup"],
    ["0", "balance-rr"],
    ["6", "balance-alb"],
    ["7", undefined],
    ["magic", undefined],
    [null, undefined],
    [undefined, undefined],
  ];
  for (const [mode, name] of MODES)
    it(`has the mode ${name} for a group's ${mode}`, () => expect(groupMode({ uuid: "g", mode })).to.equal(name));
});
