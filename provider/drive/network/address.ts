import { isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

/** IP family: the number in the name. */
export type Family = 4 | 6;

/** An IP address; `text` is its normal form (RFC 5952 for IPv6). */
export interface Ip {
  readonly family: Family;
  readonly text: string;
  readonly bytes: readonly number[];
}

/** An address with the length of its network's prefix. */
export interface Cidr extends Ip {
  readonly prefix: number;
}

const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/** A MAC address as Ironic stores it: lower case, colons. `undefined` if `value` is none. */
export const parseMac = (value: string): string | undefined =>
  MAC.test(value) ? value.toLowerCase().replaceAll("-", ":") : undefined;

/** `undefined` if `value` is no plain IPv4 or IPv6 address (zones such as `%eth0` are not plain). */
export function parseIp(value: string): Ip | undefined {
  // ipaddr.js also takes "10.1" and octal numbers, which readers of a config drive do not; Node's test is strict.
  if (isIP(value) === 0 || value.includes("%")) return undefined;
  const parsed = ipaddr.parse(value);
  return { family: isIPv4(value) ? 4 : 6, text: parsed.toString(), bytes: parsed.toByteArray() };
}

/** `undefined` if `value` is not `address/prefix`. */
export function parseCidr(value: string): Cidr | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(value);
  const ip = parseIp(match?.[1] ?? "");
  const prefix = Number(match?.[2]);
  return ip && prefix <= ip.bytes.length * 8 ? { ...ip, prefix } : undefined;
}

const fromBytes = (bytes: number[]): string => ipaddr.fromByteArray(bytes).toString();

const mask = (length: number, prefix: number): number[] =>
  Array.from({ length }, (_, index) => 256 - 2 ** (8 - Math.min(8, Math.max(0, prefix - 8 * index))));

/** The mask in the address's own notation: `255.255.255.0`, `ffff:ffff:ffff:ffff::`. */
export const netmask = (prefix: number, family: Family): string => fromBytes(mask(family === 4 ? 4 : 16, prefix));

/** First address of the network. */
export function networkOf({ bytes, prefix }: Cidr): string {
  const bits = mask(bytes.length, prefix);
  return fromBytes(bytes.map((byte, index) => byte & (bits[index] ?? 0)));
}

/** Last address of the network: IPv4's broadcast address. */
function lastOf({ bytes, prefix }: Cidr): string {
  const bits = mask(bytes.length, prefix);
  return fromBytes(bytes.map((byte, index) => byte | (255 - (bits[index] ?? 0))));
}

/** Whether `ip` lies in the network of `cidr`. */
export const contains = (cidr: Cidr, ip: Ip): boolean =>
  cidr.family === ip.family && networkOf({ ...ip, prefix: cidr.prefix }) === networkOf(cidr);

/** IPv6 addresses that are valid on any one link, such as a router's `fe80::1`. */
export const isLinkLocal = (ip: Ip): boolean => rangeOf(ip) === "linkLocal" && ip.family === 6;

/** ipaddr.js's name of the range the address belongs to: `unicast`, `multicast`, `loopback`, … */
const rangeOf = (ip: Ip): string => ipaddr.fromByteArray([...ip.bytes]).range();

const NOT_A_HOST: Readonly<Record<string, string>> = {
  unspecified: "is the unspecified address",
  broadcast: "is the broadcast address",
  multicast: "is a multicast address",
  loopback: "is a loopback address",
  ipv4Mapped: "is an IPv4 address written as IPv6",
};

/** Why `ip` can't be the address of one machine on a network; `undefined` if it can. */
const notAHost = (ip: Ip): string | undefined => NOT_A_HOST[rangeOf(ip)];

const quote = (value: string): string => (value.length <= 50 ? `"${value}"` : "the value");

/** Why `value` is not an address with prefix for a machine; `undefined` if it is. */
export function whyNotCidr(value: string): string | undefined {
  const cidr = parseCidr(value);
  if (!cidr) {
    return parseIp(value)
      ? `${quote(value)} has no prefix length; write for example ${value}/${value.includes(":") ? 64 : 24}`
      : `${quote(value)} is not an IP address with a prefix length, such as 192.0.2.10/24 or 2001:db8::10/64`;
  }
  const objection = notAHost(cidr);
  if (objection !== undefined) return `${quote(value)} ${objection}`;
  if (cidr.prefix === 0) return `${quote(value)} has prefix length 0, which makes every address local`;
  // In networks of one or two addresses each of them is a machine's (RFC 3021, RFC 6164).
  if (cidr.prefix >= cidr.bytes.length * 8 - 1) return undefined;
  if (networkOf(cidr) === cidr.text)
    return `${quote(value)} is the address of the network itself, not of a machine in it`;
  if (cidr.family === 4 && lastOf(cidr) === cidr.text) return `${quote(value)} is the broadcast address of its network`;
  return undefined;
}

/** Why `value` is not the address of a machine; `undefined` if it is. */
export function whyNotIp(value: string): string | undefined {
  const ip = parseIp(value);
  if (!ip) return `${quote(value)} is not an IP address, such as 192.0.2.1 or 2001:db8::1`;
  const objection = notAHost(ip);
  return objection === undefined ? undefined : `${quote(value)} ${objection}`;
}

/** Why `value` is not the address of a name server, which may be on the machine itself; `undefined` if it is. */
export function whyNotDns(value: string): string | undefined {
  const ip = parseIp(value);
  return ip && rangeOf(ip) === "loopback" ? undefined : whyNotIp(value);
}

/** Why `value` is not a destination network; `undefined` if it is. */
export function whyNotNetwork(value: string): string | undefined {
  const cidr = parseCidr(value);
  if (!cidr) return `${quote(value)} is not a network with a prefix length, such as 10.0.0.0/8 or 2001:db8::/32`;
  const network = networkOf(cidr);
  return network === cidr.text
    ? undefined
    : `${quote(value)} is an address in the network ${network}/${cidr.prefix}; write ${network}/${cidr.prefix}`;
}

/** Why `value` is not a MAC address; `undefined` if it is. */
export const whyNotMac = (value: string): string | undefined =>
  parseMac(value) ? undefined : `${quote(value)} is not a MAC address, such as 52:54:00:1f:79:7e`;
