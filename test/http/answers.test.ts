import { expect } from "chai";
import type { Answer } from "../../provider/core/errors.ts";
import { classify, readErrorBody } from "../../provider/http/answers.ts";
import { fault } from "../fakes/http-ironic.ts";

const answers: Array<[status: number, text: string, answer: Answer]> = [
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
  [404, "Node 0c6d39bc could not be found.", "nodeGone"],
  [404, "Node worker-1 could not be found.", "nodeGone"],
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
];

describe("answers", () => {
  for (const [status, text, answer] of answers) {
    it(`${status} "${text.slice(0, 60)}" is ${answer}`, () => expect(classify(status, text)).to.equal(answer));
  }

  const bodies: Array<[what: string, body: string, detail: string | RegExp]> = [
    ["Ironic's form", fault("Node n is locked"), "Node n is locked"],
    ["Ironic's form without the inner string", '{"error_message": {"faultstring": "x y"}}', "x y"],
    ["Keystone's form", '{"error": {"message": "no such user", "code": 401}}', "no such user"],
    ["a list of errors", '{"errors": [{"title": "Bad", "detail": "worse"}]}', "worse"],
    ["plain text", " just words ", "just words"],
    ["a proxy's page", "<html><head><title>502 Bad Gateway</title><style>a{}</style></head></html>", "502 Bad Gateway"],
    ["nothing", "", ""],
    ["JSON without a sentence", '{"a": 1}', '{"a": 1}'],
    ["something long", "x".repeat(5000), /^x{800} … \(5000 characters\)$/],
  ];
  for (const [what, body, detail] of bodies) {
    it(`reads ${what}`, () => {
      const read = readErrorBody(body).detail;
      if (typeof detail === "string") expect(read).to.equal(detail);
      else expect(read).to.match(detail);
    });
  }
});
