import { expect } from "chai";
import { CancelledError, IronicError, ProblemError } from "../../provider/core/errors.ts";
import { failureOf, isUnexpected, partialFailure } from "../../provider/plugin/failure.ts";
import { PartialFailure } from "../../provider/plugin/handler.ts";
import { InvalidInput } from "../../provider/schema/index.ts";

const PROBLEM = new ProblemError({ code: "node-held", problem: "It is so", advice: "Do that." });
const IRONIC = new IronicError({
  fault: "conflict",
  operation: "read the node",
  request: "GET /v1/nodes/n",
  detail: "no, s3cret",
  status: 409,
  requestId: "req-1",
});
const clean = (text: string): string => text.replaceAll("s3cret", "***");

describe("a failure as the engine gets it", () => {
  const ERRORS: readonly [what: string, error: unknown, unexpected: boolean][] = [
    ["a problem", PROBLEM, false],
    ["Ironic's answer", IRONIC, false],
    ["an interruption", new CancelledError("stopped"), false],
    ["a failure in part", new PartialFailure("id", {}, PROBLEM), false],
    ["a wrong argument", new InvalidInput([{ path: "a", reason: "b", code: "argument-invalid" }]), false],
    ["an error without a kind of its own", new Error("x"), false],
    ["a fault of the program", new TypeError("x"), true],
    ["what is no error", "x", false],
  ];
  for (const [what, error, unexpected] of ERRORS)
    it(`${unexpected ? "is" : "is not"} unexpected where it is ${what}`, () =>
      expect(isUnexpected(error)).to.equal(unexpected));

  it("holds the message without a secret, and no stack", () => {
    const failure = failureOf(IRONIC, "create", clean);
    expect(failure.message).to.contain("***").and.not.to.contain("s3cret");
    expect(failure.stack).to.equal("");
  });

  it("is summed up by request, status and the server's id of it, else by the call", () => {
    for (const part of ["GET /v1/nodes/n", "409", "req-1"])
      expect(String(failureOf(IRONIC, "create", clean))).to.contain(part);
    expect(String(failureOf(PROBLEM, "create x", clean))).to.equal("create x");
    const unanswered = new IronicError({ fault: "unreachable", operation: "t", request: "GET /", detail: "" });
    expect(String(failureOf(unanswered, "create", clean))).to.contain("unreachable");
  });

  it("shows what steers a terminal, and does not carry it out", () => {
    const told = new IronicError({
      fault: "conflict",
      operation: "t",
      request: "GET /a\u009b",
      detail: "b\u001b[2J",
      status: 409,
    });
    const failure = failureOf(told, "create", clean);
    expect(failure.message).to.contain("b\\u001b[2J");
    expect(String(failure)).to.contain("/a\\u009b");
  });

  it("names the kind of what is unexpected, and takes what is no error", () => {
    expect(failureOf(new TypeError("x s3cret"), "create", clean).message)
      .to.contain("TypeError")
      .and.contain("x ***");
    expect(failureOf("odd", "create", clean).message).to.contain("odd");
  });

  it("in part keeps the resource with what is known, and every reason", () => {
    const error = partialFailure("id", { nodeUuid: "n" }, ["one", "two"]);
    expect(error).to.deep.include({ id: "id", properties: { nodeUuid: "n" }, reasons: ["one", "two"] });
    expect(error.message).to.equal("one\ntwo");
  });
});
