import { expect } from "chai";
import * as z from "zod";
import { printed } from "../../provider/core/errors.ts";
import {
  describeFailure,
  failuresIn,
  formatPath,
  hasUnknown,
  InvalidInput,
  joinPath,
  known,
  object,
  parse,
  text,
  typesOnly,
  UNKNOWN,
  withRules,
} from "../../provider/schema/index.ts";

const schema = object(
  {
    name: z.string(),
    size: z.int().min(1).max(9).optional(),
    mode: z.enum(["slow", "fast"]).optional(),
    tags: z.array(text((value) => (value === "bad" ? "is bad" : undefined))).optional(),
    keys: z.union([z.array(z.string()), z.record(z.string(), z.string())]).optional(),
    inner: object({ gateway: z.string() }).optional(),
  },
  { label: "it is called name here" },
);

describe("schema", () => {
  describe("parse", () => {
    const refusals: [what: string, value: unknown, failures: string[]][] = [
      ["a missing property", {}, ["name: is missing"]],
      ["a wrong type", { name: 1 }, ["name: must be a string"]],
      ["a whole number", { name: "a", size: 1.5 }, ["size: must be a whole number"]],
      ["limits", { name: "a", size: 10 }, ["size: must be at most 9"]],
      ["a choice", { name: "a", mode: "medium" }, ["mode: must be one of slow, fast"]],
      ["an own rule", { name: "a", tags: ["good", "bad"] }, ["tags[1]: is bad"]],
      ["several forms, none of them", { name: "a", keys: 3 }, ["keys: must be a list or an object"]],
      ["several forms, the meant one wrong", { name: "a", keys: ["x", 1] }, ["keys[1]: must be a string"]],
      [
        "a mistyped key",
        { name: "a", inner: { gatway: "x", gateway: "y" } },
        ["inner.gatway: there is no such property; did you mean gateway?"],
      ],
      [
        "a key that belongs elsewhere",
        { name: "a", label: "x" },
        ["label: there is no such property; it is called name here"],
      ],
      [
        "a key that is like none",
        { name: "a", inner: { gateway: "y", zzzzzz: 1 } },
        ["inner.zzzzzz: there is no such property; the properties are gateway"],
      ],
      ["everything of another type", "text", ["must be an object"]],
      [
        "names of prototypes",
        JSON.parse('{"name":"a","constructor":1}'),
        ["constructor: there is no such property; the properties are name, size, mode, tags, keys, inner"],
      ],
    ];
    for (const [what, value, failures] of refusals) {
      it(`refuses ${what}`, () => expect(failuresIn(schema, value).map(describeFailure)).to.deep.equal(failures));
    }

    it("never repeats a value", () => {
      const secret = "hunter2";
      const failures = failuresIn(schema, {
        name: [secret],
        size: secret,
        mode: secret,
        keys: { a: [secret] },
        inner: secret,
      });
      expect(failures).to.have.length(5);
      expect(JSON.stringify(failures)).not.to.contain(secret);
    });

    it("gives paths below another one", () => {
      expect(failuresIn(schema, {}, "drive")).to.deep.equal([
        { path: "drive.name", reason: "is missing", code: "argument-missing" },
      ]);
      expect(failuresIn(z.array(z.string()), [1], "list")[0]?.path).to.equal("list[0]");
    });

    it("returns the schema's output, with its defaults", () => {
      expect(parse(z.object({ a: z.number().default(5) }), {})).to.deep.equal({ kind: "known", value: { a: 5 } });
    });
  });

  describe("parse, which only gives what may be used", () => {
    const input = { name: UNKNOWN, inner: { gateway: "x" } };

    it("tells known, partial and failed values apart", () => {
      expect(parse(schema, { name: "a" })).to.deep.equal({ kind: "known", value: { name: "a" } });
      expect(parse(schema, input)).to.deep.equal({ kind: "partial", value: input });
      const failures = [{ path: "size", reason: "must be a number", code: "argument-invalid" }];
      expect(parse(schema, { name: UNKNOWN, size: "x" })).to.deep.equal({ kind: "failed", failures });
      expect(parse(schema, UNKNOWN).kind).to.equal("failed");
    });

    it("keeps what is partial from being used as if it were complete", () => {
      const parsed = parse(schema, input);
      // @ts-expect-error it may have failed
      expect(parsed.value).to.equal(input);
      if (parsed.kind !== "partial") throw new Error("it is partial");
      // @ts-expect-error the name may be unknown
      const name: string = parsed.value.name;
      expect(name).to.equal(UNKNOWN);
      const text: string | undefined = known(parsed.value.name);
      const inner: { gateway: string } | undefined = known(parsed.value.inner);
      expect([text, inner]).to.deep.equal([undefined, { gateway: "x" }]);
    });

    it("runs rules on what is not refused", () => {
      const rules = () => [{ path: "name", reason: "is not nice", code: "argument-invalid" as const }];
      expect(withRules(parse(schema, { name: "a" }), rules)).to.deep.equal({ kind: "failed", failures: rules() });
      expect(withRules(parse(schema, input), () => [])).to.deep.equal({ kind: "partial", value: input });
      expect(withRules(parse(schema, {}), () => expect.fail("it is refused already")).kind).to.equal("failed");
    });
  });

  it("has types without rules for what was stored", () => {
    const stored = z.object(typesOnly(schema.shape));
    const value = { name: "a", size: 77.5, mode: "slow", keys: ["x"], inner: { gateway: "y", later: 1 } };
    expect(stored.safeParse(value).data).to.deep.equal(value);
    expect(failuresIn(stored, { ...value, size: "x", inner: { gateway: 1 } }).map(describeFailure)).to.deep.equal([
      "size: must be a number",
      "inner.gateway: must be a string",
    ]);
  });

  describe("values that are not known yet", () => {
    const unknowns: [where: string, value: unknown][] = [
      ["the whole", UNKNOWN],
      ["a string", { name: UNKNOWN }],
      ["a number", { name: "a", size: UNKNOWN }],
      ["a choice", { name: "a", mode: UNKNOWN }],
      ["a list", { name: "a", tags: UNKNOWN }],
      ["an entry of a list", { name: "a", tags: ["x", UNKNOWN] }],
      ["an entry of one of several forms", { name: "a", keys: [UNKNOWN] }],
      ["several forms", { name: "a", keys: UNKNOWN }],
      ["an object", { name: "a", inner: UNKNOWN }],
    ];
    for (const [where, value] of unknowns) {
      it(`is right for ${where}`, () => expect(failuresIn(schema, value)).to.deep.equal([]));
    }

    it("still refuses what is known and wrong", () => {
      expect(failuresIn(schema, { name: UNKNOWN, size: 77, inner: { gateway: UNKNOWN, x: 1 } })).to.have.length(2);
    });

    it("are found at any depth", () => {
      expect(hasUnknown({ a: [{ b: UNKNOWN }] })).to.equal(true);
      expect(hasUnknown({ a: [{ b: "x", c: null }] })).to.equal(false);
      expect(known({ a: UNKNOWN })).to.equal(undefined);
      expect(known([1])).to.deep.equal([1]);
    });
  });

  it("writes paths as programs do", () => {
    expect(formatPath(["network", "interfaces", 0, "gateway"])).to.equal("network.interfaces[0].gateway");
    expect(formatPath(["metaData", "a b", "c"])).to.equal('metaData["a b"].c');
    expect(joinPath("a", "[0]")).to.equal("a[0]");
    expect(joinPath("a", "")).to.equal("a");
  });

  it("lists every failure in one error", () => {
    const error = new InvalidInput([
      { path: "a", reason: "is missing", code: "argument-missing" },
      { path: "", reason: "is empty", code: "config-drive-empty" },
    ]);
    expect(error.message).to.equal("a: is missing\nis empty");
    expect(printed(error)).to.equal("a: is missing [argument-missing]\nis empty [config-drive-empty]");
  });
});
