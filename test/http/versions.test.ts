import { expect } from "chai";
import { parseMinor } from "../../provider/connection/api-version.ts";
import { ProblemError } from "../../provider/core/errors.ts";
import {
  chooseMinor,
  type Feature,
  featureAdviceFor,
  featureMinors,
  featureTitle,
} from "../../provider/http/versions.ts";

const choose = (min: number, max: number, pinned?: number) =>
  chooseMinor({ minMinor: min, maxMinor: max }, pinned, "http://i");

describe("versions", () => {
  it("are the newest that both sides know", () => {
    expect(choose(1, 115)).to.equal(115);
    expect(choose(1, 82)).to.equal(82);
    expect(choose(1, 46)).to.equal(46);
    expect(choose(1, 900)).to.equal(115);
    expect(choose(100, 900)).to.equal(115);
  });

  it("can be pinned within the server's range", () => {
    expect(choose(1, 115, 72)).to.equal(72);
    expect(choose(1, 900, 200)).to.equal(200);
    for (const pinned of [116, 45, 8])
      expect(() => choose(1, 115, pinned)).to.throw(ProblemError, "offers 1.1 to 1.115");
  });

  it("have a floor and a ceiling, each with advice", () => {
    expect(() => choose(1, 45)).to.throw(ProblemError, /at least 1\.46\. Use Ironic 11\.1/);
    expect(() => choose(116, 120)).to.throw(ProblemError, /supports up to 1\.115\. Upgrade pulumi-ironic/);
  });

  it("are written 1.N or N", () => {
    expect(parseMinor("1.82")).to.equal(82);
    expect(parseMinor(" 82 ")).to.equal(82);
    for (const text of ["", "latest", "2.1", "1.x", "1.2.3"]) expect(parseMinor(text)).to.equal(undefined);
  });

  it("have a title and an advice for every feature", () => {
    for (const feature of Object.keys(featureMinors) as Feature[]) {
      expect(featureTitle(feature)).to.match(/\S/);
      expect(featureAdviceFor(feature)).to.match(/\.$/);
    }
    expect(featureAdviceFor("automatedClean")).to.contain("metadata");
    expect(featureAdviceFor("configDriveJson")).to.contain('format: "iso"');
  });
});
