// What Ironic does not find is in missing.test.ts, where a resource was made in place.test.ts.
import { expect } from "chai";
import * as z from "zod";
import { ProblemError } from "../../provider/core/errors.ts";
import { type Definition, defineHandler } from "../../provider/plugin/define.ts";
import { PartialFailure, type Props } from "../../provider/plugin/handler.ts";
import { object, parse, text } from "../../provider/schema/index.ts";
import { UNKNOWN } from "../../provider/schema/unknown.ts";
import { fakeCall, fakeServices } from "../fakes/call.ts";
import { fakeClient } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";

interface Inputs {
  size: number;
  name?: string | undefined;
}
interface Outputs {
  url: string;
}
type State = Inputs & Outputs;
type Thing = Definition<Inputs, Outputs, State>;

const shape = { size: z.int().max(9), name: text((name) => (name === "bad" ? "is bad" : undefined)).optional() };
const hidden = { resourceName: z.string().optional() };
const WORK: Thing = {
  type: "Thing",
  secretOutputs: ["url"],
  inputs: (news) => parse<Inputs>(object({ ...shape, ...hidden }), news),
  state: z.looseObject({ size: z.number(), name: z.string().optional(), url: z.string() }),
  check: async () => ({ failures: [] }),
  diff: async () => ({ changes: true, replaces: ["size"] }),
  create: async () => ({ id: "id-1", outs: { url: "made" } }),
  read: async (id, state) => ({ id, props: { ...state, url: "read" } }),
  update: async () => ({ outs: { url: "updated" } }),
  delete: async () => undefined,
};

function scene(work: Partial<Thing> = {}) {
  const clock = virtualClock();
  const client = fakeClient({ ironic: fakeIronic({ clock }), clock });
  const services = fakeServices(client, clock);
  const call = fakeCall();
  return { handler: defineHandler({ ...WORK, ...work }), services, call };
}

const STATE: Props = { size: 1, url: "made", resourceName: "first" };
const PLACE = { endpoint: "http://ironic.test", scope: "none" };

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );

describe("a handler that is defined by what it takes and does", () => {
  describe("checks arguments", () => {
    it("by the schema first: what is refused goes no further", async () => {
      const { handler, services, call } = scene({ check: () => expect.fail("it is refused already") });
      const news = { size: "x", name: UNKNOWN };
      expect(await handler.check(undefined, news, services, call)).to.deep.equal({
        inputs: news,
        failures: [{ path: "size", reason: "must be a number", code: "argument-invalid" }],
      });
    });

    it("and stores those that came, unless the definition stores others", async () => {
      const failures = [{ path: "size", reason: "is too much", code: "argument-invalid" }] as const;
      const seen: unknown[] = [];
      const came = scene({
        check: async (olds, news) => {
          seen.push(olds, news);
          return { failures: [...failures] };
        },
      });
      const news = { size: UNKNOWN, resourceName: "first" };
      const found = await came.handler.check({ size: 7 }, news, came.services, came.call);
      expect(found).to.deep.equal({ inputs: news, failures });
      expect(seen).to.deep.equal([{ size: 7 }, { kind: "partial", value: news }]);
      const other = scene({ check: async () => ({ failures: [], inputs: { size: 2 } }) });
      const { inputs } = await other.handler.check(undefined, { size: 1 }, other.services, other.call);
      expect(inputs).to.deep.equal({ size: 2 });
    });
  });

  describe("refuses", () => {
    const NEWS = { size: 10, name: "bad", resourceName: "first" };
    const UNUSABLE =
      'The arguments of Thing "first" are not usable. Correct them:\nsize: must be at most 9\nname: is bad';
    const BROKEN = { size: "1", resourceName: "first" };
    const BROKEN_TEXT =
      'The state of Thing "first" is not usable: size: must be a number; url: is missing. Correct it with `pulumi stack export` and `pulumi stack import`. Nothing was touched.';
    type Made = ReturnType<typeof scene>;
    const cases: [title: string, run: (made: Made) => Promise<unknown>, code: string, message: string][] = [
      ["arguments in create", (m) => m.handler.create(NEWS, m.services, m.call), "argument-invalid", UNUSABLE],
      [
        "arguments in update",
        (m) => m.handler.update("i", STATE, NEWS, m.services, m.call),
        "argument-invalid",
        UNUSABLE,
      ],
      ["arguments in diff", (m) => m.handler.diff("i", STATE, NEWS, m.services, m.call), "argument-invalid", UNUSABLE],
      [
        "arguments that are not known in create",
        (m) => m.handler.create({ size: UNKNOWN }, m.services, m.call),
        "internal-error",
        "Arguments of Thing are not known yet. This is a fault of pulumi-ironic: please report it.",
      ],
      [
        "a state in diff",
        (m) => m.handler.diff("i", BROKEN, { size: 1 }, m.services, m.call),
        "state-unusable",
        BROKEN_TEXT,
      ],
      [
        "a state in update",
        (m) => m.handler.update("i", BROKEN, { size: 1 }, m.services, m.call),
        "state-unusable",
        BROKEN_TEXT,
      ],
      ["a state in read", (m) => m.handler.read("i", BROKEN, m.services, m.call), "state-unusable", BROKEN_TEXT],
      ["a state in delete", (m) => m.handler.delete("i", BROKEN, m.services, m.call), "state-unusable", BROKEN_TEXT],
    ];
    const no = () => expect.fail("it is refused before");
    for (const [title, run, code, message] of cases)
      it(`${title}, before anything is done`, async () => {
        const error = await thrown(run(scene({ diff: no, create: no, read: no, update: no, delete: no })));
        expect(error).to.be.instanceOf(ProblemError).and.to.include({ code, message });
      });
  });

  it("replaces by a destroy first, and may compare what is not known yet", async () => {
    const { handler, services, call } = scene();
    expect(await handler.diff("i", STATE, { size: UNKNOWN }, services, call)).to.deep.equal({
      changes: true,
      replaces: ["size"],
      deleteBeforeReplace: true,
    });
  });

  it("names its secrets", () => expect(scene().handler.secretOutputs).to.deep.equal(["url"]));

  it("adds where it asked, whether by the client or by the connection", async () => {
    for (const ask of ["client", "connection"] as const) {
      const create: Thing["create"] = async (_inputs, services) => {
        await services[ask]();
        return { id: "id-1", outs: { url: "made" } };
      };
      const { handler, services, call } = scene({ create });
      const made = await handler.create({ size: 1 }, services, call);
      expect(made, ask).to.deep.equal({ id: "id-1", outs: { url: "made", connection: PLACE } });
    }
  });

  it("adds it to what failed in part as well, and changes no other error", async () => {
    const cause = new Error("the deploy failed");
    const update: Thing["update"] = async (id, _state, _inputs, services) => {
      await services.client();
      throw new PartialFailure(id, { url: "half" }, cause);
    };
    const { handler, services, call } = scene({ update, create: () => Promise.reject(cause) });
    const error = await thrown(handler.update("i", { ...STATE, connection: "before" }, { size: 1 }, services, call));
    expect(error).to.be.instanceOf(PartialFailure).and.to.include({ id: "i", cause });
    expect(error).to.have.deep.property("outs", { url: "half", connection: PLACE });
    expect(await thrown(handler.create({ size: 1 }, services, call))).to.equal(cause);
  });

  it("keeps by refresh where it was made, or that this is not known", async () => {
    const read: Thing["read"] = async (id, { size, url }, services) => {
      await services.client();
      return { id, props: { size, url, resourceName: "first" }, inputs: { size: 3 } };
    };
    const { handler, services, call } = scene({ read });
    for (const state of [STATE, { ...STATE, connection: "before" }])
      expect(await handler.read("i", state, services, call)).to.deep.equal({
        id: "i",
        props: state,
        inputs: { size: 3 },
      });
    const gone = scene({ read: async () => undefined });
    expect(await gone.handler.read("i", STATE, gone.services, gone.call)).to.equal(undefined);
    expect(gone.call.shown).to.deep.equal([]);
  });

  it("lets errors of read and delete pass that do not say that something is missing", async () => {
    const error = new Error("Ironic does not answer");
    const fail = () => Promise.reject(error);
    const { handler, services, call } = scene({ read: fail, delete: fail });
    expect(await thrown(handler.read("i", STATE, services, call))).to.equal(error);
    expect(await thrown(handler.delete("i", STATE, services, call))).to.equal(error);
    expect(call.shown).to.deep.equal([]);
  });
});
