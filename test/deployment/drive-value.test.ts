import { expect } from "chai";
import { contentHashOf, driveHashOf, driveValue } from "../../provider/deployment/drive-value.ts";
import { addressHash } from "../../provider/drive/content-hash.ts";
import { DRIVE } from "../fakes/deployments.ts";

const SHA = "a".repeat(64);
const REFERENCE = `pulumi-ironic-drive:image:${SHA}:/srv/drive.iso`;

const reasonOf = (value: Parameters<typeof driveValue>[0]): string => {
  const drive = driveValue(value);
  return "reason" in drive ? drive.reason : `(${Object.keys(drive)})`;
};

describe("a deployment's config drive", () => {
  it("is taken in each form that Ironic takes, without the white space around a text", () => {
    const json = JSON.stringify(DRIVE);
    for (const value of [DRIVE, json, `\n ${json}\n`]) expect(driveValue(value)).to.deep.equal({ json: DRIVE });
    for (const text of ["http://h/drive", "https://h/drive?a=b", "H4sIAAAA+/==", "H4sIAA\nAA"])
      expect(driveValue(` ${text}\n`)).to.deep.equal({ text });
    const all = { meta_data: {}, network_data: {}, user_data: "", vendor_data: {} };
    expect(driveValue(all)).to.deep.equal({ json: all });
  });

  it("may be a reference to a file of this machine", () =>
    expect(driveValue(REFERENCE)).to.deep.equal({
      source: { kind: "image", sha256: SHA, location: "/srv/drive.iso" },
    }));

  for (const [value, reason] of [
    ["", /^must be an object or JSON text/],
    ["#cloud-config", /^must be an object or JSON text/],
    ["ftp://h/drive", /^must be an object or JSON text/],
    ["http://h/a drive", /^must be an object or JSON text/],
    // Base64 of what is not compressed, and a gzip stream with something that is not base64.
    ["Q0QwMDE=", /^must be an object or JSON text/],
    ["H4sI*", /^must be an object or JSON text/],
    ["[]", /^must be an object or JSON text/],
    ['{"meta_data": ', /^starts like JSON, but is not valid JSON$/],
    ['{"meta_data": {}, "files": {}, "a": 1}', /^has the key files, a; Ironic accepts only meta_data, network_data, /],
    [{ metaData: {} }, /^has the key metaData; Ironic accepts only meta_data, /],
  ] as const)
    it(`is refused as ${JSON.stringify(value)}`, () => expect(reasonOf(value)).to.match(reason));

  it("has the hash of its content: of a reference that which it names, of nothing none", () => {
    expect(driveHashOf(REFERENCE)).to.equal(SHA);
    expect(contentHashOf(JSON.stringify(DRIVE))).to.equal(driveHashOf(DRIVE));
    expect(contentHashOf(undefined)).to.equal(undefined);
    // Ironic fetches it: what counts is the address.
    expect(driveHashOf(" http://h/drive\n")).to.equal(addressHash("http://h/drive"));
  });

  it("has the same hash with and without white space around its base64", () =>
    expect(driveHashOf("\n H4sIAAAA\n")).to.equal(driveHashOf("H4sIAAAA")));
});
