import { parseMac } from "./address.ts";
import { BOND_MODES, type BondArgs, DEFAULT_MTU, type PortGroup } from "./args.ts";
import type { Link } from "./data.ts";

/** Linux's numbers for the modes, which Ironic's port groups may hold instead of the names. */
const MODE_NUMBERS: readonly (typeof BOND_MODES)[number][] = [
  "balance-rr",
  "active-backup",
  "balance-xor",
  "broadcast",
  "802.3ad",
  "balance-tlb",
  "balance-alb",
];

/** The mode of an Ironic port group in the words of network data. */
export const groupMode = (group: PortGroup | undefined): string | undefined =>
  BOND_MODES.find((mode) => mode === group?.mode) ?? MODE_NUMBERS[Number(group?.mode ?? Number.NaN)];

const property = (group: PortGroup | undefined, name: string): unknown =>
  group?.properties?.[name] ?? group?.properties?.[`bond_${name}`];

/** The link of a bond over `members`, with what `bond` leaves out taken from Ironic's port group. */
export function bondLink(bond: BondArgs, members: readonly Link[], group: PortGroup | undefined, id: string): Link {
  const mode = bond.mode ?? groupMode(group);
  if (mode === undefined) throw new Error("a bond without a mode passed the check");
  const policy = bond.transmitHashPolicy ?? property(group, "xmit_hash_policy");
  const miimon = bond.miimon ?? property(group, "miimon");
  const rate = bond.lacpRate ?? property(group, "lacp_rate");
  const first = members[0]?.ethernet_mac_address ?? "";
  return {
    id,
    type: "bond",
    ethernet_mac_address: parseMac(group?.address ?? "") ?? first,
    bond_mode: mode,
    bond_links: members.map((member) => member.id),
    // Without it Glean writes 0 and cloud-init nothing: the machine would not notice a dead cable.
    bond_miimon: miimon === undefined || miimon === null || !Number.isFinite(Number(miimon)) ? 100 : Number(miimon),
    ...(typeof policy === "string" ? { bond_xmit_hash_policy: policy } : {}),
    ...(mode === "802.3ad" ? { bond_lacp_rate: rate === "fast" || rate === 1 || rate === "1" ? "fast" : "slow" } : {}),
    mtu: bond.mtu ?? DEFAULT_MTU,
  };
}
