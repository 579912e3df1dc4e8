import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { encodeImage } from "../../provider/drive/image.ts";
import { buildIso } from "../../provider/drive/iso/image.ts";
import { formatReference, parseReference } from "../../provider/drive/reference.ts";
import { describeSource, loadDirectory, loadDriveContent, loadImage } from "../../provider/drive/source.ts";

const files = [
  { path: "openstack/latest/meta_data.json", data: Buffer.from("{}") },
  { path: "openstack/latest/user_data", data: Buffer.from("#!/bin/sh\n") },
];
const image = Buffer.from(buildIso(files, { label: "config-2" }));
const otherImage = Buffer.from(
  buildIso([...files, { path: "one more", data: Buffer.alloc(1) }], { label: "config-2" }),
);
const unpacked = (content: unknown): Buffer => gunzipSync(Buffer.from(String(content), "base64"));
const refusal = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("drive-source", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drive-"));
    for (const { path, data } of files) {
      mkdirSync(join(folder, "tree", path, ".."), { recursive: true });
      writeFileSync(join(folder, "tree", path), data);
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const put = (data: string | Buffer, name = "drive"): string => {
    writeFileSync(join(folder, name), data);
    return join(folder, name);
  };

  describe("an image", () => {
    const packed = gzipSync(image);
    const forms: [what: string, data: Buffer | string][] = [
      ["as it is", image],
      ["gzipped", packed],
      ["gzipped, in base64", packed.toString("base64")],
      ["gzipped, in base64 with line breaks", `${packed.toString("base64").replace(/.{60}/g, "$&\r\n")}\n`],
      ["in base64 only", image.toString("base64")],
    ];
    for (const [what, data] of forms) {
      it(`is taken ${what}`, async () => {
        const content = await loadImage(put(data));
        expect(content).to.match(/^H4sI[A-Za-z0-9+/]+=*$/);
        expect(unpacked(content).equals(image)).to.equal(true);
      });
    }

    it("that is gzipped already keeps its bytes", () => {
      expect(encodeImage(packed, "drive")).to.equal(packed.toString("base64"));
    });

    const wrong: [what: string, data: Buffer | string, message: RegExp][] = [
      ["text", "#cloud-config\n", /^image: \S+ is not an ISO 9660 image \(plain, gzipped or in base64\)$/],
      ["nothing", "", /is not an ISO 9660 image/],
      ["gzipped text", gzipSync("hello"), /is not an ISO 9660 image/],
      [
        "another label",
        Buffer.from(buildIso(files, { label: "cidata" })),
        /has the volume label "cidata"; cloud-init and Glean look only for config-2$/,
      ],
      ["half a gzip file", packed.subarray(0, 400), /starts like gzip, but cannot be unpacked/],
      ["half an image", image.subarray(0, 30_000), /is not an ISO 9660 image/],
    ];
    for (const [what, data, message] of wrong) {
      it(`is refused: ${what}`, async () => expect(await refusal(loadImage(put(data)))).to.match(message));
    }

    it("is refused when it is not there", async () => {
      expect(await refusal(loadImage(join(folder, "none")))).to.match(/^image: \S+ cannot be read \(ENOENT\)$/);
    });

    it("is refused when it is too large for Ironic", () => {
      const zeros = { path: "zeros", data: { size: 49 * 1024 * 1024, write: () => undefined } };
      const large = buildIso([...files, zeros], { label: "config-2" });
      // Stored rather than packed.
      const stored = gzipSync(large, { level: 0 });
      expect(() => encodeImage(stored, "large.iso")).to.throw(
        /^image: the drive large\.iso has more than 67108864 bytes in base64/,
      );
    });
  });

  describe("a directory", () => {
    const tree = (): string => join(folder, "tree");

    it("becomes an image that depends on its files only", async () => {
      const content = await loadDirectory(tree());
      expect(unpacked(content).equals(image)).to.equal(true);
    });

    it("follows links within it, and refuses those that lead out", async () => {
      symlinkSync("user_data", join(tree(), "openstack/latest/vendor_data.json"));
      expect(await refusal(loadDirectory(tree()))).to.equal("");
      symlinkSync(put("secret"), join(tree(), "openstack/latest/leak"));
      expect(await refusal(loadDirectory(tree()))).to.equal(
        "directory: openstack/latest/leak is a link that leads out of the directory",
      );
    });

    it("is refused with a link to itself", async () => {
      symlinkSync(".", join(tree(), "loop"));
      expect(await refusal(loadDirectory(tree()))).to.match(/more than 16 directories deep, or has a link to itself/);
    });

    it("is refused when it is no drive, or not there", async () => {
      expect(await refusal(loadDirectory(join(tree(), "openstack")))).to.match(
        /^directory: \S+ has no openstack\/latest\/meta_data\.json/,
      );
      expect(await refusal(loadDirectory(join(folder, "none")))).to.match(/^directory: \S+ cannot be read \(ENOENT\)$/);
    });
  });

  it("is described by its files, so that any change of them shows", async () => {
    const path = put(image);
    const before = await describeSource({ image: path });
    expect(before).to.deep.include({ kind: "image", location: path });
    put(otherImage);
    expect((await describeSource({ image: path }))?.sha256).not.to.equal(before?.sha256);

    const directory = join(folder, "tree");
    const hash = async () => (await describeSource({ directory }))?.sha256;
    const first = await hash();
    expect(await hash()).to.equal(first);
    writeFileSync(join(directory, "openstack/latest/user_data"), "#!/bin/zsh\n");
    expect(await hash()).not.to.equal(first);
    expect(await describeSource({ url: "http://127.0.0.1/drive" })).to.include({
      kind: "url",
      location: "http://127.0.0.1/drive",
    });
    expect(await describeSource({ userData: "x" })).to.equal(undefined);
  });

  describe("a reference", () => {
    it("stands for a file until the deployment", async () => {
      const described = await describeSource({ image: put(image) });
      const reference = formatReference(described as NonNullable<typeof described>);
      expect(parseReference(reference)).to.deep.equal(described);
      expect(unpacked(await loadDriveContent(reference)).equals(image)).to.equal(true);
      put(otherImage);
      expect(await refusal(loadDriveContent(reference))).to.match(
        /^image: \S+ changed after the program read it; run `pulumi up` again$/,
      );
    });

    it("is nothing that Ironic takes, nor the other way round", async () => {
      for (const content of ["{}", "http://x/y", "H4sIAAAA", "pulumi-ironic-drive:image:short:x", undefined, {}]) {
        expect(parseReference(content)).to.equal(undefined);
      }
      expect(formatReference({ kind: "url", location: "http://x/y", sha256: "0" })).to.equal("http://x/y");
      expect(await loadDriveContent(' {"meta_data":{}}\n')).to.deep.equal({ meta_data: {} });
      expect(await loadDriveContent({ meta_data: {} })).to.deep.equal({ meta_data: {} });
      expect(await loadDriveContent(" H4sIAAAA\n")).to.equal("H4sIAAAA");
      expect(await loadDriveContent(undefined)).to.equal(undefined);
    });
  });
});
