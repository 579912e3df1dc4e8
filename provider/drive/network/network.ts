import type { Warning } from "../../core/index.ts";
import { type Failure, InvalidInput, joinPath } from "../../schema/index.ts";
import { contains, isLinkLocal, netmask, networkOf, parseCidr, parseIp, parseMac } from "./address.ts";
import type { AddressArgs, NetworkArgs, Port, PortGroup, VlanArgs } from "./args.ts";
import { DEFAULT_MTU } from "./args.ts";
import { bondLink, groupMode } from "./bond.ts";
import type { Link, Network, NetworkData, Service } from "./data.ts";
import { assignPorts, findPortGroup, type PortRequest } from "./ports.ts";
import { checkNetwork } from "./rules.ts";

export * from "./args.ts";
export type { NetworkData } from "./data.ts";
export { checkNetworkData } from "./raw.ts";
export { checkNetwork } from "./rules.ts";

/** A described network for the machine with these ports. */
export interface BuiltNetwork {
  networkData: NetworkData;
  /** Ports that the description uses, in the order of its links. */
  usedPorts: { uuid: string; address: string }[];
  /** Parts that are valid but probably not intended. */
  warnings: Warning[];
}

interface Draft extends BuiltNetwork {
  network: NetworkArgs;
}

const familyOf = (type: Network["type"]): 4 | 6 => (type.startsWith("ipv4") ? 4 : 6);

/** Static networks first, so that routes find the network that holds their router. */
function networksOf(args: AddressArgs): { network: Omit<Network, "id" | "network_id" | "link">; cidr?: string }[] {
  const common = { routes: [], services: services(args.dns ?? []) };
  const fixed = (args.addresses ?? []).flatMap((address) => {
    const cidr = parseCidr(address);
    if (!cidr) return [];
    const mask = netmask(cidr.prefix, cidr.family);
    const type = cidr.family === 4 ? ("ipv4" as const) : ("ipv6" as const);
    return [{ network: { type, ip_address: cidr.text, netmask: mask, ...structuredClone(common) }, cidr: address }];
  });
  const asked = [
    ["dhcp4", "ipv4_dhcp"],
    ["dhcp6", "ipv6_dhcp"],
    ["slaac", "ipv6_slaac"],
  ] as const;
  const automatic = asked.flatMap(([key, type]) =>
    args[key] === true ? [{ network: { type, ...structuredClone(common) } }] : [],
  );
  return [...fixed, ...automatic];
}

const services = (dns: readonly string[]): Service[] =>
  dns.map((address) => ({ type: "dns", address: parseIp(address)?.text ?? address }));

/** Writes a route to the network that holds its router, else to the first of its family. */
function addRoute(networks: ReturnType<typeof networksOf>, destination: string, gateway: string): void {
  const to = parseCidr(destination);
  const via = parseIp(gateway);
  if (!to || !via) return;
  const family = networks.filter(({ network }) => familyOf(network.type) === via.family);
  const holds = ({ cidr }: { cidr?: string }): boolean => {
    const own = cidr === undefined ? undefined : parseCidr(cidr);
    return own !== undefined && !isLinkLocal(via) && contains(own, via);
  };
  const owner = family.find(holds) ?? family[0];
  owner?.network.routes.push({ network: networkOf(to), netmask: netmask(to.prefix, to.family), gateway: via.text });
}

/** Adds what `args` says about addresses to the link `id`. */
function addNetworks(draft: Draft, args: AddressArgs, id: string): void {
  const found = networksOf(args);
  for (const gateway of [args.gateway, args.gateway6]) {
    if (gateway !== undefined) addRoute(found, parseIp(gateway)?.family === 6 ? "::/0" : "0.0.0.0/0", gateway);
  }
  for (const { destination, gateway } of args.routes ?? []) addRoute(found, destination, gateway);
  const search = [...new Set([...(args.searchDomains ?? []), ...(draft.network.searchDomains ?? [])])];
  for (const [index, { network }] of found.entries()) {
    const { routes, services: dns, ...rest } = network;
    draft.networkData.networks.push({
      ...rest,
      // Numbered when all are known: Glean sorts by this text.
      id: "",
      network_id: "",
      link: id,
      routes,
      services: dns,
      ...(index === 0 && search.length > 0 ? { dns_search: search } : {}),
    });
  }
}

function addVlans(draft: Draft, vlans: readonly VlanArgs[] | undefined, parent: Link): void {
  for (const vlan of vlans ?? []) {
    const id = `${parent.id}.${vlan.id}`;
    draft.networkData.links.push({
      id,
      type: "vlan",
      vlan_id: vlan.id,
      vlan_link: parent.id,
      vlan_mac_address: parent.ethernet_mac_address ?? "",
      mtu: vlan.mtu ?? parent.mtu,
    });
    addNetworks(draft, vlan, id);
  }
}

/** The link of a card. Ids count up, as some readers take them for interface names (Ironic does the same). */
function addPort(draft: Draft, port: Port, mtu: number): Link {
  const address = parseMac(port.address) ?? port.address;
  const link: Link = { id: `iface${draft.usedPorts.length}`, type: "phy", ethernet_mac_address: address, mtu };
  draft.usedPorts.push({ uuid: port.uuid, address });
  draft.networkData.links.push(link);
  return link;
}

const IDLE = ["addresses", "dhcp4", "dhcp6", "slaac", "vlans"] as const;

function warnIdle(draft: Draft, args: AddressArgs & { vlans?: VlanArgs[] | undefined }, path: string): void {
  const idle = IDLE.every((key) => !(Array.isArray(args[key]) ? args[key].length : args[key]));
  if (idle)
    draft.warnings.push({
      code: "network-doubtful",
      text: `${path} has no addresses, dhcp4, dhcp6, slaac or vlans: it gets no address`,
    });
}

type Group = { path: string; group: PortGroup; ports: readonly Port[] };

/** Port groups of the bonds that name one. */
function groupsOf(network: NetworkArgs, ports: readonly Port[], portGroups: readonly PortGroup[], at: string) {
  const groups: Group[] = [];
  const failures: Failure[] = [];
  for (const [index, bond] of (network.bonds ?? []).entries()) {
    if (bond.portGroup === undefined) continue;
    const path = joinPath(at, `bonds[${index}].portGroup`);
    const found = findPortGroup(bond.portGroup, path, portGroups, ports);
    if ("reason" in found) failures.push(found);
    else if (bond.mode === undefined && groupMode(found.group) === undefined) {
      const mode = joinPath(at, `bonds[${index}].mode`);
      failures.push({
        path: mode,
        reason: "is missing, and the port group has no mode that network data knows",
        code: "network-bond-invalid",
      });
    } else groups.push({ path, ...found });
  }
  return { groups, failures };
}

/** Every place of the description that stands for a single port. */
function portRequestsOf(network: NetworkArgs, at: string): PortRequest[] {
  const cards = (network.interfaces ?? []).map((choice, index) => ({
    path: joinPath(at, `interfaces[${index}]`),
    choice,
  }));
  const members = (network.bonds ?? []).flatMap((bond, index) =>
    (bond.members ?? []).map((choice, number) => ({
      path: joinPath(at, `bonds[${index}].members[${number}]`),
      choice,
    })),
  );
  return [...cards, ...members];
}

/** With two default routes of a family it is not defined which one is used. */
function warnGateways(draft: Draft): void {
  for (const [family, network] of [
    [4, "0.0.0.0"],
    [6, "::"],
  ] as const) {
    const count = draft.networkData.networks.flatMap(({ routes }) =>
      routes.filter((route) => route.network === network && route.netmask === network),
    ).length;
    if (count > 1)
      draft.warnings.push({
        code: "network-doubtful",
        text: `network has ${count} default routes for IPv${family}: which one the machine uses is not defined`,
      });
  }
}

/** Gives networks their numbers, padded so that sorting the ids as text (as Glean does) keeps the written order. */
function numberNetworks({ networks }: NetworkData): void {
  const width = String(networks.length - 1).length;
  for (const [index, network] of networks.entries()) {
    network.id = `network${String(index).padStart(width, "0")}`;
    network.network_id = network.id;
  }
}

function addBonds(draft: Draft, seated: ReadonlyMap<string, Port>, groups: readonly Group[], at: string): void {
  for (const [index, bond] of (draft.network.bonds ?? []).entries()) {
    const path = joinPath(at, `bonds[${index}]`);
    const group = groups.find((each) => each.path === joinPath(path, "portGroup"));
    const ports =
      group?.ports ?? (bond.members ?? []).flatMap((_, number) => seated.get(`${path}.members[${number}]`) ?? []);
    const members = ports.map((port) => addPort(draft, port, bond.mtu ?? DEFAULT_MTU));
    const link = bondLink(bond, members, group?.group, `bond${index}`);
    draft.networkData.links.push(link);
    warnIdle(draft, bond, path);
    if (members.length === 1 && bond.vlans?.length) {
      draft.warnings.push({
        code: "network-doubtful",
        text: `${path} has one member: Glean then puts its VLANs on the card instead of the bond`,
      });
    }
    addNetworks(draft, bond, link.id);
    addVlans(draft, bond.vlans, link);
  }
}

/**
 * OpenStack network data for `network`, with MAC addresses from the node's ports.
 *
 * Both lists in Ironic's order (oldest first), which decides where a port is named by order. The result depends on nothing
 * else, and its ids only on the description. Every link has an `mtu`: without one, Ironic may replace the whole.
 * @throws InvalidInput for a description that is wrong by itself or does not fit the ports, naming each property path.
 */
export function toNetworkData(
  network: NetworkArgs,
  ports: readonly Port[],
  portGroups: readonly PortGroup[],
  at = "network",
): BuiltNetwork {
  const failures = checkNetwork(network, at);
  if (failures.length > 0) throw new InvalidInput(failures);
  const { groups, failures: groupFailures } = groupsOf(network, ports, portGroups, at);
  const { seated, failures: seatFailures } = assignPorts(portRequestsOf(network, at), ports, groups);
  if (groupFailures.length + seatFailures.length > 0) throw new InvalidInput([...groupFailures, ...seatFailures]);

  const draft: Draft = { network, networkData: { links: [], networks: [], services: [] }, usedPorts: [], warnings: [] };
  for (const [index, card] of (network.interfaces ?? []).entries()) {
    const path = joinPath(at, `interfaces[${index}]`);
    const port = seated.get(path);
    if (!port) continue;
    const link = addPort(draft, port, card.mtu ?? DEFAULT_MTU);
    warnIdle(draft, card, path);
    addNetworks(draft, card, link.id);
    addVlans(draft, card.vlans, link);
  }
  addBonds(draft, seated, groups, at);
  numberNetworks(draft.networkData);
  warnGateways(draft);
  draft.networkData.services = services(allDns(network));
  return { networkData: draft.networkData, usedPorts: draft.usedPorts, warnings: draft.warnings };
}

/** The machine's name servers: its own, then those of the interfaces in the order written, each once. */
function allDns(network: NetworkArgs): string[] {
  const cards = [...(network.interfaces ?? []), ...(network.bonds ?? [])];
  const all = [network, ...cards.flatMap((card) => [card, ...(card.vlans ?? [])])].flatMap(({ dns }) => dns ?? []);
  return [...new Set(all.map((address) => parseIp(address)?.text ?? address))];
}
