import type { Code } from "../../core/index.ts";
import { type Failure, failuresIn, hasUnknown, joinPath, known } from "../../schema/index.ts";
import { contains, isLinkLocal, networkOf, parseCidr, parseIp, parseMac } from "./address.ts";
import type { AddressArgs, BondArgs, NetworkArgs, PortChoice, VlanArgs } from "./args.ts";
import { DEFAULT_MTU, IPV6_MIN_MTU, networkSchema } from "./args.ts";

type Report = (path: string, code: Code, reason: string) => void;
type Partly<T> = T | string | undefined | null;

/** A list as far as it is one: an unknown or malformed list has no entries to judge. */
const entries = <T>(list: Partly<readonly T[]>): readonly T[] => (Array.isArray(list) ? (list as readonly T[]) : []);

const record = <T extends object>(value: Partly<T>): T | undefined =>
  typeof value === "object" && value !== null ? value : undefined;

const CHOICES = ["mac", "port", "physicalNetwork", "order", "pxe"] as const;

/** The ways in which this entry names its port; `pxe: false` is no choice. */
export const choicesOf = (choice: PortChoice): (typeof CHOICES)[number][] =>
  CHOICES.filter((key) => choice[key] !== undefined && choice[key] !== null && choice[key] !== false);

function checkChoice(choice: PortChoice, path: string, report: Report): void {
  const made = choicesOf(choice);
  if (made.length > 1)
    report(
      joinPath(path, made[1] ?? ""),
      "network-duplicate",
      `conflicts with ${made[0]}: set only one of ${CHOICES.slice(0, -1).join(", ")} and ${CHOICES.at(-1)}`,
    );
}

/** Addresses of one interface that can be judged, or `undefined` where one of them is unknown. */
const networks = (args: AddressArgs) =>
  hasUnknown(args.addresses)
    ? undefined
    : entries(args.addresses).flatMap((address) => (typeof address === "string" ? (parseCidr(address) ?? []) : []));

function checkRouter(args: AddressArgs, router: unknown, path: string, what: string, report: Report): void {
  const ip = typeof router === "string" ? parseIp(router) : undefined;
  const own = networks(args);
  if (!ip || !own) return;
  if (isLinkLocal(ip) && automatic(args, 6)) return;
  const family = own.filter((cidr) => cidr.family === ip.family);
  if (own.some((cidr) => cidr.text === ip.text))
    report(path, "network-gateway-invalid", `${ip.text} is the machine's own address`);
  else if (family.length > 0 && (isLinkLocal(ip) || family.some((cidr) => contains(cidr, ip)))) return;
  else if (family.length > 0) {
    const where = family.map((cidr) => `${networkOf(cidr)}/${cidr.prefix}`).join(", ");
    report(
      path,
      "network-gateway-outside",
      `${ip.text} is outside the network of the interface (${where}), so the machine could not reach it`,
    );
  } else
    report(
      path,
      "network-gateway-invalid",
      `${what} ${ip.text} needs a static IPv${ip.family} address of the same network in addresses`,
    );
}

function checkGateways(args: AddressArgs, path: string, report: Report): void {
  checkRouter(args, args.gateway, joinPath(path, "gateway"), "the gateway", report);
  checkRouter(args, args.gateway6, joinPath(path, "gateway6"), "the gateway", report);
  const [first, second] = [args.gateway, args.gateway6].map((gateway) =>
    typeof gateway === "string" ? parseIp(gateway)?.family : undefined,
  );
  if (second === 4)
    report(joinPath(path, "gateway6"), "network-gateway-invalid", "is an IPv4 address; set the IPv4 router as gateway");
  if (second === 6 && first === 6)
    report(joinPath(path, "gateway6"), "network-gateway-invalid", "is a second IPv6 router; gateway is one already");
}

function checkRoutes(args: AddressArgs, path: string, report: Report): void {
  const seen = new Map<string, string>();
  for (const [key, gateway] of [["gateway", args.gateway] as const, ["gateway6", args.gateway6] as const]) {
    const ip = typeof gateway === "string" ? parseIp(gateway) : undefined;
    if (ip) seen.set(ip.family === 4 ? "0.0.0.0/0" : "::/0", key);
  }
  for (const [index, route] of entries(args.routes).entries()) {
    const at = joinPath(path, `routes[${index}]`);
    const to = typeof route?.destination === "string" ? parseCidr(route.destination) : undefined;
    const via = typeof route?.gateway === "string" ? parseIp(route.gateway) : undefined;
    if (to && via && to.family !== via.family) {
      report(
        joinPath(at, "gateway"),
        "network-gateway-invalid",
        `is an IPv${via.family} address, but the destination is an IPv${to.family} network`,
      );
    } else if (via && (networks(args)?.some(({ family }) => family === via.family) || !automatic(args, via.family))) {
      checkRouter(args, route.gateway, joinPath(at, "gateway"), "the router", report);
    }
    if (!to) continue;
    const destination = `${to.text}/${to.prefix}`;
    const before = seen.get(destination);
    if (before !== undefined)
      report(joinPath(at, "destination"), "network-duplicate", `${destination} already has a route, ${before}`);
    seen.set(destination, `routes[${index}]`);
  }
}

/** Whether addresses of the family come from outside, so that a router's network can't be known here. */
const automatic = (args: AddressArgs, family: 4 | 6): boolean =>
  family === 4
    ? args.dhcp4 === true || hasUnknown(args.dhcp4)
    : args.dhcp6 === true || args.slaac === true || hasUnknown([args.dhcp6, args.slaac]);

/** The MTU that the link will have; `undefined` while unknown. */
const mtuOf = (args: AddressArgs, parent: number | undefined): number | undefined =>
  args.mtu === undefined || args.mtu === null ? parent : typeof args.mtu === "number" ? known(args.mtu) : undefined;

function checkAddressing(args: AddressArgs, path: string, mtu: number | undefined, report: Report): void {
  checkGateways(args, path, report);
  checkRoutes(args, path, report);
  const ipv6 = args.dhcp6 === true || args.slaac === true || networks(args)?.some(({ family }) => family === 6);
  if (mtu !== undefined && mtu < IPV6_MIN_MTU && ipv6) {
    report(
      joinPath(path, "mtu"),
      "argument-invalid",
      `${mtu} is too small for IPv6, which needs at least ${IPV6_MIN_MTU}`,
    );
  }
}

function checkVlans(
  parent: { vlans?: VlanArgs[] | undefined },
  path: string,
  parentMtu: number | undefined,
  report: Report,
): void {
  const ids = new Map<number, number>();
  for (const [index, vlan] of entries(parent.vlans).entries()) {
    if (!record(vlan)) continue;
    const at = joinPath(path, `vlans[${index}]`);
    const mtu = mtuOf(vlan, parentMtu);
    checkAddressing(vlan, at, mtu, report);
    if (mtu !== undefined && parentMtu !== undefined && mtu > parentMtu) {
      report(
        joinPath(at, "mtu"),
        "argument-invalid",
        `${mtu} is more than the mtu of the VLAN's interface, ${parentMtu}`,
      );
    }
    const before = ids.get(vlan.id);
    if (before !== undefined)
      report(
        joinPath(at, "id"),
        "network-duplicate",
        `VLAN ${vlan.id} is already on this interface, as vlans[${before}]`,
      );
    if (typeof vlan.id === "number") ids.set(vlan.id, index);
  }
}

const HASHING = new Set(["balance-xor", "802.3ad", "balance-tlb", "balance-alb"]);

function checkBond(bond: BondArgs, path: string, report: Report): void {
  for (const [index, member] of entries(bond.members).entries()) {
    if (record(member)) checkChoice(member, joinPath(path, `members[${index}]`), report);
  }
  const given = (key: keyof BondArgs): boolean => bond[key] !== undefined && bond[key] !== null;
  if (given("members") && given("portGroup")) {
    report(joinPath(path, "portGroup"), "argument-conflict", "conflicts with members: set only one");
  }
  if (!given("members") && !given("portGroup")) report(path, "argument-missing", "a bond needs members or a portGroup");
  if (!given("mode") && !given("portGroup"))
    report(joinPath(path, "mode"), "argument-missing", "is missing; a bond without portGroup needs it");
  const mode = known(bond.mode);
  if (mode === undefined) return;
  if (known(bond.transmitHashPolicy) && !HASHING.has(mode)) {
    report(joinPath(path, "transmitHashPolicy"), "argument-no-effect", `has no effect in mode ${mode}`);
  }
  if (known(bond.lacpRate) && mode !== "802.3ad")
    report(joinPath(path, "lacpRate"), "argument-no-effect", `has no effect in mode ${mode}, only in 802.3ad`);
}

/** The same address twice in a machine never works. */
function checkTwice(found: { text: string; path: string }[], report: Report): void {
  const seen = new Map<string, string>();
  for (const { text, path } of found) {
    const before = seen.get(text);
    if (before !== undefined) report(path, "network-duplicate", `${text} is already used by ${before}`);
    else seen.set(text, path);
  }
}

type Part = { args: AddressArgs & PortChoice; path: string };

/** Every part that carries addresses, with its path; parents before their VLANs. */
function parts(network: NetworkArgs, at: string): Part[] {
  const found: Part[] = [];
  for (const kind of ["interfaces", "bonds"] as const) {
    for (const [index, args] of entries<InterfaceOrBond>(network[kind]).entries()) {
      if (!record(args)) continue;
      const path = joinPath(at, `${kind}[${index}]`);
      found.push({ args, path });
      for (const [number, vlan] of entries(args.vlans).entries()) {
        if (record(vlan)) found.push({ args: vlan, path: joinPath(path, `vlans[${number}]`) });
      }
    }
  }
  return found;
}

type InterfaceOrBond = AddressArgs & { vlans?: VlanArgs[] | undefined };

/** What is wrong with a described network, as far as it can be said without the node's ports. Values may be unknown. */
export function checkNetwork(network: unknown, at = "network"): Failure[] {
  const failures = failuresIn(networkSchema, network, at);
  const report: Report = (path, code, reason) => failures.push({ path, reason, code });
  const described = record(network as NetworkArgs);
  if (!described) return failures;
  if (
    !hasUnknown([described.interfaces, described.bonds]) &&
    !entries(described.interfaces).length &&
    !entries(described.bonds).length
  ) {
    // Ironic replaces empty network data with its own: conductor/configdrive_utils.py, is_invalid_network_metadata.
    report(at, "argument-missing", "describes no network: set interfaces or bonds, or remove it");
  }
  for (const [index, args] of entries(described.interfaces).entries()) {
    if (record(args)) checkChoice(args, joinPath(at, `interfaces[${index}]`), report);
  }
  for (const [index, bond] of entries(described.bonds).entries()) {
    if (record(bond)) checkBond(bond, joinPath(at, `bonds[${index}]`), report);
  }
  for (const kind of ["interfaces", "bonds"] as const) {
    for (const [index, args] of entries<InterfaceOrBond>(described[kind]).entries()) {
      if (!record(args)) continue;
      const path = joinPath(at, `${kind}[${index}]`);
      const mtu = mtuOf(args, DEFAULT_MTU);
      checkAddressing(args, path, mtu, report);
      checkVlans(args, path, mtu, report);
    }
  }
  const all = parts(described, at);
  checkTwice(
    all.flatMap(({ args, path }) => addressesOf(args, path)),
    report,
  );
  checkTwice(
    all.flatMap(({ args, path }) => choiceKeys(args, path)),
    report,
  );
  return failures;
}

const addressesOf = (args: AddressArgs, path: string) =>
  entries(args.addresses).flatMap((address, index) => {
    const cidr = typeof address === "string" ? parseCidr(address) : undefined;
    return cidr ? [{ text: cidr.text, path: joinPath(path, `addresses[${index}]`) }] : [];
  });

/** MAC addresses, which name one port each, so that two entries with the same one are a mistake visible without Ironic. */
function choiceKeys(args: PortChoice & { members?: PortChoice[] }, path: string): { text: string; path: string }[] {
  const own = typeof args.mac === "string" ? parseMac(args.mac) : undefined;
  const members = entries(args.members).flatMap((member, index) =>
    record(member) ? choiceKeys(member, joinPath(path, `members[${index}]`)) : [],
  );
  return own === undefined ? members : [{ text: own, path: joinPath(path, "mac") }, ...members];
}
