import { expect } from "chai";
import { readErrorBody } from "../../provider/http/error-body.ts";
import { fault } from "../fakes/http-server.ts";

describe("error body", () => {
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
      const read = readErrorBody(body);
      if (typeof detail === "string") expect(read).to.equal(detail);
      else expect(read).to.match(detail);
    });
  }
});
