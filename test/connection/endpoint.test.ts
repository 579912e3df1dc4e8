import { expect } from "chai";
import { baseOf } from "../../provider/connection/endpoint.ts";
import { ProblemError } from "../../provider/core/errors.ts";
import { growth, growthMax } from "../fakes/growth.ts";

describe("an endpoint", () => {
  const BASES: readonly [endpoint: string, base: string][] = [
    ["http://ironic:6385", "http://ironic:6385"],
    ["http://ironic:6385/", "http://ironic:6385"],
    [" https://ironic/v1 ", "https://ironic"],
    ["https://ironic/v1/", "https://ironic"],
    ["https://cloud/baremetal/v1//", "https://cloud/baremetal"],
    ["https://cloud/baremetal", "https://cloud/baremetal"],
    ["https://cloud/v1/x", "https://cloud/v1/x"],
    ["http://[2001:db8::1]:6385", "http://[2001:db8::1]:6385"],
    ["https://cloud/baremetal?x=1#y", "https://cloud/baremetal"],
  ];
  for (const [endpoint, base] of BASES) it(`${endpoint} is ${base}`, () => expect(baseOf(endpoint)).to.equal(base));

  for (const wrong of ["", "ironic:6385", "ftp://ironic", "file:///v1", "http://", "u:hunter22@ironic"])
    it(`${JSON.stringify(wrong)} is refused`, () => expect(() => baseOf(wrong)).to.throw(ProblemError));

  it("with a long row of slashes, as a catalogue may have it, is read in time that grows with its length", () =>
    expect(
      growth(1_024, (length) => {
        const endpoint = `https://ironic/${"/".repeat(length)}x`;
        return () => baseOf(endpoint);
      }),
    ).to.be.below(growthMax));

  it("with a password in it is refused, without repeating it", () => {
    for (const wrong of ["http://u:hunter22@ironic", "ftp://u:hunter22@ironic", "u:hunter22@iro nic"])
      expect(() => baseOf(wrong))
        .to.throw(ProblemError)
        .with.property("message")
        .that.does.not.contain("hunter22");
  });
});
