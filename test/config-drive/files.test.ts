import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { configDriveHandler } from "../../provider/config-drive/handler.ts";
import { buildIso } from "../../provider/drive/iso/image.ts";
import { parseReference } from "../../provider/drive/reference.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Stored } from "../fakes/call.ts";
import { type World, world } from "../fakes/world.ts";

const check = (w: World, news: Props) => w.clock.run(configDriveHandler.check(undefined, news, w.services, w.call));

describe("ConfigDrive: files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "config-drive-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As the engine does: what check gives back is created. */
  const made = async (w: World, news: Props, olds?: Stored): Promise<Stored> => {
    const { inputs, failures } = await check(w, news);
    expect(failures).to.deep.equal([]);
    return w.made(olds, inputs);
  };
  const imageOf = (name: string): Uint8Array =>
    buildIso([{ path: "openstack/latest/meta_data.json", data: Buffer.from(JSON.stringify({ name })) }], {
      label: "config-2",
    });
  const write = {
    image: (name: string) => writeFileSync(join(folder, "drive"), imageOf(name)),
    directory: (name: string) => {
      mkdirSync(join(folder, "drive/openstack/latest"), { recursive: true });
      writeFileSync(join(folder, "drive/openstack/latest/meta_data.json"), JSON.stringify({ name }));
    },
  };

  for (const kind of ["image", "directory"] as const) {
    it(`of ${kind} stay where they are: the state holds a reference, and a change of them is a change`, async () => {
      const w = world(configDriveHandler);
      const location = join(folder, "drive");
      const news = { node: "worker-1", [kind]: location };
      write[kind]("one");
      const first = await made(w, news);
      expect(first.outs).to.include({ contentFormat: kind, filesSha256: first.outs.sha256 });
      expect(parseReference(first.outs.content)).to.deep.equal({ kind, location, sha256: first.outs.sha256 });
      expect(await w.diff(first, (await check(w, news)).inputs)).to.deep.include({ changes: false });
      write[kind]("two");
      expect(await w.diff(first, (await check(w, news)).inputs)).to.deep.include({ changes: true, replaces: [] });
      expect((await w.refresh(first))?.outs.drift).to.be.a("string");
      const second = await made(w, news, first);
      expect(second.outs.sha256).not.to.equal(first.outs.sha256);
      expect(w.asked()).to.deep.equal([]);
    });
  }

  it("of public keys are read anew at each check", async () => {
    const w = world(configDriveHandler);
    const file = join(folder, "key.pub");
    const news = { node: "worker-1", metaData: { publicKeyFiles: [file] } };
    writeFileSync(file, "ssh-ed25519 AAAA one\n");
    const first = await made(w, news);
    expect(first.outs.content).to.contain("ssh-ed25519 AAAA one");
    writeFileSync(file, "ssh-ed25519 AAAA two\n");
    const { inputs } = await check(w, news);
    expect(inputs.filesSha256).not.to.equal(first.inputs.filesSha256);
    expect((await w.diff(first, inputs)).changes).to.equal(true);
  });
});
