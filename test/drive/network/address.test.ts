import { expect } from "chai";
import {
  contains,
  netmask,
  networkOf,
  parseCidr,
  parseIp,
  parseMac,
  whyNotCidr,
  whyNotDns,
  whyNotIp,
  whyNotNetwork,
} from "../../../provider/drive/network/address.ts";

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`${text} is no network`);
  return parsed;
};

describe("network-address", () => {
  it("takes no loose spellings", () => {
    for (const text of ["10.1", "010.0.0.1", "0x7f.1", "1.2.3.4.5", "fe80::1%eth0", "::g", "", " 10.0.0.1"]) {
      expect(parseIp(text), text).to.equal(undefined);
    }
    for (const text of ["10.0.0.1", "10.0.0.1/33", "2001:db8::1/129", "10.0.0.1/", "10.0.0.1/-1", "10.0.0.1/24/8"]) {
      expect(parseCidr(text), text).to.equal(undefined);
    }
  });

  it("knows masks and networks", () => {
    const masks: [number, 4 | 6, string][] = [
      [0, 4, "0.0.0.0"],
      [1, 4, "128.0.0.0"],
      [23, 4, "255.255.254.0"],
      [32, 4, "255.255.255.255"],
      [0, 6, "::"],
      [64, 6, "ffff:ffff:ffff:ffff::"],
      [63, 6, "ffff:ffff:ffff:fffe::"],
      [128, 6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ];
    for (const [prefix, family, mask] of masks) expect(netmask(prefix, family)).to.equal(mask);
    expect(networkOf(cidr("192.0.2.77/26"))).to.equal("192.0.2.64");
    expect(networkOf(cidr("2001:db8:ffff::1/33"))).to.equal("2001:db8:8000::");
  });

  it("says what lies in a network", () => {
    const inside = (network: string, ip: string) =>
      contains(cidr(network), cidr(`${ip}/${ip.includes(":") ? 128 : 32}`));
    expect(inside("192.0.2.10/26", "192.0.2.63")).to.equal(true);
    expect(inside("192.0.2.10/26", "192.0.2.64")).to.equal(false);
    expect(inside("2001:db8::1/64", "2001:db8::ffff")).to.equal(true);
    expect(inside("192.0.2.10/1", "2001:db8::1")).to.equal(false);
  });

  it("writes addresses in their normal form", () => {
    expect(parseIp("2001:DB8:0:0:0:0:0:10")?.text).to.equal("2001:db8::10");
    expect(parseMac("52-54-00-1F-79-7E")).to.equal("52:54:00:1f:79:7e");
    expect(parseMac("52:54:00:1f:79")).to.equal(undefined);
  });

  it("refuses what is no machine's address", () => {
    for (const text of [
      "192.0.2.0/24",
      "192.0.2.255/24",
      "0.0.0.0/8",
      "127.0.0.1/8",
      "224.0.0.1/4",
      "255.255.255.255/24",
      "10.0.0.1/0",
      "2001:db8::/64",
      "::1/128",
      "ff02::1/64",
      "::ffff:192.0.2.1/96",
    ]) {
      expect(whyNotCidr(text), text).to.be.a("string");
    }
    for (const text of ["192.0.2.0/31", "192.0.2.1/32", "2001:db8::/127", "fe80::5/64", "10.1.2.3/8"]) {
      expect(whyNotCidr(text), text).to.equal(undefined);
    }
  });

  it("helps where the mistake is plain", () => {
    expect(whyNotCidr("192.0.2.10")).to.contain("write for example 192.0.2.10/24");
    expect(whyNotNetwork("10.0.0.5/8")).to.contain("write 10.0.0.0/8");
    expect(whyNotIp("x".repeat(100))).to.equal("the value is not an IP address, such as 192.0.2.1 or 2001:db8::1");
    expect(whyNotDns("127.0.0.53")).to.equal(undefined);
    expect(whyNotDns("0.0.0.0")).to.contain("unspecified");
  });
});
