import { expect } from "chai";
import {
  BOOT_FIELDS,
  BOOT_KEYS,
  bootInfoOf,
  hashedFields,
  hidesBoots,
  infoMatches,
  isMasked,
  shows,
} from "../../provider/node/instance-info.ts";
import { growth, growthMax } from "../fakes/growth.ts";
import { nodeIn } from "../fakes/nodes.ts";

const INFO = { kernel: "k", ramdisk: "r" };
const nodeWith = (instance_info: Record<string, unknown>) => nodeIn("active", "free", { instance_info });

describe("instance_info", () => {
  const SHOWN: readonly [shown: unknown, wanted: unknown, same: boolean][] = [
    ["a", "a", true],
    ["a", "b", false],
    [undefined, undefined, true],
    [undefined, "a", false],
    ["a", undefined, false],
    ["x token=******", "x token=s3cret", true],
    ["x token=****** y", "x token=s3cret y", true],
    ["x token=****** y", "x token=s3cret z", false],
    ["x token=******", "z token=s3cret", false],
    ["******", undefined, false],
    ["a.c=******", "abc=s", false],
    ["x 'token=****** y'", "x 'token=s3cret\" and more", true],
    ["x token='******' rest lost", "x token='s3cret' other", true],
    ["x token='******", "y token='s3cret", false],
    ["a=******", "a=one\ntwo", true],
    ["a=****** a", "a=a", false],
    ["******ab******ab", "ab", false],
    ["******ab******b******", "xabxb", true],
    ["******b******ab******", "ab b", false],
  ];
  for (const [shown, wanted, same] of SHOWN)
    it(`${JSON.stringify(shown)} ${same ? "can be" : "is not"} ${JSON.stringify(wanted)}`, () => {
      expect(shows(shown, wanted)).to.equal(same);
    });

  for (const part of ["a******", "************", "aa*******"])
    it(`of ${part}, repeated by a node that lies, is compared in time that grows with its length`, () =>
      expect(
        growth(64, (length) => {
          const [shown, wanted] = [`${part.repeat(3)}b`, `${"a".repeat(length)}b c`];
          return () => shows(shown, wanted);
        }),
      ).to.be.below(growthMax));

  const MATCHES: readonly [what: string, actual: Record<string, unknown>, matches: boolean][] = [
    ["the same", INFO, true],
    ["keys that boot nothing", { ...INFO, display_name: "x", capabilities: {} }, true],
    ["Ironic's own image_type", { ...INFO, image_type: "partition" }, true],
    ["an image_source that is the ramdisk", { ...INFO, image_source: "r" }, true],
    ["null for what is not wanted", { ...INFO, boot_iso: null }, true],
    ["another kernel", { ...INFO, kernel: "other" }, false],
    ["less", { kernel: "k" }, false],
    ["kernel arguments too many", { ...INFO, ramdisk_kernel_arguments: "debug" }, false],
    ["an image_source left by others", { ...INFO, image_source: "http://images/disk" }, false],
    ["a checksum left by others", { ...INFO, image_checksum: "x" }, false],
    ["kernel_append_params left by others", { ...INFO, kernel_append_params: "x" }, false],
  ];
  for (const [what, actual, matches] of MATCHES)
    it(`${matches ? "takes" : "notices"} ${what}`, () => {
      expect(infoMatches(nodeWith(actual), INFO)).to.equal(matches);
    });

  it("gives back the texts of what we write, and nothing else", () => {
    const actual = { ...INFO, image_source: "r", boot_iso: 7, configdrive: "******", image_type: "x" };
    expect(bootInfoOf(nodeWith(actual))).to.deep.equal({ ...INFO, image_source: "r" });
  });

  it("hides what is booted only where something of it is masked", () => {
    expect(isMasked({ a: ["******"] })).to.equal(true);
    expect(isMasked(undefined)).to.equal(false);
    expect(hidesBoots(nodeWith({ ...INFO, ramdisk_kernel_arguments: "token=******" }))).to.equal(true);
    expect(hidesBoots(nodeWith({ ...INFO, configdrive: "******" }))).to.equal(false);
  });

  it("goes into the hash by the names of the arguments, without image_source", () => {
    expect(hashedFields({ ...INFO, boot_iso: "i", ramdisk_kernel_arguments: "a", image_source: "r" })).to.deep.equal({
      kernel: "k",
      ramdisk: "r",
      bootIso: "i",
      kernelArguments: "a",
    });
    expect(BOOT_KEYS).to.include.members([...BOOT_FIELDS, "image_source"]);
  });
});
