import { expect } from "chai";
import { formatReference, parseReference } from "../../provider/drive/reference.ts";

const sha256 = "a".repeat(64);

describe("a reference to a drive", () => {
  for (const kind of ["image", "directory"] as const)
    for (const location of ["/drives/a", "C:\\drives\\a", "a:b", "a\nb"])
      it(`to ${kind} ${JSON.stringify(location)} is read back`, () => {
        const source = { kind, location, sha256 };
        expect(parseReference(formatReference(source))).to.deep.equal(source);
      });

  it("to an address is the address itself, which Ironic fetches", () => {
    const address = formatReference({ kind: "url", location: "http://files/drive", sha256 });
    expect(address).to.equal("http://files/drive");
    expect(parseReference(address)).to.equal(undefined);
  });

  const NONE: readonly unknown[] = [
    undefined,
    {},
    "H4sIAAAA",
    "pulumi-ironic-drive:image:short:/a",
    `pulumi-ironic-drive:url:${sha256}:http://a`,
    `pulumi-ironic-drive:image:${sha256}:`,
    ` pulumi-ironic-drive:image:${sha256}:/a`,
  ];
  for (const content of NONE)
    it(`is not ${JSON.stringify(content)}`, () => expect(parseReference(content)).to.equal(undefined));
});
