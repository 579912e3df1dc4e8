import * as z from "zod";
import type { Warning } from "../../core/index.ts";
import { type Failure, failuresIn, hasUnknown, joinPath, text } from "../../schema/index.ts";
import { parseIp, parseMac } from "./address.ts";
import { BOND_MODES, type Port } from "./args.ts";

const MAC_RULE = "must be a MAC address, such as 52:54:00:1f:79:7e";
/** An address that fits; otherwise `objection` says what it must be. */
const fitting = (fits: (value: string) => boolean, objection: string) =>
  text((value) => (fits(value) ? undefined : objection), "network-address-invalid");

const mac = fitting((value) => parseMac(value) !== undefined, MAC_RULE);
const mtu = z.number().min(1).max(65_535).nullish();

/** An address of the family; IPv6 addresses may carry a prefix length, as OpenStack's schema allows. */
const address = (family: 4 | 6) =>
  fitting((value) => {
    const [host = "", ...prefix] = family === 6 ? value.split("/") : [value];
    return parseIp(host.replace(/%[0-9a-z]+$/i, ""))?.family === family && prefix.length <= 1;
  }, `must be an IPv${family} address`);

const netmask = (family: 4 | 6) =>
  fitting(
    (value) => {
      const ip = parseIp(value);
      if (ip?.family !== family) return false;
      return family === 6 || /^1*0*$/.test(ip.bytes.map((byte) => byte.toString(2).padStart(8, "0")).join(""));
    },
    `must be an IPv${family} netmask, such as ${family === 4 ? "255.255.255.0" : "ffff:ffff:ffff:ffff::"}`,
  );

const service = z.looseObject({
  type: z.enum(["dns"]),
  address: fitting((value) => parseIp(value) !== undefined, "must be an IP address"),
});
const routes = (family: 4 | 6) =>
  z.array(z.looseObject({ network: address(family), netmask: netmask(family), gateway: address(family) })).optional();

const layer3 = (family: 4 | 6) => ({
  id: z.string(),
  link: z.string(),
  network_id: z.string(),
  ip_address: address(family).optional(),
  netmask: netmask(family).optional(),
  routes: routes(family),
});

// The rules of https://opendev.org/openstack/nova/src/branch/master/doc/api_schemas/network_data.json
const PHYSICAL = ["bridge", "dvs", "hw_veb", "hyperv", "ovs", "tap", "vhostuser", "vif", "phy"] as const;
const LINKS: Readonly<Record<string, z.ZodType>> = {
  phy: z.looseObject({ id: z.string(), type: z.enum(PHYSICAL), ethernet_mac_address: mac, mtu }),
  bond: z.looseObject({
    id: z.string(),
    ethernet_mac_address: mac,
    mtu,
    bond_mode: z.enum(BOND_MODES),
    bond_links: z.array(z.string()),
  }),
  vlan: z.looseObject({ id: z.string(), vlan_mac_address: mac, mtu, vlan_id: z.int(), vlan_link: z.string() }),
};
const NETWORKS: Readonly<Record<string, z.ZodType>> = {
  ipv4: z.looseObject({ type: z.enum(["ipv4", "ipv4_dhcp"]), ...layer3(4) }),
  ipv6: z.looseObject({ type: z.enum(["ipv6", "ipv6_dhcp", "ipv6_slaac"]), ...layer3(6) }),
};
const typed = z.looseObject({ type: z.string() });
const TOP = z.looseObject({ links: z.array(typed), networks: z.array(typed), services: z.array(service) });

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

/** The records in a list with their paths; what is unknown or malformed is left out. */
const records = (value: unknown, at: string): { entry: Record<string, unknown>; path: string }[] =>
  Array.isArray(value)
    ? value.flatMap((each, index) => {
        const entry = record(each);
        return entry ? [{ entry, path: `${at}[${index}]` }] : [];
      })
    : [];

/** What is wrong with `raw`, what probably is, and which of the node's ports it uses. */
export interface CheckedNetworkData {
  failures: Failure[];
  warnings: Warning[];
  usedPorts: { uuid: string; address: string }[];
}

/** Ids that no link has, in VLANs, bonds and networks. Checked only if all ids are known. */
function checkReferences(raw: Record<string, unknown>, at: string, failures: Failure[]): void {
  const links = records(raw.links, joinPath(at, "links"));
  const ids = links.map(({ entry }) => entry.id);
  if (hasUnknown([ids, hasUnknown(raw.links) ? raw.links : null])) return;
  const there = ids.length > 0 ? `the links are ${ids.join(", ")}` : "there are no links";
  const check = (id: unknown, path: string): void => {
    if (typeof id === "string" && !hasUnknown(id) && !ids.includes(id)) {
      failures.push({ path, reason: `is not the id of a link; ${there}`, code: "argument-invalid" });
    }
  };
  for (const [index, id] of ids.entries()) {
    const first = ids.indexOf(id);
    if (first < index)
      failures.push({
        path: joinPath(links[index]?.path ?? at, "id"),
        reason: `is already the id of links[${first}]`,
        code: "network-duplicate",
      });
  }
  for (const { entry, path } of links) {
    if (entry.type === "vlan") check(entry.vlan_link, joinPath(path, "vlan_link"));
    if (entry.type !== "bond" || !Array.isArray(entry.bond_links)) continue;
    for (const [index, id] of entry.bond_links.entries()) check(id, joinPath(path, `bond_links[${index}]`));
  }
  for (const { entry, path } of records(raw.networks, joinPath(at, "networks")))
    check(entry.link, joinPath(path, "link"));
}

function checkMacs(raw: Record<string, unknown>, ports: readonly Port[], at: string, result: CheckedNetworkData): void {
  for (const { entry, path } of records(raw.links, joinPath(at, "links"))) {
    if (entry.type === "bond" || entry.type === "vlan" || typeof entry.ethernet_mac_address !== "string") continue;
    const address = parseMac(entry.ethernet_mac_address);
    if (address === undefined) continue;
    const port = ports.find((each) => parseMac(each.address) === address);
    if (port) {
      result.usedPorts.push({ uuid: port.uuid, address });
      continue;
    }
    const there = ports.map((each) => each.address).join(", ");
    const offer = there ? `the node's ports are ${there}` : "the node has no ports in Ironic";
    result.failures.push({
      path: joinPath(path, "ethernet_mac_address"),
      reason: `${address} is not a port of the node; ${offer}`,
      code: "port-not-found",
    });
  }
}

/**
 * Checks network data written by hand against OpenStack's schema, the rules that readers rely on beside it (names that
 * point to links), and, where `ports` is given, the MAC addresses of the node. Values may be unknown. Content is never changed.
 */
export function checkNetworkData(raw: unknown, ports?: readonly Port[], at = "networkData"): CheckedNetworkData {
  const result: CheckedNetworkData = { failures: failuresIn(TOP, raw, at), warnings: [], usedPorts: [] };
  const described = record(raw);
  if (!described) return result;
  for (const { entry, path } of records(described.links, joinPath(at, "links"))) {
    const kind = typeof entry.type !== "string" || hasUnknown(entry.type) ? undefined : entry.type;
    if (kind === undefined) continue;
    const schema = LINKS[kind] ?? LINKS.phy;
    if (schema) result.failures.push(...failuresIn(schema, entry, path));
    if (entry.mtu === undefined || entry.mtu === null) {
      result.warnings.push({
        code: "network-doubtful",
        text: `${path} has no mtu: Ironic 30 and newer then replaces the network data of nodes with flat or neutron networking`,
      });
    }
  }
  for (const { entry, path } of records(described.networks, joinPath(at, "networks"))) {
    if (typeof entry.type !== "string" || hasUnknown(entry.type)) continue;
    const schema = NETWORKS[entry.type.slice(0, 4)] ?? NETWORKS.ipv4;
    if (schema) result.failures.push(...failuresIn(schema, entry, path));
  }
  checkReferences(described, at, result.failures);
  if (ports) checkMacs(described, ports, at, result);
  return result;
}
