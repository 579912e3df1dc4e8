import { expect } from "chai";
import type { Code } from "../../provider/core/codes.ts";
import type { Fault } from "../../provider/core/faults.ts";
import {
  type Asked,
  type Evidence,
  RECOGNITIONS,
  recognise,
  type Server,
  type Sign,
} from "../../provider/core/recognitions.ts";

/** What Ironic 39, or a gateway before it, answers. */
const ironic: Array<[status: number, text: string, fault: Fault, asked?: Asked]> = [
  [409, "Node n is locked by host h, please retry after the current operation is completed.", "locked"],
  [409, "Node n can not be updated while a state transition is in progress.", "inTransition"],
  [409, "Node n can not have boot_interface updated unless it is in one of allowed (available) states.", "wrongState"],
  [409, "Node n is associated with instance i.", "conflict"],
  [409, "Instance i is already associated with a node, it cannot be associated with this other node n", "conflict"],
  [400, 'The requested action "active" can not be performed on node "n" while it is in state "active".', "wrongState"],
  [400, "Failed to validate deploy or power info for node n. Error: x", "invalid"],
  [400, "Node n is in maintenance mode", "invalid"],
  [413, "Request body is too large", "invalid"],
  [401, "Authorization required", "unauthorized"],
  [403, "Node n is protected and can not be undeployed", "forbidden"],
  [404, "No valid host was found. Reason: No conductor service registered which supports driver x.", "noConductor"],
  [404, "Node 0c6d39bc could not be found.", "nodeGone", { node: "0c6d39bc" }],
  [404, "Node worker-1 could not be found.", "nodeGone", { node: "worker-1" }],
  [404, "Node a+b (c) could not be found.", "nodeGone", { node: "a+b (c)" }],
  [404, "Node worker-1 could not be found.", "notFound"],
  [404, "Node worker-11 could not be found.", "notFound", { node: "worker-1" }],
  [404, "Node stranger could not be found.", "notFound", { node: "worker-1" }],
  [404, "Node history record 5344a3e2 could not be found.", "notFound", { node: "worker-1" }],
  [404, "Node stranger could not be found.", "listChanged", { marker: "stranger" }],
  [404, "Node history record 5344a3e2 could not be found.", "listChanged", { node: "worker-1", marker: "5344a3e2" }],
  [404, "Node worker-1 could not be found.", "nodeGone", { node: "worker-1", marker: "5344a3e2" }],
  [404, "Allocation 8a7b could not be found.", "allocationGone", { allocation: "8a7b" }],
  [404, "Allocation 8a7b could not be found.", "notFound", { allocation: "9c1d" }],
  [404, "Not Found", "notFound", { node: "worker-1", allocation: "8a7b", marker: "9c1d" }],
  [302, "Allocation 8a7b could not be found.", "notFound", { allocation: "8a7b" }],
  [404, "Port p could not be found.", "notFound"],
  [404, "Not Found", "notFound"],
  [404, "The requested URL /v1/nodes was not found on this server.", "notFound"],
  [406, "Version 1.999 was requested but the minor version is not supported", "unacceptable"],
  [429, "", "overloaded"],
  [503, "Requested action cannot be performed due to lack of free conductor workers.", "overloaded"],
  [
    503,
    "Unable to process request at this time. The concurrent action limit for cleaning has been reached.",
    "overloaded",
  ],
  [503, "The Keystone service is temporarily unavailable.", "overloaded"],
  [503, "The server is temporarily unavailable.", "unavailable"],
  [400, "Couldn't apply patch '{}'. Reason: can't remove a non-existent object 'pulumi_ironic'", "conflict"],
  [503, "Resource temporarily unavailable, please retry.", "overloaded"],
  [503, "upstream connect error or disconnect/reset before headers", "unavailable"],
  [503, "", "unavailable"],
  [500, "cannot access local variable 'auto_lessee'", "serverError"],
  [502, "Bad Gateway", "unavailable"],
  [504, "", "unavailable"],
  [302, "", "notFound"],
  [418, "", "invalid"],
  [409, "An allocation with UUID 5344a3e2-978a-444e-990a-cbf47c62ef88 already exists.", "alreadyExists"],
  [409, "An allocation with name web already exists.", "conflict"],
  [507, "", "serverError"],
];

const keystone: Array<[status: number, text: string, fault: Fault, advice?: RegExp]> = [
  [
    401,
    "The request you have made requires authentication.",
    "unauthorized",
    /user, password or application credential/,
  ],
  [401, "Invalid token", "unauthorized", /has expired or was revoked/],
  [404, "Failed to validate token", "unauthorized", /has expired or was revoked/],
  [404, "Could not find token: 9f", "unauthorized", /has expired or was revoked/],
  [403, "You are not authorized to perform the requested action.", "forbidden", /may not log in with this scope/],
  [404, "Not Found", "notFound", /no Keystone v3/],
  [500, "An unexpected error prevented the server from fulfilling your request.", "unreachable"],
  [502, "Bad Gateway", "loginOverloaded"],
  [503, "", "loginOverloaded"],
  [504, "", "loginOverloaded"],
  [429, "", "loginOverloaded"],
  [400, "Expecting to find domain in user.", "invalid"],
  [302, "", "notFound"],
];

const signs: Array<[server: Server, sign: Sign, fault: Fault]> = [
  ["ironic", "untrusted", "untrusted"],
  ["ironic", "unsent", "unreachable"],
  ["ironic", "unanswered", "ambiguous"],
  ["ironic", "unreadable", "ambiguous"],
  ["ironic", "misshapen", "malformed"],
  ["ironic", "foreign", "ambiguous"],
  ["keystone", "untrusted", "untrusted"],
  ["keystone", "unsent", "unreachable"],
  ["keystone", "unanswered", "unreachable"],
  ["keystone", "unreadable", "notFound"],
  ["keystone", "misshapen", "notFound"],
];

/** At the edges of answers that have a code of their own: see test/http for those in the middle. */
const codes: Array<[evidence: Evidence, code: Code | undefined]> = [
  [{ server: "ironic", status: 399, text: "" }, "endpoint-not-ironic"],
  [{ server: "ironic", status: 400, text: "" }, undefined],
  [{ server: "ironic", status: 401, text: "Invalid token" }, undefined],
  [{ server: "ironic", sign: "unreadable" }, undefined],
  [{ server: "keystone", sign: "unreadable" }, "keystone-failed"],
  [{ server: "keystone", sign: "misshapen" }, "keystone-failed"],
  [{ server: "keystone", status: 501, text: "" }, "keystone-failed"],
];

describe("recognitions", () => {
  for (const [status, text, fault, asked] of ironic)
    it(`${status} "${text.slice(0, 60)}"${asked ? ` to a request about ${JSON.stringify(asked)}` : ""} is ${fault}`, () =>
      expect(recognise({ server: "ironic", status, text, asked }).fault).to.equal(fault));

  for (const [status, text, fault, advice] of keystone)
    it(`Keystone's ${status} "${text.slice(0, 60)}" is ${fault}`, () => {
      const found = recognise({ server: "keystone", status, text });
      expect(found.fault).to.equal(fault);
      if (advice) expect(found.advice).to.match(advice);
      else expect(found.advice).to.equal(undefined);
    });

  for (const [server, sign, fault] of signs)
    it(`${sign} by ${server} is ${fault}`, () => expect(recognise({ server, sign }).fault).to.equal(fault));

  it("are each reached by an answer of this file: one that is not stands behind another that hides it", () => {
    const reached = new Set([
      ...ironic.map(([status, text, , asked]) => recognise({ server: "ironic", status, text, asked })),
      ...keystone.map(([status, text]) => recognise({ server: "keystone", status, text })),
      ...signs.map(([server, sign]) => recognise({ server, sign })),
    ]);
    expect(RECOGNITIONS.filter((row) => !reached.has(row))).to.deep.equal([]);
  });

  it("take a status that HTTP does not know for a refusal", () =>
    expect(recognise({ server: "ironic", status: 799, text: "" }).fault).to.equal("invalid"));

  for (const [evidence, code] of codes)
    it(`${JSON.stringify(evidence)} has ${code ? `the code ${code}` : "the code of its fault"}`, () =>
      expect(recognise(evidence).code).to.equal(code));

  it("believe no other server that an object of Ironic is gone", () => {
    const text = "Node worker-1 could not be found.";
    expect(recognise({ server: "keystone", status: 404, text, asked: { node: "worker-1" } }).fault).to.equal(
      "notFound",
    );
  });

  it("find a text over several lines, whatever its case", () => {
    const text =
      'The requested action "active" CANNOT be performed on\nnode "n" while it is\nnow in the state "active".';
    expect(recognise({ server: "ironic", status: 400, text }).fault).to.equal("wrongState");
  });
});
