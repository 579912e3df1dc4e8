import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { configDriveHandler } from "../../provider/config-drive/handler.ts";
import { SECRET_OUTPUTS } from "../../provider/config-drive/secrets.ts";
import { listIso } from "../../provider/drive/iso/list.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import { InvalidInput, UNKNOWN } from "../../provider/schema/index.ts";
import type { Stored } from "../fakes/call.ts";
import { NODE } from "../fakes/deployments.ts";
import { type World, type WorldOptions, world } from "../fakes/world.ts";

const MAC = "52:54:00:00:00:01";
const OTHER_MAC = "52:54:00:00:00:02";
const INPUTS = {
  node: "worker-1",
  metaData: { hostname: "worker-1" },
  network: { interfaces: [{ addresses: ["192.0.2.10/24"] }] },
};

const scene = (options?: WorldOptions): World => world(configDriveHandler, options);
const check = (w: World, news: Props) =>
  w.clock.run(configDriveHandler.check(undefined, news, w.services, w.call)) as Promise<{
    inputs: Props;
    failures: { path: string; reason: string }[];
  }>;
const pathsOf = async (news: Props, options?: WorldOptions): Promise<string[]> =>
  (await check(scene(options), news)).failures.map(({ path }) => path);
const filesIn = (content: unknown): string[] =>
  (listIso(gunzipSync(Buffer.from(String(content), "base64"))) ?? []).map(({ path }) => path);

describe("ConfigDrive: check", () => {
  const WRONG: readonly [what: string, news: Props, paths: string[]][] = [
    ["no node", { metaData: INPUTS.metaData }, ["node"]],
    ["an empty node", { ...INPUTS, node: "" }, ["node"]],
    ["nothing to say", { node: "worker-1" }, [""]],
    ["a misspelt property", { ...INPUTS, userdata: "x" }, ["userdata"]],
    [
      "an address of no network",
      { ...INPUTS, network: { interfaces: [{ addresses: ["x"] }] } },
      ["network.interfaces[0].addresses[0]"],
    ],
    ["two networks", { ...INPUTS, networkData: { links: [], networks: [], services: [] } }, ["networkData"]],
    ["two ready drives", { node: "worker-1", image: "a", url: "http://files/b" }, ["url"]],
    ["content beside a ready drive", { node: "worker-1", url: "http://files/b", userData: "x" }, ["userData"]],
    ["a url of a file", { node: "worker-1", url: "file:///etc/shadow" }, ["url"]],
    ["an unknown format", { ...INPUTS, format: "vfat" }, ["format"]],
  ];
  for (const [what, news, paths] of WRONG) {
    it(`refuses ${what} by its path, and asks nobody`, async () => {
      const w = scene();
      expect((await check(w, news)).failures.map(({ path }) => path)).to.include.members(paths);
      expect(w.asked()).to.deep.equal([]);
    });
  }

  it("takes what is right as it is, and does not ask Ironic where no version matters", async () => {
    const w = scene();
    expect(await check(w, INPUTS)).to.deep.equal({ inputs: INPUTS, failures: [] });
    expect(w.asked()).to.deep.equal([]);
  });

  it("refuses by path what this Ironic's version cannot take", async () => {
    const old = { client: { minor: 50 } };
    const json = { ...INPUTS, format: "json" };
    expect(await pathsOf(json, old)).to.deep.equal(["format"]);
    expect(await pathsOf(INPUTS, old)).to.deep.equal([]);
    const vendor = { ...json, vendorData: { a: 1 } };
    expect(await pathsOf(vendor, { client: { minor: 56 } })).to.deep.equal(["vendorData"]);
    expect(await pathsOf({ ...vendor, format: "iso" }, { client: { minor: 56 } })).to.deep.equal([]);
    expect(await pathsOf(json, { ...old, settings: { preflight: "off" } })).to.deep.equal([]);
  });

  it("judges only what is known of a preview, and reads no file for it", async () => {
    const w = scene();
    const news = { node: UNKNOWN, metaData: { publicKeyFiles: ["/nonexistent/key"] } };
    expect(await check(w, news)).to.deep.equal({ inputs: news, failures: [] });
  });

  it("names the file of keys that cannot be read", async () => {
    const news = { node: "worker-1", metaData: { publicKeyFiles: ["/nonexistent/key"] } };
    expect(await pathsOf(news)).to.deep.equal(["metaData.publicKeyFiles[0]"]);
    expect(await pathsOf({ node: "worker-1", image: "/nonexistent/drive" })).to.deep.equal(["image"]);
    expect(await pathsOf({ node: "worker-1", directory: "/nonexistent/drive" })).to.deep.equal(["directory"]);
  });
});

describe("ConfigDrive: create", () => {
  it("makes JSON with the MAC addresses of the node's ports, and writes nothing to Ironic", async () => {
    const w = scene();
    const { id, outs } = await w.made(undefined, INPUTS);
    expect(id).to.equal(NODE);
    expect(outs).to.deep.include({ contentFormat: "json", ports: [MAC], nodeUuid: NODE });
    const drive = JSON.parse(String(outs.content));
    expect(drive.meta_data).to.include({ hostname: "worker-1" });
    expect(drive.network_data.links[0].ethernet_mac_address).to.equal(MAC);
    expect(w.client.writes).to.deep.equal([]);
    expect(w.asked()).to.deep.equal(["GET /ports"]);
  });

  it("makes an image where it is asked for, or where the server's version takes no JSON", async () => {
    for (const [inputs, options] of [
      [{ ...INPUTS, format: "iso" }, {}],
      [INPUTS, { client: { minor: 50 } }],
    ] as const) {
      const { outs } = await scene(options).made(undefined, inputs);
      expect(outs).to.deep.include({ contentFormat: "iso", ports: [MAC], nodeUuid: NODE });
      expect(filesIn(outs.content)).to.include.members([
        "openstack/latest/meta_data.json",
        "openstack/latest/network_data.json",
      ]);
    }
  });

  it("has the same hash as JSON and as image, as both hold the same", async () => {
    const json = await scene().made(undefined, INPUTS);
    const iso = await scene().made(undefined, { ...INPUTS, format: "iso" });
    expect(json.outs.sha256)
      .to.match(/^[0-9a-f]{64}$/)
      .and.to.equal(iso.outs.sha256);
  });

  it("does not ask for ports where no network is described", async () => {
    const w = scene();
    const { outs } = await w.made(undefined, { node: "worker-1", userData: "#!/bin/sh\n" });
    expect(outs).to.deep.include({ ports: [], nodeUuid: NODE });
    expect(w.asked()).to.deep.equal(["GET /nodes/worker-1"]);
  });

  it("refuses a port that the node has not, by its path", async () => {
    const w = scene();
    const network = { interfaces: [{ mac: OTHER_MAC, dhcp4: true }] };
    const { error, stored } = await w.up(undefined, { ...INPUTS, network });
    expect(error)
      .to.be.instanceOf(InvalidInput)
      .and.to.have.property("message")
      .that.contains("network.interfaces[0].mac");
    expect(stored).to.equal(undefined);
  });

  it("passes an address on, and asks nobody", async () => {
    const w = scene();
    const { id, outs } = await w.made(undefined, { node: "worker-1", url: "http://files/drive" });
    expect(id).to.equal("worker-1");
    expect(outs).to.include({ content: "http://files/drive", contentFormat: "url" });
    expect(w.asked()).to.deep.equal([]);
  });

  it("keeps what may be secret out of plain text", () => {
    expect([...configDriveHandler.secretOutputs]).to.have.members([...SECRET_OUTPUTS]);
    expect(SECRET_OUTPUTS).to.include.members(["content", "sha256", "userData", "vendorData", "imageBase64"]);
  });
});

describe("ConfigDrive: later", () => {
  const port = (w: World, address: string) => {
    w.fake.ports = w.fake.ports.map((known) => ({ ...known, address }));
  };

  it("finds nothing where nothing changed, whatever the spelling of the node", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.asked();
    for (const node of ["worker-1", NODE])
      expect(await w.diff(first, { ...INPUTS, node })).to.deep.include({ changes: false, replaces: [] });
    expect(w.asked()).to.deep.equal([]);
  });

  const CHANGES: readonly [what: string, change: Props, replaces: string[]][] = [
    ["meta data", { metaData: { hostname: "other" } }, []],
    ["user data", { userData: "#!/bin/sh\n" }, []],
    ["the format", { format: "iso" }, []],
    ["what is not known yet", { userData: UNKNOWN }, []],
    ["a node that is not known yet", { node: UNKNOWN }, ["node"]],
  ];
  for (const [what, change, replaces] of CHANGES) {
    it(`is changed by ${what}`, async () => {
      const w = scene();
      const first = await w.made(undefined, INPUTS);
      expect(await w.diff(first, { ...INPUTS, ...change })).to.deep.include({ changes: true, replaces });
    });
  }

  it("is replaced for another node", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.ironic.add({ name: "worker-2" });
    expect((await w.diff(first, { ...INPUTS, node: "worker-2" })).replaces).to.deep.equal(["node"]);
  });

  it("shows on refresh that the node's ports changed, and an update follows them", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    expect((await w.refresh(first))?.outs).to.deep.equal(first.outs);
    port(w, OTHER_MAC);
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.drift).to.be.a("string");
    expect(seen.outs).to.deep.include({ ports: [OTHER_MAC], content: first.outs.content });
    expect(seen.inputs).to.deep.equal(INPUTS);
    expect((await w.diff(seen, INPUTS)).changes).to.equal(true);
    const second = await w.made(seen, INPUTS);
    expect(second.outs).to.deep.include({ ports: [OTHER_MAC], nodeUuid: NODE });
    expect(second.outs.sha256).not.to.equal(first.outs.sha256);
    expect(second.outs.content).to.contain(OTHER_MAC);
  });

  it("forgets drift that is over", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    port(w, OTHER_MAC);
    const seen = (await w.refresh(first)) as Stored;
    port(w, MAC);
    expect((await w.refresh(seen))?.outs).to.deep.equal(first.outs);
  });

  it("shows as drift that it cannot be made any more, and is gone with its node", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.fake.ports = [];
    const seen = (await w.refresh(first)) as Stored;
    expect(seen.outs.drift).to.be.a("string").that.contains("network.interfaces[0]");
    expect(seen.outs.content).to.equal(first.outs.content);
    w.ironic.add();
    w.ironic.remove(NODE);
    expect(await w.refresh({ ...first, outs: { ...first.outs, metaData: {}, network: undefined } })).to.equal(
      undefined,
    );
  });

  it("stays on the node of the state when its name has moved to another", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    const other = w.ironic.add();
    other.ports = other.ports.map((each) => ({ ...each, address: OTHER_MAC }));
    other.node.name = "worker-1";
    w.fake.node.name = "renamed";
    const second = await w.made(first, { ...INPUTS, metaData: { hostname: "new" } });
    expect(second.outs).to.deep.include({ nodeUuid: NODE, ports: [MAC] });
  });

  it("has nothing to give back", async () => {
    const w = scene();
    const first = await w.made(undefined, INPUTS);
    w.asked();
    expect(await w.destroy(first)).to.equal(undefined);
    expect(w.asked()).to.deep.equal([]);
  });
});
