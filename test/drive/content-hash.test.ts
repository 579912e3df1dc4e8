// What a drive holds, whatever its form: no new version of a compressor or a writer may reboot a machine.
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { driveHashOf } from "../../provider/deployment/args.ts";
import { filesHash, imageHash } from "../../provider/drive/content-hash.ts";
import { buildDrive, type DriveArgs, type DriveFacts } from "../../provider/drive/drive.ts";
import { buildIso } from "../../provider/drive/iso/image.ts";
import { listIso } from "../../provider/drive/iso/list.ts";

const facts: DriveFacts = {
  ports: [],
  portGroups: [],
  nodeName: "worker-1",
  nodeUuid: "00000000-0000-4000-8000-000000000001",
  supportsJson: true,
  supportsVendorData: true,
};
const args: DriveArgs = {
  metaData: { publicKeys: ["ssh-ed25519 AAAA me"], rack: { b: 1, a: 2 } },
  userData: "#cloud-config\n",
  vendorData: { "cloud-init": "#cloud-config\n" },
};
const built = (format: "json" | "iso", more: Partial<DriveFacts> = {}, metaData = args.metaData ?? {}) =>
  buildDrive({ ...args, metaData, format }, { ...facts, ...more });
const unpacked = (content: string): Buffer => gunzipSync(Buffer.from(content, "base64"));

describe("the hash of a drive's content", () => {
  it("is that of the public output, and the same for JSON and ISO", () => {
    const [json, iso] = [built("json"), built("iso")];
    expect(iso.sha256).to.equal(json.sha256);
    expect(driveHashOf(json.content)).to.equal(json.sha256);
    expect(driveHashOf(iso.content)).to.equal(json.sha256);
    expect(driveHashOf(JSON.parse(json.content) as Record<string, unknown>)).to.equal(json.sha256);
  });

  it("does not depend on the compressor", () => {
    const { content, sha256 } = built("iso");
    const image = unpacked(content);
    for (const level of [1, 9]) {
      const packed = gzipSync(image, { level });
      expect(packed.toString("base64")).not.to.equal(content);
      expect(driveHashOf(packed.toString("base64"))).to.equal(sha256);
      expect(imageHash(packed)).to.equal(sha256);
    }
    expect(imageHash(image)).to.equal(sha256);
  });

  it("does not depend on the order of keys", () => {
    const other = { rack: { a: 2, b: 1 }, publicKeys: ["ssh-ed25519 AAAA me"] };
    for (const format of ["json", "iso"] as const)
      expect(built(format, {}, other).sha256).to.equal(built(format).sha256);
    const { content, sha256 } = built("json");
    const { meta_data, ...rest } = JSON.parse(content) as Record<string, unknown>;
    expect(driveHashOf(JSON.stringify({ ...rest, meta_data }, null, 2))).to.equal(sha256);
  });

  it("does not depend on the node's name, but on a name that was given", () => {
    const renamed = built("iso", { nodeName: "worker-2" });
    expect(renamed.content).not.to.equal(built("iso").content);
    expect(renamed.sha256).to.equal(built("iso").sha256);
    expect(driveHashOf(renamed.content)).to.equal(built("iso").sha256);
    // Ironic writes the name into what it makes of JSON.
    expect(built("json", { nodeName: "worker-2" })).to.deep.equal(built("json"));
    expect(built("iso", {}, { ...args.metaData, name: "worker-1" }).sha256).not.to.equal(built("iso").sha256);
    expect(built("iso", {}, { ...args.metaData, uuid: facts.nodeUuid }).sha256).not.to.equal(built("iso").sha256);
  });

  it("shows a change of any file", () => {
    const hashes = [
      args,
      { ...args, userData: "#cloud-config\n\n" },
      { ...args, vendorData: { "cloud-init": "" } },
      { ...args, metaData: {} },
      { metaData: args.metaData ?? {}, userData: "#cloud-config\n" },
    ].flatMap((each) => [
      buildDrive({ ...each, format: "iso" }, facts),
      buildDrive({ ...each, format: "json" }, facts),
    ]);
    expect(new Set(hashes.map(({ sha256 }) => sha256)).size).to.equal(5);
  });

  it("of other images is that of their paths and bytes", () => {
    const files = {
      "openstack/latest/meta_data.json": '{"a":1}',
      "scripts/a long name in lower case.sh": "#!/bin/sh\n",
    };
    const asFiles = Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) }));
    const image = buildIso(asFiles, { label: "config-2" });
    const map = new Map(asFiles.map(({ path, data }) => [path, data]));
    expect(imageHash(image)).to.equal(filesHash(map));
    expect(imageHash(Buffer.concat([image, Buffer.alloc(2048)]))).to.equal(imageHash(image));
  });

  it("of an image that cannot be listed is that of its unpacked bytes", () => {
    const image = Buffer.from(buildIso([{ path: "a", data: Buffer.from("a") }], { label: "config-2" }));
    const damaged = Buffer.from(image);
    damaged.writeUInt32LE(0xffffff, 16 * 2048 + 156 + 2);
    expect(listIso(damaged)).to.equal(undefined);
    expect(imageHash(damaged)).not.to.equal(imageHash(image));
    expect(imageHash(gzipSync(damaged, { level: 1 }))).to.equal(imageHash(gzipSync(damaged, { level: 9 })));
    for (const odd of [Buffer.alloc(0), Buffer.from("text"), Buffer.alloc(70_000), image.subarray(0, 40_000)])
      expect(imageHash(odd)).to.match(/^[0-9a-f]{64}$/);
  });

  it("of a url is that of the address", () => {
    expect(driveHashOf("http://h/a")).to.equal(driveHashOf(" http://h/a\n"));
    expect(driveHashOf("http://h/a")).not.to.equal(driveHashOf("http://h/b"));
  });
});
