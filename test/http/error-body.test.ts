import { expect } from "chai";
import { readErrorBody, shorten } from "../../provider/http/error-body.ts";
import { growth, growthMax } from "../fakes/growth.ts";
import { fault } from "../fakes/http-server.ts";

describe("error body", () => {
  for (const part of [
    "<",
    "<script>",
    "<style>a",
    "<script></script",
    "</script ",
    "<script></script>",
    "{",
    " ",
    '{"',
  ])
    it(`of a page full of ${JSON.stringify(part)} is read in time that grows with its length`, () =>
      expect(
        growth(512, (length) => {
          const page = `<html>${part.repeat(length)}x`;
          return () => readErrorBody(page);
        }),
      ).to.be.below(growthMax));

  const bodies: Array<[what: string, body: string, detail: string | RegExp]> = [
    ["Ironic's form", fault("Node n is locked"), "Node n is locked"],
    ["Ironic's form without the inner string", '{"error_message": {"faultstring": "x y"}}', "x y"],
    ["Keystone's form", '{"error": {"message": "no such user", "code": 401}}', "no such user"],
    ["a list of errors", '{"errors": [{"title": "Bad", "detail": "worse"}]}', "worse"],
    ["plain text", " just words ", "just words"],
    ["a proxy's page", "<html><head><title>502 Bad Gateway</title><style>a{}</style></head></html>", "502 Bad Gateway"],
    ["a page with a script in it", "<html>a<SCRIPT x>if (b<c) {}</Script >d<b>e</b></html>", "a d e"],
    ["a page that is cut off", "<html>a<style>b{}", "a"],
    ["a page that is cut off in a tag", "<html>a<b", "a<b"],
    ["Ironic's form that is cut off", fault("Node n is {'a': 'b").slice(0, -30), "Node n is {…}"],
    ["nothing", "", ""],
    ["JSON without a sentence", '{"a": 1}', '{"a": 1}'],
    ["something long", "x".repeat(5000), /^x{800} … \(5000 characters\)$/],
  ];
  for (const [what, body, detail] of bodies) {
    it(`reads ${what}`, () => {
      const read = shorten(readErrorBody(body));
      if (typeof detail === "string") expect(read).to.equal(detail);
      else expect(read).to.match(detail);
    });
  }
});
