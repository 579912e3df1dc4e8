// Random descriptions, right and wrong, from a fixed seed: FUZZ_RUNS=10000 FUZZ_SEED=1 mocha test/drive/fuzz.test.ts
import { expect } from "chai";
import fc from "fast-check";
import { buildDrive, checkDrive, type DriveArgs, type DriveFacts } from "../../provider/drive/drive.ts";
import {
  type AddressArgs,
  BOND_MODES,
  checkNetworkData,
  HASH_POLICIES,
  type NetworkArgs,
  type Port,
  toNetworkData,
  type VlanArgs,
} from "../../provider/drive/network/network.ts";
import { InvalidInput, UNKNOWN } from "../../provider/schema/index.ts";

const numRuns = Number(process.env.FUZZ_RUNS ?? 250);
const options = { numRuns, seed: Number(process.env.FUZZ_SEED ?? 20260101) };
const PORTS = 8;
const ports: Port[] = Array.from({ length: PORTS }, (_, index) => ({
  uuid: `port-${index}`,
  address: `52:54:00:00:01:0${index}`,
  name: `name-${index}`,
  pxe_enabled: index === 0,
  physical_network: index % 2 === 0 ? "even" : "odd",
}));
const facts: DriveFacts = {
  ports,
  portGroups: [],
  nodeName: "n",
  nodeUuid: "u",
  supportsJson: true,
  supportsVendorData: true,
};

const boolean = fc.boolean();
const count = (max: number) => fc.nat({ max });
const linkSeed = fc.record({
  v4: count(3),
  v6: count(2),
  dhcp4: boolean,
  dhcp6: boolean,
  slaac: boolean,
  gateway: boolean,
  routes: count(3),
  dns: count(2),
  search: count(2),
  mtu: fc.option(fc.integer({ min: 1280, max: 9000 }), { nil: undefined }),
});
type LinkSeed = typeof linkSeed extends fc.Arbitrary<infer T> ? T : never;
const vlanSeed = fc.uniqueArray(fc.record({ id: fc.integer({ min: 1, max: 4094 }), link: linkSeed }), {
  maxLength: 3,
  selector: ({ id }) => id,
});
const networkSeed = fc.record({
  cards: fc.array(
    fc.record({ link: linkSeed, vlans: vlanSeed, choice: fc.constantFrom("none", "mac", "port", "name", "order") }),
    { maxLength: 3 },
  ),
  bonds: fc.array(
    fc.record({
      link: linkSeed,
      vlans: vlanSeed,
      members: fc.integer({ min: 1, max: 2 }),
      mode: fc.constantFrom(...BOND_MODES),
      hash: fc.option(fc.constantFrom(...HASH_POLICIES), { nil: undefined }),
      fast: boolean,
    }),
    { maxLength: 2 },
  ),
  dns: boolean,
});

/** Without the keys that are undefined: Pulumi sends none. */
const clean = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** A right description of whatever the seed says: each address has a network of its own. */
function describeNetwork(seed: typeof networkSeed extends fc.Arbitrary<infer T> ? T : never): NetworkArgs {
  let next = 0;
  const link = (from: LinkSeed, mtuMax: number): AddressArgs => {
    const four = Array.from({ length: from.v4 }, () => `10.${++next}.0`);
    const six = Array.from({ length: from.v6 }, () => `2001:db8:${(++next).toString(16)}:`);
    const routers = [...four.map((net) => `${net}.1`), ...six.map((net) => `${net}:1`)];
    return {
      addresses: [...four.map((net) => `${net}.10/24`), ...six.map((net) => `${net}:10/64`)],
      dhcp4: from.dhcp4,
      dhcp6: from.dhcp6,
      slaac: from.slaac,
      ...(from.gateway && four[0] !== undefined ? { gateway: `${four[0]}.1` } : {}),
      ...(from.gateway && six[0] !== undefined ? { gateway6: `${six[0]}:1` } : {}),
      routes: Array.from({ length: routers.length > 0 ? from.routes : 0 }, (_, index) => {
        const gateway = routers[index % routers.length] ?? "";
        return {
          destination: gateway.includes(":") ? `2001:db8:f${index}00::/40` : `172.${16 + index}.0.0/16`,
          gateway,
        };
      }),
      dns: ["192.0.2.53", "2001:db8::53"].slice(0, from.dns),
      searchDomains: ["a.example", "b.example"].slice(0, from.search),
      mtu: from.mtu === undefined ? (undefined as never) : Math.min(from.mtu, mtuMax),
    };
  };
  const vlansOf = (from: { id: number; link: LinkSeed }[], mtu: number | undefined): VlanArgs[] =>
    from.map((each) => ({ id: each.id, ...link(each.link, mtu ?? 1500) }));
  const choice = (kind: string, port: number) =>
    ({
      mac: { mac: ports[port]?.address ?? "" },
      port: { port: `port-${port}` },
      name: { port: `name-${port}` },
      order: { order: port },
    })[kind] ?? {};
  let port = PORTS;
  return clean({
    ...(seed.dns ? { dns: ["192.0.2.53"], searchDomains: ["c.example"] } : {}),
    interfaces: seed.cards.map((card) => {
      const own = link(card.link, 9000);
      // From the end, as cards without a choice take ports from the start.
      return { ...choice(card.choice, --port), ...own, vlans: vlansOf(card.vlans, own.mtu) };
    }),
    bonds: seed.bonds.map((bond) => {
      const own = link(bond.link, 9000);
      const hashing = ["balance-xor", "802.3ad", "balance-tlb", "balance-alb"].includes(bond.mode);
      return {
        members: Array.from({ length: bond.members }, () => ({})),
        mode: bond.mode,
        transmitHashPolicy: hashing ? bond.hash : undefined,
        lacpRate: bond.mode === "802.3ad" && bond.fast ? "fast" : undefined,
        ...own,
        vlans: vlansOf(bond.vlans, own.mtu),
      } as never;
    }),
  });
}
const right = networkSeed.filter(({ cards, bonds }) => cards.length + bonds.length > 0).map(describeNetwork);

type Step = string | number;
/** Every place of a value, the value itself left out. */
const places = (value: unknown, before: Step[] = []): Step[][] =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, each]) => {
        const path = [...before, Array.isArray(value) ? Number(key) : key];
        return [path, ...places(each, path)];
      });
function replaced<T>(value: T, path: readonly Step[], by: unknown): T {
  const copy = structuredClone(value);
  let at = copy as Record<Step, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<Step, unknown>;
  at[path.at(-1) ?? ""] = by;
  return copy;
}
const nonsense = fc.oneof(
  fc.constantFrom<unknown>(
    "",
    "x",
    "10.0.0.1",
    "10.0.0.1/8",
    "::",
    "::1/0",
    "fe80::1",
    "0.0.0.0/0",
    "999.1.1.1/24",
    UNKNOWN,
    null,
    -1,
    0,
    1.5,
    1e9,
    true,
    [],
    {},
    [[]],
    [{}],
    { vlans: [] },
  ),
  fc.jsonValue(),
  fc.string({ unit: "binary", maxLength: 20 }),
);

const PATH = /^(network|metaData|userData|vendorData|networkData|format|image|imageBase64|directory|url)(\.|\[|$)/;
function expectPaths(error: unknown): void {
  if (!(error instanceof InvalidInput)) throw error;
  expect(error.failures).not.to.have.length(0);
  for (const { path, reason } of error.failures) {
    expect(path, reason).to.match(PATH);
    expect(reason).to.be.a("string").and.not.equal("");
  }
}

describe(`drive, ${numRuns} random descriptions a test`, function () {
  this.timeout(600_000);

  it("takes right networks, and makes network data that pass their own check", () => {
    fc.assert(
      fc.property(right, (network) => {
        const { networkData, usedPorts } = toNetworkData(network, ports, []);
        expect(checkNetworkData(networkData, ports)).to.deep.include({ failures: [], warnings: [] });
        expect(new Set(usedPorts.map(({ uuid }) => uuid)).size).to.equal(usedPorts.length);
        expect(networkData.links.every(({ mtu }) => mtu >= 1280)).to.equal(true);
        const wanted = JSON.stringify(network).match(/\/(24|64)"/g)?.length ?? 0;
        expect(networkData.networks.filter(({ ip_address }) => ip_address !== undefined)).to.have.length(wanted);
        expect(toNetworkData(structuredClone(network), ports, []).networkData).to.deep.equal(networkData);
      }),
      options,
    );
  });

  it("accepts a right network with anything in it unknown", () => {
    fc.assert(
      fc.property(right, fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), (network, picks) => {
        let args: Record<string, unknown> = { network };
        for (const pick of picks) {
          const all = places(args);
          const path = all[pick % all.length];
          if (path) args = replaced(args, path, UNKNOWN);
        }
        expect(checkDrive(args)).to.deep.equal([]);
      }),
      options,
    );
  });

  it("refuses wrong networks with a path, or takes them, but never fails otherwise", () => {
    fc.assert(
      fc.property(right, fc.array(fc.tuple(fc.nat(), nonsense), { minLength: 1, maxLength: 3 }), (network, changes) => {
        let args: Record<string, unknown> = { network };
        for (const [pick, value] of changes) {
          const all = places(args);
          const path = all[pick % all.length];
          if (path) args = replaced(args, path, value);
        }
        const preview = checkDrive(args);
        for (const { path } of preview) expect(path).to.match(PATH);
        try {
          const { content, format } = buildDrive(args as DriveArgs, facts);
          expect(format).to.equal("json");
          expect(checkNetworkData(JSON.parse(content).network_data, ports).failures).to.deep.equal([]);
          // What is built has passed the check at preview.
          expect(preview).to.deep.equal([]);
        } catch (error) {
          if (error instanceof InvalidInput && JSON.stringify(args).includes(UNKNOWN)) return;
          expectPaths(error);
        }
      }),
      options,
    );
  });

  it("refuses arbitrary values of any property with a path", () => {
    const keys = [
      "network",
      "networkData",
      "metaData",
      "userData",
      "vendorData",
      "format",
      "image",
      "imageBase64",
      "directory",
      "url",
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...keys), nonsense, (key, value) => {
        const args = { metaData: {}, [key]: value };
        for (const { path } of checkDrive(args)) expect(path).to.match(PATH);
        try {
          buildDrive(args as DriveArgs, facts);
        } catch (error) {
          if (JSON.stringify(args).includes(UNKNOWN)) return;
          expectPaths(error);
        }
      }),
      options,
    );
  });
});
