/** OpenStack's network data: https://docs.openstack.org/nova/latest/user/metadata.html (network_data.json). */
export interface NetworkData {
  links: Link[];
  networks: Network[];
  services: Service[];
}
export interface Link {
  id: string;
  type: "phy" | "bond" | "vlan";
  mtu: number;
  ethernet_mac_address?: string;
  bond_mode?: string;
  bond_links?: string[];
  bond_miimon?: number;
  bond_xmit_hash_policy?: string;
  bond_lacp_rate?: string;
  vlan_id?: number;
  vlan_link?: string;
  vlan_mac_address?: string;
}
export interface Network {
  id: string;
  network_id: string;
  link: string;
  type: "ipv4" | "ipv6" | "ipv4_dhcp" | "ipv6_dhcp" | "ipv6_slaac";
  ip_address?: string;
  netmask?: string;
  routes: { network: string; netmask: string; gateway: string }[];
  services: Service[];
  /** Not in OpenStack's schema, which allows more keys: cloud-init reads it. */
  dns_search?: string[];
}
export interface Service {
  type: "dns";
  address: string;
}
