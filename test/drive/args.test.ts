import { expect } from "chai";
import { CONTENT, checkDrive, INLINE_MAX_BYTES, SOURCES, sizeOf, tooLarge } from "../../provider/drive/args.ts";
import { UNKNOWN } from "../../provider/schema/index.ts";

/** Each failure as path and code. */
const failing = (args: Record<string, unknown>): string[] =>
  checkDrive(args).map(({ path, code }) => `${path} ${code}`);
const networkData = { links: [], networks: [], services: [] };

describe("the arguments of a drive", () => {
  for (const source of SOURCES)
    it(`are a complete drive with ${source}, and nothing beside it`, () => {
      const drive = { [source]: "http://host/drive" };
      expect(failing(drive)).to.deep.equal([]);
      for (const key of CONTENT)
        expect(failing({ ...drive, [key]: UNKNOWN }), key).to.deep.equal([`${key} argument-conflict`]);
      expect(failing({ ...drive, format: "auto" })).to.deep.equal(["format argument-no-effect"]);
      for (const other of SOURCES.slice(SOURCES.indexOf(source) + 1))
        expect(failing({ ...drive, [other]: "http://host/other" })).to.deep.equal([`${other} argument-conflict`]);
    });

  const FAILURES: readonly (readonly [args: Record<string, unknown>, failures: readonly string[]])[] = [
    [{}, [" config-drive-empty"]],
    [{ image: "" }, ["image argument-invalid"]],
    [{ url: "file:///drive" }, ["url argument-invalid"]],
    [{ url: 5 }, ["url argument-invalid"]],
    [{ network: { interfaces: [{ dhcp4: true }] }, networkData }, ["networkData argument-conflict"]],
    [{ network: UNKNOWN, networkData: UNKNOWN }, ["networkData argument-conflict"]],
    [{ userData: { gzipBase64: "H4sIAAAA" }, format: "json" }, ["format config-drive-format-unavailable"]],
    [{ vendorData: { a: [1, { c: Number.NaN }] } }, ["vendorData.a[1].c value-not-storable"]],
    [{ metaData: { a: "\udc00" }, vendorData: { b: "\ud83d\ude00", c: null } }, ["metaData.a value-not-storable"]],
    [{ vendorData: { a: { "\ud800": 1 } } }, ["vendorData.a value-not-storable"]],
    [{ vendorData: [], format: "vfat" }, ["vendorData argument-invalid", "format argument-invalid"]],
  ];
  for (const [args, failures] of FAILURES)
    it(`${JSON.stringify(args)} fail at ${JSON.stringify(failures)}`, () =>
      expect(failing(args)).to.have.members(failures));

  it("fail once where a part has rules of its own, and not for what is beside them", () => {
    expect(failing({ userData: 5, network: "x", metaData: [], node: 7 })).to.deep.equal([
      "metaData argument-invalid",
      "network argument-invalid",
      "userData argument-invalid",
    ]);
  });

  it("are too large by all of their content together, which is laid to the largest part", () => {
    const half = "x".repeat(INLINE_MAX_BYTES / 2);
    const args = { userData: half, vendorData: { a: `${half}x` } };
    expect(checkDrive(args)).to.deep.equal([
      { path: "vendorData", reason: tooLarge(INLINE_MAX_BYTES + 11), code: "config-drive-size" },
    ]);
    expect(tooLarge(5)).to.match(/has 5 bytes; over 1048576 is refused.* set directory, or set image or url$/);
    expect(failing({ userData: "x".repeat(INLINE_MAX_BYTES - 2) })).to.deep.equal([]);
    expect(failing({ imageBase64: "A".repeat(INLINE_MAX_BYTES) })).to.deep.equal(["imageBase64 config-drive-size"]);
  });

  it("are measured in bytes of JSON", () =>
    expect([undefined, "", "ü", { a: 1 }].map(sizeOf)).to.deep.equal([0, 2, 4, 7]));
});
