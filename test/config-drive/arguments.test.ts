// What is forgotten must not compile: tsc checks the lines below `@ts-expect-error`.
import { expect } from "chai";
import {
  CONFIG_DRIVE_ARGUMENTS,
  type ConfigDriveProps,
  type ConfigDriveTable,
} from "../../provider/config-drive/arguments.ts";
import { configDriveHandler } from "../../provider/config-drive/handler.ts";
import { SECRET_ARGUMENTS, SECRET_OUTPUTS } from "../../provider/config-drive/secrets.ts";
import type { DriveArgs } from "../../provider/drive/args.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";
import type { Equal } from "../fakes/types.ts";
import { world } from "../fakes/world.ts";

// `metaData` is open: what the schema names in it beside the class is of meta_data.json itself.
type Public = Omit<ConfigDriveProps, "node" | "filesSha256" | "metaData">;
true satisfies Equal<Omit<DriveArgs, "metaData">, Public>;
// @ts-expect-error an argument of the class that has no schema
true satisfies Equal<Omit<DriveArgs, "metaData"> & { kind?: string }, Public>;
// @ts-expect-error another type
true satisfies Equal<Omit<DriveArgs, "metaData" | "url"> & { url?: number | undefined }, Public>;

const { url, userData, ...others } = CONFIG_DRIVE_ARGUMENTS;
// @ts-expect-error url has no row
({ userData, ...others }) satisfies ConfigDriveTable;
// @ts-expect-error there is no such argument
({ ...CONFIG_DRIVE_ARGUMENTS, kind: url }) satisfies ConfigDriveTable;
const { secret: _secret, ...open } = userData;
// @ts-expect-error user data is a secret
({ ...CONFIG_DRIVE_ARGUMENTS, userData: open }) satisfies ConfigDriveTable;

/** Of each argument arguments with it, and with another value of it. */
const VALUES: Readonly<Record<keyof ConfigDriveProps, readonly [object, object]>> = {
  node: [
    { node: "worker-1", userData: "a" },
    { node: "worker-2", userData: "a" },
  ],
  metaData: [{ metaData: { a: 1 } }, { metaData: { a: 2 } }],
  network: [{ network: { interfaces: [{ dhcp4: true }] } }, { network: { interfaces: [{ dhcp6: true }] } }],
  networkData: [
    { networkData: { links: [], networks: [], services: [] } },
    { networkData: { links: [], networks: [], services: [{ type: "dns", address: "192.0.2.1" }] } },
  ],
  userData: [{ userData: "a" }, { userData: "b" }],
  vendorData: [{ vendorData: { a: 1 } }, { vendorData: { a: 2 } }],
  format: [
    { metaData: { a: 1 }, format: "json" },
    { metaData: { a: 1 }, format: "iso" },
  ],
  image: [{ image: "a" }, { image: "b" }],
  imageBase64: [{ imageBase64: "H4sIAAAA" }, { imageBase64: "H4sIBBBB" }],
  directory: [{ directory: "a" }, { directory: "b" }],
  url: [{ url: "http://h/a" }, { url: "http://h/b" }],
  filesSha256: [
    { image: "a", filesSha256: "1" },
    { image: "a", filesSha256: "2" },
  ],
};
const OUTS = { content: "c", sha256: "s", contentFormat: "json", formatReason: "r", ports: [], nodeUuid: "n" };

describe("the arguments of a ConfigDrive", () => {
  for (const [name, { change }] of Object.entries(CONFIG_DRIVE_ARGUMENTS))
    it(`${name}: a change of it shows as what the table says`, async () => {
      const w = world(configDriveHandler);
      const [before, after] = VALUES[name as keyof ConfigDriveProps].map((each) => ({ node: "worker-1", ...each }));
      const stored = { id: "n", inputs: { ...before }, outs: { ...before, ...OUTS } };
      for (const news of [{ ...after }, { ...before, [name]: UNKNOWN }])
        expect(await w.diff(stored, news)).to.deep.include({
          changes: true,
          replaces: change === "replaces" ? [name] : [],
        });
      expect((await w.diff(stored, { ...before })).changes).to.equal(false);
    });

  it("that are secret are those of the class", () => {
    const secret = Object.entries(CONFIG_DRIVE_ARGUMENTS).filter(([, row]) => "secret" in row);
    expect(secret.map(([name]) => name)).to.have.members([...SECRET_ARGUMENTS]);
    expect(configDriveHandler.secretOutputs).to.have.members([...SECRET_OUTPUTS]);
  });

  const contentOf = async (args: object) => {
    const w = world(configDriveHandler);
    const { outs } = await w.made(undefined, { node: "worker-1", ...args });
    return outs.sha256;
  };

  for (const name of ["metaData", "networkData", "userData", "vendorData", "url"] as const)
    it(`${name}, which reboots, is part of the drive's hash`, async () => {
      const [before, after] = VALUES[name];
      expect(CONFIG_DRIVE_ARGUMENTS[name].change).to.equal("reboots");
      expect(await contentOf(before)).not.to.equal(await contentOf(after));
    });

  it("format is not: the same content boots the same", async () => {
    expect(CONFIG_DRIVE_ARGUMENTS.format.change).to.equal("inPlace");
    const named = { metaData: { name: "worker-1", uuid: "00000000-0000-4000-8000-000000000001" } };
    expect(await contentOf({ ...named, format: "json" })).to.equal(await contentOf({ ...named, format: "iso" }));
  });

  it("are refused by name", async () => {
    const w = world(configDriveHandler);
    const check = async (news: object) => {
      const { failures } = await w.clock.run(configDriveHandler.check(undefined, { ...news }, w.services, w.call));
      return failures.map(({ path, reason }) => `${path}: ${reason}`);
    };
    expect(await check({ userData: "a" })).to.deep.equal(["node: must be the name or UUID of a node"]);
    const [strange, ...more] = await check({ node: "n", userData: "a", user_data: "b" });
    expect(strange).to.match(/^user_data: there is no such property; the properties are node, metaData, .*url$/);
    expect(more).to.deep.equal([]);
  });

  it("of a state that have another type are refused by name", async () => {
    const w = world(configDriveHandler);
    const inputs = { node: "worker-1", url: "http://h/a" };
    const stored = { id: "n", inputs, outs: { ...inputs, ...OUTS, ports: "none" } };
    expect((await w.diff(stored, inputs).catch((error: Error) => error)) as Error)
      .to.have.property("message")
      .that.matches(/^The state of ConfigDrive is not usable: ports: must be a list/);
  });
});
