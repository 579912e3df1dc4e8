import * as z from "zod";
import { object, text } from "../../schema/index.ts";
import { whyNotCidr, whyNotDns, whyNotIp, whyNotMac, whyNotNetwork } from "./address.ts";

/**
 * Which of the node's Ironic ports is meant. At most one of these; with none, the first port that nothing else in the
 * description takes, in Ironic's order (the oldest port first).
 */
export interface PortChoice {
  /** The port's MAC address. One that no port of the node has is an error. */
  mac?: string | undefined;
  /** The port's UUID, or its name (Ironic API 1.88 and newer). */
  port?: string | undefined;
  /** The port's `physical_network` in Ironic; of several, the first that is free. */
  physicalNetwork?: string | undefined;
  /** Position among the node's ports, from 0, in Ironic's order. */
  order?: number | undefined;
  /** `true`: the port with `pxe_enabled`; of several, the first that is free. */
  pxe?: boolean | undefined;
}

/** A static route. */
export interface RouteArgs {
  /** Network with prefix length, e.g. `10.0.0.0/8`; `0.0.0.0/0` and `::/0` are the default routes. */
  destination: string;
  /** Address of the router: in a network of this interface's addresses, or link-local (`fe80::…`). */
  gateway: string;
}

/** What every kind of interface can be given. */
export interface AddressArgs {
  /** Static addresses with prefix length, IPv4 and IPv6, any number: `["192.0.2.10/24", "2001:db8::10/64"]`. */
  addresses?: string[] | undefined;
  /** Default router, IPv4 or IPv6; must lie in the network of one of `addresses` (or be link-local, `fe80::…`). */
  gateway?: string | undefined;
  /** Default router of IPv6 where `gateway` holds IPv4's. */
  gateway6?: string | undefined;
  /** Ask DHCP for an IPv4 address. Default false. */
  dhcp4?: boolean | undefined;
  /** Ask DHCPv6 for an IPv6 address. Default false. Glean does not support it: see docs/config-drive.md. */
  dhcp6?: boolean | undefined;
  /** Take an IPv6 address from router advertisements. Default false. */
  slaac?: boolean | undefined;
  /** Name servers. Both readers use the name servers of all interfaces for the whole machine. */
  dns?: string[] | undefined;
  /** Domains that complete short host names. Only cloud-init reads them. */
  searchDomains?: string[] | undefined;
  /** Routes beside the default one. */
  routes?: RouteArgs[] | undefined;
  /** Largest packet in bytes, 68 to 65535, at least 1280 with IPv6. Default 1500; a VLAN's default is its parent's. Glean ignores it. */
  mtu?: number | undefined;
}

/** A VLAN on the interface or bond that holds it. */
export interface VlanArgs extends AddressArgs {
  /** VLAN ID, 1 to 4094. */
  id: number;
}

/** One network card of the machine. */
export interface InterfaceArgs extends PortChoice, AddressArgs {
  /** Tagged networks on this card. */
  vlans?: VlanArgs[] | undefined;
}

/** Linux bonding modes that the network data format knows. */
export type BondMode = (typeof BOND_MODES)[number];
/** Linux bonding's rules for choosing a card for a packet. */
export type TransmitHashPolicy = (typeof HASH_POLICIES)[number];

/** Several network cards used as one. Bonds are called `bond0`, `bond1`, … in the machine, in the order written. */
export interface BondArgs extends AddressArgs {
  /** The cards. Either these or `portGroup`. */
  members?: PortChoice[] | undefined;
  /** An Ironic port group of the node, by UUID, name or MAC address: its ports are the members, its MAC address the bond's. */
  portGroup?: string | undefined;
  /** Bonding mode. Default: the port group's; required without one. */
  mode?: BondMode | undefined;
  /** For `balance-xor`, `802.3ad`, `balance-tlb` and `balance-alb`. Default: the port group's, else Linux's (`layer2`). */
  transmitHashPolicy?: TransmitHashPolicy | undefined;
  /** Interval of link monitoring in milliseconds. Default: the port group's, else 100 (without one Glean would write 0: no monitoring). */
  miimon?: number | undefined;
  /** How often LACP partners send, `802.3ad` only. Default `slow` (every 30 seconds); `fast` is every second. */
  lacpRate?: "slow" | "fast" | undefined;
  /** Tagged networks on this bond. */
  vlans?: VlanArgs[] | undefined;
}

/** The machine's network, for cloud-init or Glean to read from the config drive. */
export interface NetworkArgs {
  /** Network cards on their own. */
  interfaces?: InterfaceArgs[] | undefined;
  /** Cards used together. */
  bonds?: BondArgs[] | undefined;
  /** Name servers of the machine, before those of its interfaces. */
  dns?: string[] | undefined;
  /** Domains that complete short host names, for all interfaces. Only cloud-init reads them. */
  searchDomains?: string[] | undefined;
}

/** An Ironic port, as far as networks need it. Lists of ports are in Ironic's order. */
export interface Port {
  uuid: string;
  /** MAC address. */
  address: string;
  name?: string | null | undefined;
  pxe_enabled: boolean;
  physical_network?: string | null | undefined;
  portgroup_uuid?: string | null | undefined;
}

/** An Ironic port group, as far as networks need it. */
export interface PortGroup {
  uuid: string;
  address?: string | null | undefined;
  name?: string | null | undefined;
  mode?: string | null | undefined;
  /** `miimon`, `xmit_hash_policy` and the like, as Linux calls them, with or without `bond_`. */
  properties?: Readonly<Record<string, unknown>> | null | undefined;
}

// https://opendev.org/openstack/nova/src/branch/master/doc/api_schemas/network_data.json (l2_bond, bond_mode)
export const BOND_MODES = [
  "802.3ad",
  "balance-rr",
  "active-backup",
  "balance-xor",
  "broadcast",
  "balance-tlb",
  "balance-alb",
] as const;

// https://www.kernel.org/doc/html/latest/networking/bonding.html (xmit_hash_policy)
export const HASH_POLICIES = ["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"] as const;

export const DEFAULT_MTU = 1500;
/** Smallest MTU of a link that carries IPv6 (RFC 8200, section 5). */
export const IPV6_MIN_MTU = 1280;
const LIST_MAX = 256;

const DOMAIN = /^(?=.{1,253}\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?$/i;
const address = (why: (value: string) => string | undefined) => text(why, "network-address-invalid");
const domain = address((value) => (DOMAIN.test(value) ? undefined : "is not a domain name, such as example.org"));
const list = <T extends z.ZodType>(of: T) => z.array(of).max(LIST_MAX);
const whole = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);
const word = z.string().min(1).max(255);

const portChoice = {
  mac: address(whyNotMac).optional(),
  port: word.optional(),
  physicalNetwork: word.optional(),
  order: whole(0, 1023).optional(),
  pxe: z.boolean().optional(),
};

const addressing = {
  addresses: list(address(whyNotCidr)).optional(),
  gateway: address(whyNotIp).optional(),
  gateway6: address(whyNotIp).optional(),
  dhcp4: z.boolean().optional(),
  dhcp6: z.boolean().optional(),
  slaac: z.boolean().optional(),
  dns: list(address(whyNotDns)).optional(),
  searchDomains: list(domain).optional(),
  routes: list(object({ destination: address(whyNotNetwork), gateway: address(whyNotIp) })).optional(),
  mtu: whole(68, 65_535).optional(),
};

const vlans = list(object({ id: whole(1, 4094), ...addressing })).optional();

/** The shape of {@link NetworkArgs}; the rules between properties are in rules.ts. */
export const networkSchema = object(
  {
    interfaces: list(object({ ...portChoice, ...addressing, vlans })).optional(),
    bonds: list(
      object({
        members: list(object(portChoice)).min(1).optional(),
        portGroup: word.optional(),
        mode: z.enum(BOND_MODES).optional(),
        transmitHashPolicy: z.enum(HASH_POLICIES).optional(),
        miimon: whole(0, 60_000).optional(),
        lacpRate: z.enum(["slow", "fast"]).optional(),
        ...addressing,
        vlans,
      }),
    ).optional(),
    dns: list(address(whyNotDns)).optional(),
    searchDomains: list(domain).optional(),
  },
  { vlans: "VLANs are set in the vlans of their interface or bond" },
);
