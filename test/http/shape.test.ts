import { expect } from "chai";
import * as z from "zod";
import { pageOf } from "../../provider/http/pages.ts";
import { field, ignored, parseBody, type Shape } from "../../provider/http/shape.ts";

const item = field.object({
  uuid: field.text,
  name: field.textOrNull,
  on: field.flag.optional(),
  extra: field.record.optional(),
  step: field.objectOrNull({ step: field.text.optional() }).optional(),
});
const page = pageOf("nodes", item);

const faultOf = (shape: Shape<unknown>, body: unknown): string => {
  const parsed = parseBody(shape, body);
  return parsed.ok ? "none" : parsed.fault;
};

describe("the shape of an answer", () => {
  for (const [body, fault] of [
    [{ nodes: [{ uuid: "a", name: 5 }] }, "nodes[0].name must be a string or null, got a number"],
    [{ nodes: [{ uuid: "a", name: null }, { name: null }] }, "nodes[1].uuid must be a string, but is missing"],
    [{ nodes: [{ uuid: "a", name: null, on: null }] }, "nodes[0].on must be true or false, got null"],
    [{ nodes: [{ uuid: "a", name: null, extra: [] }] }, "nodes[0].extra must be an object, got a list"],
    [{ nodes: [{ uuid: "a", name: null, step: "x" }] }, "nodes[0].step must be an object or null, got a string"],
    [{ nodes: [{ uuid: "a", name: null, step: { step: 1 } }] }, "nodes[0].step.step must be a string, got a number"],
    [{ nodes: ["a"] }, "nodes[0] must be an object, got a string"],
    [{ nodes: {} }, "nodes must be a list, got an object"],
    [{ nodes: [], next: 1 }, "next must be a string or null, got a number"],
    [{}, "nodes must be a list, but is missing"],
    [undefined, "the body must be an object, but is missing"],
    [null, "the body must be an object, got null"],
    ["gone", "the body must be an object, got a string"],
  ] as const)
    it(`names what is wrong with ${JSON.stringify(body)}`, () => {
      expect(faultOf(page, body)).to.equal(fault);
    });

  it("lets unknown fields pass, and does not hand them on", () => {
    const body = { nodes: [{ uuid: "a", name: "n", links: [], extra: { any: { thing: 1 } } }], links: 5 };
    expect(parseBody(page, body)).to.deep.equal({
      ok: true,
      value: { items: [{ uuid: "a", name: "n", extra: { any: { thing: 1 } } }], more: false },
    });
  });

  it("tells whether there is another page", () => {
    for (const [next, more] of [
      [undefined, false],
      [null, false],
      ["http://elsewhere.example.org/v1/nodes?marker=a", true],
    ] as const)
      expect(parseBody(page, { nodes: [], next })).to.deep.equal({ ok: true, value: { items: [], more } });
  });

  it("is nothing where nobody reads the body, or where there is none", () => {
    for (const body of [undefined, null, 5, { a: 1 }])
      expect(parseBody(ignored, body)).to.deep.equal({ ok: true, value: undefined });
  });

  it("never shows a value: it may be secret", () => {
    expect(faultOf(z.object({ password: field.flag }), { password: "hunter22" })).to.not.contain("hunter22");
  });
});
