// cloud-init's network state as a picture.
import { parseCidr, parseIp } from "../provider/drive/network/address.ts";
import { emptyLink, type LinkPicture, type Picture } from "./picture.ts";

interface Route {
  network: string;
  prefix: number;
  gateway: string;
}
interface Subnet {
  type: string;
  address?: string;
  prefix?: number;
  routes: Route[];
  dns_search?: string[];
}
/** Keys of `NetworkState.iter_interfaces` in cloudinit/net/network_state.py. */
export interface Interface {
  name: string;
  type: string;
  mtu?: number;
  subnets: Subnet[];
  vlan_id?: number;
  "vlan-raw-device"?: string;
  "bond-master"?: string;
  bond_mode?: string;
  bond_miimon?: number;
  bond_xmit_hash_policy?: string;
  bond_lacp_rate?: string;
}
export interface CloudInitResult {
  error?: string;
  metadata?: Record<string, string | null>;
  keys?: string[];
  userdata?: string;
  interfaces?: Interface[];
  dns?: string[];
}

function linkOf(found: Interface, all: readonly Interface[]): LinkPicture {
  const link: LinkPicture = { ...emptyLink(), mtu: found.mtu };
  const search = new Set<string>();
  for (const subnet of found.subnets) {
    if (subnet.type === "dhcp4") link.dhcp4 = true;
    if (subnet.type === "dhcp6") link.dhcp6 = true;
    if (subnet.type === "ipv6_slaac") link.slaac = true;
    if (subnet.address !== undefined)
      link.addresses.push(parseCidr(`${subnet.address}/${subnet.prefix}`)?.text.concat(`/${subnet.prefix}`) ?? "");
    for (const { network, prefix, gateway } of subnet.routes)
      link.routes.push(`${parseIp(network)?.text}/${prefix} via ${gateway}`);
    for (const domain of subnet.dns_search ?? []) search.add(domain);
  }
  if (search.size > 0) link.search = [...search];
  if (found["bond-master"] !== undefined) link.master = found["bond-master"];
  if (found.type === "bond") {
    link.bond = {
      mode: found.bond_mode ?? "",
      members: all.filter((each) => each["bond-master"] === found.name).map(({ name }) => name),
      miimon: found.bond_miimon,
      hash: found.bond_xmit_hash_policy,
      lacp: found.bond_lacp_rate,
    };
  }
  if (found.vlan_id !== undefined) link.vlan = { id: found.vlan_id, parent: found["vlan-raw-device"] ?? "" };
  return link;
}

export function pictureOfCloudInit({ interfaces = [], dns = [] }: CloudInitResult): Picture {
  return { links: Object.fromEntries(interfaces.map((each) => [each.name, linkOf(each, interfaces)])), dns };
}
