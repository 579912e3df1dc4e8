// The files that Glean writes, in its three dialects, as a picture.
import { parseCidr, parseIp } from "../provider/drive/network/address.ts";
import { emptyLink, type LinkPicture, type Picture } from "./picture.ts";

export type Distro = "debian" | "redhat" | "networkd";
export interface GleanResult {
  error?: string;
  files?: Record<string, string>;
}

/** Prefix length of a mask in dotted or colon notation. */
const lengthOf = (mask: string): number =>
  (parseIp(mask)?.bytes ?? []).reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
const cidr = (address: string, prefix: number | string): string =>
  `${parseCidr(`${address}/${prefix}`)?.text}/${prefix}`;

type Words = [key: string, ...rest: string[]];
const words = (text: string): Words[] =>
  text.split("\n").flatMap((line) => {
    const [key, ...rest] = line.trim().split(/\s+/);
    return key ? [[key, ...rest] as Words] : [];
  });

/** interfaces(5): each address is a stanza of its own. */
function debianStanza(link: LinkPicture, key: string, rest: string[], state: { address?: string; six: boolean }): void {
  const [first = ""] = rest;
  const bond = () => {
    link.bond ??= { mode: "", members: [] };
    return link.bond;
  };
  const keys: Record<string, () => void> = {
    address: () => {
      state.address = first;
    },
    netmask: () => link.addresses.push(cidr(state.address ?? "", first.includes(".") ? lengthOf(first) : first)),
    gateway: () => link.routes.push(`${state.six ? "::/0" : "0.0.0.0/0"} via ${first}`),
    up: () => {
      if (rest[1] === "add") link.routes.push(`${cidr(rest[3] ?? "", lengthOf(rest[5] ?? ""))} via ${rest[7]}`);
      if (rest[2] === "route") link.routes.push(`${rest[4]} via ${rest[6]}`);
    },
    "bond-master": () => {
      link.master = first;
    },
    "bond-mode": () => {
      bond().mode = first;
    },
    "bond-miimon": () => {
      bond().miimon = Number(first);
    },
    "bond-lacp-rate": () => {
      bond().lacp = first;
    },
    "bond-xmit_hash_policy": () => {
      bond().hash = first;
    },
    "post-up": () => {
      if (first === "ifenslave") bond().members = rest.slice(2);
    },
  };
  keys[key]?.();
}

function debianFile(name: string, text: string): LinkPicture {
  const link = emptyLink();
  const state = { six: false };
  for (const [key, ...rest] of words(text)) {
    if (key === "iface") {
      state.six = rest[1] === "inet6";
      if (rest[2] === "dhcp") link[state.six ? "dhcp6" : "dhcp4"] = true;
    } else debianStanza(link, key, rest, state);
  }
  const vlan = /^(.+)\.(\d+)$/.exec(name);
  // ifupdown takes the parent from the name where no vlan-raw-device is given.
  if (vlan) link.vlan = { id: Number(vlan[2]), parent: /vlan-raw-device (\S+)/.exec(text)?.[1] ?? vlan[1] ?? "" };
  return link;
}

const settings = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(([, key = "", value = ""]) => [key, value]));

function redHatFile(name: string, text: string, files: Record<string, string>): LinkPicture {
  const link = emptyLink();
  const set = settings(text);
  link.dhcp4 = set.BOOTPROTO === "dhcp";
  link.slaac = set.IPV6_AUTOCONF === "yes";
  if (set.IPADDR) link.addresses.push(cidr(set.IPADDR, lengthOf(set.NETMASK ?? "")));
  for (const [, value = ""] of text.matchAll(/^IPV6ADDR=(.*)$/gm)) link.addresses.push(value);
  if (set.GATEWAY) link.routes.push(`0.0.0.0/0 via ${set.GATEWAY}`);
  if (set.IPV6_DEFAULTGW) link.routes.push(`::/0 via ${set.IPV6_DEFAULTGW}`);
  const routes = settings(files[`/etc/sysconfig/network-scripts/route-${name}`] ?? "");
  for (const key of Object.keys(routes).filter((each) => each.startsWith("ADDRESS"))) {
    const number = key.slice("ADDRESS".length);
    link.routes.push(
      `${cidr(routes[key] ?? "", lengthOf(routes[`NETMASK${number}`] ?? ""))} via ${routes[`GATEWAY${number}`]}`,
    );
  }
  const six = files[`/etc/sysconfig/network-scripts/route6-${name}`] ?? "";
  for (const [, to = "", via = ""] of six.matchAll(/^(\S+) via (\S+)$/gm)) link.routes.push(`${to} via ${via}`);
  if (set.MASTER) link.master = set.MASTER;
  const members = Object.entries(files).flatMap(([path, each]) =>
    settings(each).MASTER === name ? (PATHS.redhat.exec(path)?.[1] ?? []) : [],
  );
  // The mode would be in BONDING_OPTS, which Glean does not write.
  if (members.length > 0) link.bond = { mode: "", members };
  const vlan = /^(.+)\.(\d+)$/.exec(name);
  if (vlan && set.VLAN === "yes") link.vlan = { id: Number(vlan[2]), parent: vlan[1] ?? "" };
  return link;
}

interface Section {
  name: string;
  entries: [string, string][];
}
function sections(text: string): Section[] {
  const found: Section[] = [];
  for (const line of text.split("\n")) {
    const head = /^\[(\w+)\]$/.exec(line);
    const entry = /^(\w+)=(.*)$/.exec(line);
    if (head) found.push({ name: head[1] ?? "", entries: [] });
    else if (entry) found.at(-1)?.entries.push([entry[1] ?? "", entry[2] ?? ""]);
  }
  return found;
}
const values = (all: Section[], section: string, key: string): string[] =>
  all
    .filter(({ name }) => name === section)
    .flatMap(({ entries }) => entries.flatMap(([each, value]) => (each === key ? [value] : [])));

const networkdPath = (name: string, kind: string): string => `/etc/systemd/network/${name}.${kind}`;

function networkdFile(name: string, files: Record<string, string>): LinkPicture {
  const network = sections(files[networkdPath(name, "network")] ?? "");
  const device = sections(files[networkdPath(name, "netdev")] ?? "");
  const dhcp = values(network, "Network", "DHCP");
  const link: LinkPicture = {
    ...emptyLink(),
    dhcp4: dhcp.some((value) => value === "ipv4" || value === "yes"),
    dhcp6: dhcp.some((value) => value === "ipv6" || value === "yes"),
    slaac: values(network, "Network", "IPv6AcceptRA").includes("yes"),
    addresses: values(network, "Address", "Address"),
    routes: network
      .filter((each) => each.name === "Route")
      .map(({ entries }) => `${Object.fromEntries(entries).Destination} via ${Object.fromEntries(entries).Gateway}`),
  };
  const [master] = values(network, "Network", "Bond");
  if (master !== undefined) link.master = master;
  const [id] = values(device, "VLAN", "Id");
  const parent = Object.keys(files).find(
    (path) =>
      path !== networkdPath(name, "network") && values(sections(files[path] ?? ""), "Network", "VLAN").includes(name),
  );
  if (id !== undefined)
    link.vlan = {
      id: Number(id),
      parent:
        parent
          ?.split("/")
          .at(-1)
          ?.replace(/\.network$/, "") ?? "",
    };
  if (values(device, "NetDev", "Kind").includes("bond")) {
    const [miimon] = values(device, "Bond", "MIIMonitorSec");
    const mode = values(device, "Bond", "Mode")[0] ?? "";
    link.bond = {
      mode,
      members: Object.keys(files).flatMap((path) =>
        values(sections(files[path] ?? ""), "Network", "Bond").includes(name)
          ? [
              path
                .split("/")
                .at(-1)
                ?.replace(/\.network$/, "") ?? "",
            ]
          : [],
      ),
      // Without a unit, systemd reads seconds.
      miimon: miimon === undefined ? undefined : Number(miimon) * 1000,
      hash: values(device, "Bond", "TransmitHashPolicy")[0],
      lacp: values(device, "Bond", "LACPTransmitRate")[0],
    };
  }
  return link;
}

const PATHS: Record<Distro, RegExp> = {
  debian: /^\/etc\/network\/interfaces\.d\/(.+)\.cfg$/,
  redhat: /^\/etc\/sysconfig\/network-scripts\/ifcfg-(.+)$/,
  networkd: /^\/etc\/systemd\/network\/(.+)\.network$/,
};

export function pictureOfGlean({ files = {} }: GleanResult, distro: Distro): Picture {
  const links: Record<string, LinkPicture> = {};
  for (const [path, text] of Object.entries(files)) {
    const name = PATHS[distro].exec(path)?.[1];
    if (name === undefined) continue;
    const read = {
      debian: () => debianFile(name, text),
      redhat: () => redHatFile(name, text, files),
      networkd: () => networkdFile(name, files),
    };
    // networkd's VLANs get names of their own; the picture has the usual ones.
    links[distro === "networkd" ? name.replace("-vlan", ".") : name] = read[distro]();
  }
  const dns = [...(files["/etc/resolv.conf"] ?? "").matchAll(/^nameserver (\S+)$/gm)].flatMap(
    ([, server]) => server ?? [],
  );
  return { links, dns };
}
