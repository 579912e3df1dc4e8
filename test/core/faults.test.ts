import { expect } from "chai";
import {
  IronicError,
  isAllocationGone,
  isFault,
  isFinal,
  isHidden,
  isNodeGone,
  isRefusal,
} from "../../provider/core/errors.ts";
import { FAULTS, type Fault, faultRow } from "../../provider/core/faults.ts";
import { RECOGNITIONS } from "../../provider/core/recognitions.ts";
import { countTries, pausesMs } from "../../provider/core/tries.ts";

const all = Object.keys(FAULTS) as Fault[];

const errorOf = (fault: Fault): IronicError =>
  new IronicError({ fault, operation: "try", request: "GET /v1", detail: "it failed" });

const those = (holds: (error: unknown) => boolean): Fault[] => all.filter((fault) => holds(errorOf(fault)));

describe("faults", () => {
  it("are each recognised in an answer, but for the one that is found before anything is sent", () => {
    const recognised = new Set<Fault>(RECOGNITIONS.map(({ fault }) => fault));
    expect(all.filter((fault) => !recognised.has(fault))).to.deep.equal(["unsupported"]);
  });

  it("let a write be repeated only where it surely was not applied", () => {
    for (const fault of all)
      if (faultRow(fault).write !== "once") expect(faultRow(fault).applied, fault).to.equal("no");
  });

  it("let no write be sent again without a look at the node, but what never left", () => {
    const repeated = all.filter((fault) => faultRow(fault).write !== "once");
    expect(repeated).to.have.members(["unreachable", "loginOverloaded"]);
  });

  it("let a write be repeated no more often than a read", () => {
    for (const fault of all)
      if (faultRow(fault).write !== "once") expect(faultRow(fault).read, fault).to.deep.equal(faultRow(fault).write);
  });

  it("are asked about by name", () => {
    expect(those((error) => !isRefusal(error))).to.have.members([
      "alreadyExists",
      "unavailable",
      "serverError",
      "ambiguous",
      "malformed",
    ]);
    expect(those(isFinal)).to.have.members([
      "invalid",
      "forbidden",
      "unauthorized",
      "nodeGone",
      "allocationGone",
      "notFound",
      "unacceptable",
      "malformed",
      "untrusted",
      "unsupported",
    ]);
    expect(those(isNodeGone)).to.deep.equal(["nodeGone"]);
    expect(those(isAllocationGone)).to.deep.equal(["allocationGone"]);
    expect(those(isHidden)).to.have.members(["forbidden", "notFound", "allocationGone"]);
    for (const holds of [isFault, isRefusal, isFinal, isNodeGone, isAllocationGone, isHidden])
      expect(holds(new Error("x"))).to.equal(false);
  });

  it("tell the limiter of load", () => {
    const loads = (load: string) => all.filter((fault) => faultRow(fault).load === load);
    expect(loads("busy")).to.deep.equal(["locked"]);
    expect(loads("overloaded")).to.have.members(["overloaded", "unavailable", "ambiguous"]);
    expect(loads("unknown")).to.have.members([
      "serverError",
      "unreachable",
      "loginOverloaded",
      "untrusted",
      "unsupported",
    ]);
  });
});

describe("tries", () => {
  it("are as many as the table says, on an account of each fault", () => {
    const tries = countTries();
    const allowed = (fault: Fault, times: number) =>
      Array.from({ length: times }, () => tries.allowAfter(errorOf(fault))).filter(Boolean).length;
    expect(allowed("conflict", 5)).to.equal(3);
    expect(allowed("unavailable", 30)).to.equal(20);
    expect(allowed("locked", 100)).to.equal(100);
    expect(allowed("invalid", 1)).to.equal(0);
  });

  it("pause ever longer between them", () => {
    const pauses = pausesMs();
    expect(Array.from({ length: 7 }, () => pauses.next().value)).to.deep.equal([
      500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
  });
});
