// Every known difference between a description and what a reader makes of it, with its reason. An unknown one fails the run.
export interface Explanation {
  /** Columns that it is true for. */
  readers: readonly string[];
  /** A line of `differences`, or an error. */
  pattern: RegExp;
  why: string;
}

export const explanations: readonly Explanation[] = [
  {
    readers: ["Glean Debian", "Glean Red Hat", "Glean networkd"],
    pattern: / mtu: /,
    why: "Glean reads no `mtu`: the card keeps 1500.",
  },
  {
    readers: ["Glean Debian", "Glean Red Hat", "Glean networkd"],
    pattern: / search: /,
    why: "Glean reads no search domains; OpenStack's format has no place for them, and cloud-init takes them from `dns_search`.",
  },
  {
    readers: ["Glean Red Hat"],
    pattern: /^AssertionError in _write_rh_v6_interface$/,
    why: "Glean on Red Hat stops with an error when an interface has IPv6 addresses and no IPv4: it adds IPv6 to a file that only IPv4 starts.",
  },
  {
    readers: ["Glean networkd"],
    pattern: /^KeyError in _write_networkd_interface$/,
    why: "Glean for systemd-networkd stops with an error on DHCPv6 alone (`ipv6_dhcp`).",
  },
  {
    readers: ["Glean Debian", "Glean Red Hat", "Glean networkd"],
    pattern: / dhcp6: true, got false$/,
    why: "Glean does not know DHCPv6 (`ipv6_dhcp`) and leaves it out.",
  },
  {
    readers: ["Glean Debian"],
    pattern: / slaac: true, got false$/,
    why: "Glean on Debian writes nothing for SLAAC; Linux does it by itself on an interface that is up for another reason.",
  },
  {
    readers: ["Glean Debian", "Glean Red Hat"],
    pattern: /^card\d: missing$/,
    why: "Nothing is left for this interface, as its only network is of a kind that Glean does not know.",
  },
  {
    readers: ["Glean Red Hat"],
    pattern: /^card\d (addresses|routes): /,
    why: "Glean on Red Hat writes one file for each IPv4 address of an interface, over the one before: the last address wins.",
  },
  {
    readers: ["Glean Debian"],
    pattern: / bond (hash: nothing, got layer2|lacp: nothing, got slow)$/,
    why: "Glean on Debian writes Linux's own defaults, which changes nothing.",
  },
  {
    readers: ["Glean Red Hat"],
    pattern: / bond (mode|miimon|hash|lacp): .*, got nothing$/,
    why: "Glean on Red Hat writes no BONDING_OPTS: the bond gets Linux's defaults (balance-rr).",
  },
  {
    readers: ["Glean networkd"],
    pattern: / bond miimon: \d+, got \d+000$/,
    why: "Glean for systemd-networkd writes the milliseconds of `bond_miimon` without a unit, which systemd reads as seconds.",
  },
  {
    readers: ["Glean networkd"],
    pattern: / bond lacp: (nothing|slow), got fast$/,
    why: "Glean for systemd-networkd always asks for fast LACP.",
  },
];
