// One form for what a network description says and for what a reader made of it, so that they can be compared.
import type { AddressArgs, BondArgs, VlanArgs } from "../provider/drive/network/network.ts";
import { type Case, cardName, portGroups, ports } from "./cases.ts";

export interface LinkPicture {
  mtu?: number | undefined;
  addresses: string[];
  dhcp4: boolean;
  dhcp6: boolean;
  slaac: boolean;
  /** `network via router`. */
  routes: string[];
  /** Name of the bond that the card belongs to. */
  master?: string | undefined;
  bond?: {
    mode: string;
    members: string[];
    miimon?: number | undefined;
    hash?: string | undefined;
    lacp?: string | undefined;
  };
  vlan?: { id: number; parent: string };
  search?: string[] | undefined;
}
export interface Picture {
  links: Record<string, LinkPicture>;
  dns: string[];
}

export const emptyLink = (): LinkPicture => ({ addresses: [], dhcp4: false, dhcp6: false, slaac: false, routes: [] });

function link(args: AddressArgs, mtu: number, search: string[]): LinkPicture {
  const gateways = [args.gateway, args.gateway6].flatMap((via) =>
    via === undefined ? [] : [`${via.includes(":") ? "::/0" : "0.0.0.0/0"} via ${via}`],
  );
  const own = [...(args.searchDomains ?? []), ...search];
  return {
    mtu,
    addresses: [...(args.addresses ?? [])],
    dhcp4: args.dhcp4 ?? false,
    dhcp6: args.dhcp6 ?? false,
    slaac: args.slaac ?? false,
    routes: [...gateways, ...(args.routes ?? []).map(({ destination, gateway }) => `${destination} via ${gateway}`)],
    ...(own.length > 0 ? { search: own } : {}),
  };
}

/** What the case asks for, read off the description alone: no network data in between. */
export function expected({ network, cards }: Case): Picture {
  const links: Record<string, LinkPicture> = {};
  let next = 0;
  const card = (): string => {
    const number = next++;
    return cardName(cards?.[number] ?? number);
  };
  const search = network.searchDomains ?? [];
  const dns = [...(network.dns ?? [])];
  const addVlans = (vlans: VlanArgs[] | undefined, parent: string, mtu: number): void => {
    for (const vlan of vlans ?? []) {
      const { id } = vlan;
      links[`${parent}.${id}`] = { ...link(vlan, vlan.mtu ?? mtu, search), vlan: { id, parent } };
      dns.push(...(vlan.dns ?? []));
    }
  };
  for (const args of network.interfaces ?? []) {
    const name = card();
    links[name] = link(args, args.mtu ?? 1500, search);
    dns.push(...(args.dns ?? []));
    addVlans(args.vlans, name, args.mtu ?? 1500);
  }
  for (const [index, bond] of (network.bonds ?? []).entries()) {
    const name = `bond${index}`;
    const mtu = bond.mtu ?? 1500;
    const group = portGroups.find((each) => each.name === bond.portGroup);
    const size = group
      ? ports.filter(({ portgroup_uuid }) => portgroup_uuid === group.uuid).length
      : (bond.members ?? []).length;
    const members = Array.from({ length: size }, card);
    for (const member of members) links[member] = { ...emptyLink(), mtu, master: name };
    links[name] = {
      ...link(bond, mtu, search),
      bond: bondPicture(bond, group?.properties ?? {}, group?.mode ?? "", members),
    };
    dns.push(...(bond.dns ?? []));
    addVlans(bond.vlans, name, mtu);
  }
  return { links, dns: [...new Set(dns)] };
}

const bondPicture = (bond: BondArgs, group: Readonly<Record<string, unknown>>, mode: string, members: string[]) => ({
  mode: bond.mode ?? mode,
  members,
  miimon: bond.miimon ?? Number(group.miimon ?? 100),
  hash: bond.transmitHashPolicy ?? (group.xmit_hash_policy as string | undefined),
  lacp: (bond.mode ?? mode) === "802.3ad" ? (bond.lacpRate ?? "slow") : undefined,
});

/** How `got` differs from `wanted`, one line for each fact, e.g. `card0 mtu: 9000, got nothing`. */
export function differences(wanted: Picture, got: Picture): string[] {
  const lines: string[] = [];
  const say = (what: string, want: unknown, have: unknown): void => {
    const [a, b] = [want, have].map((value) =>
      Array.isArray(value) ? [...value].sort().join(", ") : String(value ?? ""),
    );
    if (a !== b) lines.push(`${what}: ${a || "nothing"}, got ${b || "nothing"}`);
  };
  for (const name of [...new Set([...Object.keys(wanted.links), ...Object.keys(got.links)])].sort()) {
    const [want, have] = [wanted.links[name], got.links[name]];
    if (!want || !have) {
      lines.push(want ? `${name}: missing` : `${name}: not asked for, got ${have?.dhcp4 ? "DHCP" : "it"}`);
      continue;
    }
    for (const key of ["mtu", "addresses", "dhcp4", "dhcp6", "slaac", "routes", "master", "search"] as const) {
      say(`${name} ${key}`, want[key], have[key]);
    }
    for (const key of ["mode", "members", "miimon", "hash", "lacp"] as const)
      say(`${name} bond ${key}`, want.bond?.[key], have.bond?.[key]);
    for (const key of ["id", "parent"] as const) say(`${name} vlan ${key}`, want.vlan?.[key], have.vlan?.[key]);
  }
  say("dns", wanted.dns, got.dns);
  return lines;
}
