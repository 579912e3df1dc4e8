import { expect } from "chai";
import { CancelledError, IronicError, isFault, ProblemError } from "../../provider/core/errors.ts";

describe("errors", () => {
  it("say what was tried, on which node, what Ironic answered and what to do", () => {
    const error = new IronicError({
      fault: "locked",
      operation: "claim the node",
      node: "worker-1",
      request: "PATCH /v1/nodes/worker-1",
      detail: "Node worker-1 is locked by host h, please retry",
      status: 409,
      requestId: "req-1",
    });
    expect(error.message).to.equal(
      "Could not claim the node (node worker-1): Ironic answered 409 (req-1): Node worker-1 is locked by host h, please retry. " +
        "Another operation holds the node's lock; run again when it has ended.",
    );
    expect(error).to.include({ name: "IronicError", status: 409, requestId: "req-1", node: "worker-1" });
  });

  it("name the request when nothing answered, and the server when it wasn't Ironic", () => {
    const fields = { fault: "unreachable", operation: "read it", request: "GET /v1/nodes", detail: "reset" } as const;
    expect(new IronicError(fields).message).to.match(
      /^Could not read it: GET \/v1\/nodes: reset\. Nothing was changed/,
    );
    const keystone = new IronicError({ ...fields, status: 401, server: "Keystone", advice: "Log in." });
    expect(keystone.message).to.equal("Could not read it: Keystone answered 401: reset. Log in.");
  });

  it("repeat neither the node's name nor a full stop", () => {
    const error = new IronicError({
      fault: "notFound",
      operation: "read node n",
      node: "n",
      request: "GET",
      detail: "Gone.",
      status: 404,
      advice: "x",
    });
    expect(error.message).to.equal("Could not read node n: Ironic answered 404: Gone. x");
  });

  it("are told apart by their answer", () => {
    const error: unknown = new IronicError({ fault: "locked", operation: "x", request: "GET", detail: "" });
    expect(isFault(error, "locked", "conflict")).to.equal(true);
    expect(isFault(error, "conflict")).to.equal(false);
    expect(isFault(error)).to.equal(true);
    expect(isFault(new Error("x"), "locked")).to.equal(false);
  });

  it("of our own have a problem and an advice", () => {
    const error = new ProblemError({ code: "setting-invalid", problem: "It is wrong", advice: "Mend it.", node: "n" });
    expect(error).to.include({
      code: "setting-invalid",
      message: "It is wrong. Mend it.",
      node: "n",
      name: "ProblemError",
    });
    expect(new CancelledError().name).to.equal("CancelledError");
  });
});
