import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { canonicalJson } from "../../provider/core/json.ts";
import { jsonDriveHash } from "../../provider/drive/content-hash.ts";
import {
  buildDrive,
  checkDrive,
  type DriveArgs,
  type DriveFacts,
  INLINE_MAX_BYTES,
} from "../../provider/drive/drive.ts";
import { readLabel } from "../../provider/drive/iso/label.ts";
import { describeFailure, InvalidInput, UNKNOWN } from "../../provider/schema/index.ts";

const facts: DriveFacts = {
  ports: [{ uuid: "one", address: "52:54:00:00:00:01", pxe_enabled: true }],
  portGroups: [],
  nodeName: "node-1",
  nodeUuid: "11111111-1111-4111-8111-111111111111",
  supportsJson: true,
  supportsVendorData: true,
};
const args: DriveArgs = {
  metaData: { hostname: "worker-1", publicKeys: ["ssh-ed25519 AAAA me"] },
  network: { interfaces: [{ addresses: ["192.0.2.10/24"] }] },
  userData: "#cloud-config\n",
};
const noRead = (): string => {
  throw new Error("no files here");
};
const build = (more: Partial<DriveArgs> = {}, other: Partial<DriveFacts> = {}) =>
  buildDrive({ ...args, ...more }, { ...facts, ...other }, noRead);
const image = (content: string): Buffer => gunzipSync(Buffer.from(content, "base64"));
const refusals = (wrong: unknown, other: Partial<DriveFacts> = {}): string[] => {
  try {
    buildDrive(wrong as DriveArgs, { ...facts, ...other }, noRead);
    return [];
  } catch (error) {
    if (error instanceof InvalidInput) return error.failures.map(describeFailure);
    throw error;
  }
};

describe("drive", () => {
  it("makes Ironic's JSON with nothing else in it", () => {
    const drive = build({ vendorData: { "cloud-init": "#cloud-config\n" } });
    expect(JSON.parse(drive.content)).to.deep.equal({
      meta_data: { hostname: "worker-1", name: "worker-1", public_keys: { 0: "ssh-ed25519 AAAA me" } },
      network_data: {
        links: [{ id: "iface0", type: "phy", ethernet_mac_address: "52:54:00:00:00:01", mtu: 1500 }],
        networks: [
          {
            id: "network0",
            network_id: "network0",
            link: "iface0",
            type: "ipv4",
            ip_address: "192.0.2.10",
            netmask: "255.255.255.0",
            routes: [],
            services: [],
          },
        ],
        services: [],
      },
      user_data: "#cloud-config\n",
      vendor_data: { "cloud-init": "#cloud-config\n" },
    });
    expect(drive).to.include({
      format: "json",
      sha256: jsonDriveHash(JSON.parse(drive.content) as Record<string, unknown>),
      bytes: drive.content.length,
    });
    expect(drive.ports).to.deep.equal(["52:54:00:00:00:01"]);
    expect(drive.warnings).to.deep.equal([]);
  });

  it("does not depend on the order of keys", () => {
    const a = build({ metaData: { hostname: "w", meta: { a: 1, b: [{ c: 1, d: 2 }] } } });
    const { userData, network } = args;
    const b = buildDrive(
      {
        userData: userData ?? "",
        network: network ?? {},
        metaData: { meta: { b: [{ d: 2, c: 1 }], a: 1 }, hostname: "w" },
      },
      facts,
    );
    expect(b.content).to.equal(a.content);
    expect(canonicalJson({ b: 1, a: { d: 1, c: undefined } })).to.equal('{"a":{"d":1},"b":1}');
  });

  it("makes an image with what Ironic would add to JSON", () => {
    const drive = build({ format: "iso", metaData: { meta: { a: 1 } } });
    const content = image(drive.content);
    expect(readLabel(content)).to.equal("config-2");
    expect(content.includes('{"meta":{"a":1},"name":"node-1","uuid":"11111111-1111-4111-8111-111111111111"}')).to.equal(
      true,
    );
    expect(content.includes("#cloud-config\n")).to.equal(true);
    expect(
      image(build({ format: "iso", metaData: {} }, { nodeName: null }).content).includes('{"uuid":"1111'),
    ).to.equal(true);
    expect(
      image(build({ format: "iso", metaData: { uuid: "mine", name: "glean" } }).content).includes(
        '{"name":"glean","uuid":"mine"}',
      ),
    ).to.equal(true);
  });

  it("writes a gzip header that says nothing about the machine", () => {
    const header = Buffer.from(build({ format: "iso" }).content, "base64").subarray(0, 10);
    expect([...header]).to.deep.equal([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  });

  it("carries gzipped user data in an image, byte for byte", () => {
    const raw = Buffer.from([0x1f, 0x8b, 8, 0, 0, 255, 254, 253, 1, 2, 3, 128]);
    const drive = build({ userData: { gzipBase64: raw.toString("base64") } });
    expect(drive).to.include({ format: "iso", formatReason: "JSON cannot contain gzipped user data" });
    expect(image(drive.content).includes(raw)).to.equal(true);
  });

  describe("chooses the form", () => {
    const forms: [what: string, more: Partial<DriveArgs>, other: Partial<DriveFacts>, format: string][] = [
      ["JSON where Ironic takes it", {}, {}, "json"],
      ["an image for an Ironic before 1.56", {}, { supportsJson: false, supportsVendorData: false }, "iso"],
      ["JSON before 1.59 without vendor data", {}, { supportsVendorData: false }, "json"],
      ["an image before 1.59 with vendor data", { vendorData: { a: 1 } }, { supportsVendorData: false }, "iso"],
      ["an image when asked", { format: "iso" }, {}, "iso"],
    ];
    for (const [what, more, other, format] of forms) {
      it(what, () => {
        const drive = build(more, other);
        expect(drive.format).to.equal(format);
        expect(drive.formatReason).not.to.equal("");
      });
    }

    it("and refuses JSON that the server would not take", () => {
      expect(refusals({ ...args, format: "json" }, { supportsJson: false })).to.deep.equal([
        "format: json is not possible: this Ironic does not make drives from JSON (API 1.56). Use iso or auto",
      ]);
      expect(refusals({ ...args, vendorData: {}, format: "json" }, { supportsVendorData: false })[0]).to.match(
        /vendor data in JSON \(API 1\.59\)/,
      );
    });
  });

  it("takes a ready image in base64", () => {
    const ready = build({ format: "iso" }).content;
    const plain = image(ready).toString("base64");
    expect(buildDrive({ imageBase64: ready }, facts)).to.include({ content: ready, format: "iso" });
    expect(image(buildDrive({ imageBase64: plain }, facts).content).toString("base64")).to.equal(plain);
    expect(refusals({ imageBase64: "AAAA" })[0]).to.match(/^imageBase64: the image is not an ISO 9660 image/);
    expect(refusals({ imageBase64: ready, userData: "x" })).to.deep.equal([
      "userData: conflicts with imageBase64, which is a complete drive: set only one",
    ]);
  });

  it("passes raw network data on as it is, and checks it", () => {
    const networkData = {
      links: [{ id: "a", type: "phy", ethernet_mac_address: "52:54:00:00:00:01" }],
      networks: [],
      services: [],
    };
    const drive = buildDrive({ networkData }, facts);
    expect(JSON.parse(drive.content).network_data).to.deep.equal(networkData);
    expect(drive.ports).to.deep.equal(["52:54:00:00:00:01"]);
    expect(drive.warnings[0]?.text).to.match(/^networkData\.links\[0\] has no mtu/);
    const foreign = { ...networkData, links: [{ ...networkData.links[0], ethernet_mac_address: "52:54:00:00:00:02" }] };
    expect(refusals({ networkData: foreign })[0]).to.match(
      /^networkData\.links\[0\]\.ethernet_mac_address: 52:54:00:00:00:02 is not a port/,
    );
  });

  it("warns over 64 KiB and refuses over 1 MiB", () => {
    expect(build({ userData: "x".repeat(60_000) }).warnings).to.deep.equal([]);
    expect(build({ userData: "x".repeat(70_000) }).warnings[0]?.text).to.match(/^the drive has \d+ bytes; over 65536/);
    // Compressible content is small as an image, but lies in the state as it was written.
    expect(build({ userData: "x".repeat(70_000), format: "iso" }).warnings).to.have.length(1);
    expect(refusals({ userData: "x".repeat(INLINE_MAX_BYTES) })[0]).to.match(
      /^userData: the drive's content has 1048578 bytes; over 1048576 is refused/,
    );
    expect(checkDrive({ userData: "x".repeat(INLINE_MAX_BYTES) })).to.have.length(1);
  });

  const wrong: [value: Record<string, unknown>, failures: RegExp[]][] = [
    [{}, [/^the drive would be empty: set metaData, network/]],
    [{ format: "json" }, [/^the drive would be empty/]],
    [
      { network: args.network, networkData: { links: [], networks: [], services: [] } },
      [/^networkData: conflicts with network: set only one$/],
    ],
    [{ image: "a", url: "http://x/y" }, [/^url: conflicts with image: set only one$/]],
    [{ image: "a", userData: "x" }, [/^userData: conflicts with image, which is a complete drive: set only one$/]],
    [{ directory: "a", format: "iso" }, [/^format: has no effect with directory/]],
    [{ url: "ftp://x/y" }, [/^url: must be an http:\/\/ or https:\/\/ address/]],
    [{ url: "nonsense" }, [/^url: must be/]],
    [{ ...args, format: "vfat" }, [/^format: must be one of auto, json, iso$/]],
    [{ ...args, format: "json", userData: { gzipBase64: "AAAA" } }, [/^format: json cannot contain gzipped user data/]],
    [{ metaData: { a: Number.POSITIVE_INFINITY } }, [/^metaData\.a: is not a finite number$/]],
    [{ vendorData: { a: ["\ud800"] } }, [/^vendorData\.a\[0\]: contains half of a Unicode character$/]],
    [{ vendorData: "x" }, [/^vendorData: must be an object$/]],
    [{ userData: 5, metaData: 5 }, [/^metaData: must be an object$/, /^userData: must be a string or an object$/]],
  ];
  for (const [value, failures] of wrong) {
    it(`refuses ${JSON.stringify(value).slice(0, 80)}`, () => {
      const found = checkDrive(value).map(describeFailure);
      expect(found).to.have.length(failures.length);
      for (const [index, failure] of failures.entries()) expect(found[index]).to.match(failure);
    });
  }

  it("never repeats what could be secret", () => {
    const secret = "hunter2hunter2";
    const all = [
      { userData: { parts: [{ text: secret, filename: `${secret}"` }], [secret]: secret } },
      { metaData: { publicKeys: [secret], hostname: `${secret}_` } },
      { userData: { gzipBase64: `${secret}!` } },
      { vendorData: [secret] },
    ];
    for (const each of all) {
      const text = checkDrive(each)
        .map(({ reason }) => reason)
        .join("\n");
      expect(text).not.to.equal("");
      expect(text).not.to.contain(secret);
    }
  });

  it("judges only what is known", () => {
    const values: Record<string, unknown>[] = [
      { userData: UNKNOWN },
      { network: UNKNOWN, metaData: { hostname: UNKNOWN } },
      { networkData: UNKNOWN },
      { url: UNKNOWN },
      { image: UNKNOWN },
      { vendorData: { a: UNKNOWN } },
      { userData: "x", format: UNKNOWN },
    ];
    for (const value of values) expect(checkDrive(value), JSON.stringify(value)).to.deep.equal([]);
    expect(refusals({ userData: UNKNOWN })).to.deep.equal(["the drive depends on values that are not known yet"]);
    expect(refusals({ image: "x.iso" })).to.deep.equal(["image: is read at the deployment; there is nothing to build"]);
  });

  it("is the same in other processes, time zones and locales", function () {
    this.timeout(30_000);
    const module = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "provider", "drive", "drive.ts");
    const more = {
      userData: { cloudConfig: { ö: 1, z: 2, a: 3, Z: 4, é: 5 } },
      metaData: { hostname: "w", ä: 1, z: 2, B: 3 },
    };
    const code = `import { buildDrive } from ${JSON.stringify(module)};
      const [args, facts] = JSON.parse(process.argv[1]);
      process.stdout.write(["json", "iso"].map((format) => buildDrive({ ...args, format }, facts).sha256).join());`;
    const run = (env: Record<string, string>): string =>
      execFileSync(
        process.execPath,
        ["--input-type=module", "-e", code, JSON.stringify([{ ...args, ...more }, facts])],
        {
          env: { ...process.env, ...env },
          encoding: "utf8",
        },
      );
    const here = ["json", "iso"].map((format) => build({ ...more, format: format as "json" }).sha256).join();
    expect(run({ TZ: "Pacific/Auckland", LANG: "sv_SE.UTF-8", LC_ALL: "sv_SE.UTF-8" })).to.equal(here);
    expect(run({ TZ: "America/Los_Angeles", LANG: "C", LC_ALL: "C" })).to.equal(here);
  });
});
