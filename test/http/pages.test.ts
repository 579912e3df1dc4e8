import { expect } from "chai";
import * as z from "zod";
import type { Client, ReadOptions } from "../../provider/http/client.ts";
import { pageOf, readPages } from "../../provider/http/pages.ts";
import { fakeClient } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { rejection } from "../fakes/http-server.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";
import { shaped } from "../fakes/shaped.ts";

const page = pageOf("things", z.object({ uuid: z.string() }));

const scene = (...pages: { things: { uuid: string }[]; next?: string | null }[]) => {
  const asked: unknown[] = [];
  const clock = virtualClock();
  const client: Client = {
    ...fakeClient({ ironic: fakeIronic({ clock }), clock }),
    get: async <T>(path: string, { query, shape }: ReadOptions<T>): Promise<T> => {
      asked.push(query);
      return shaped(shape, pages[asked.length - 1], path);
    },
  };
  const read = (maxPages?: number) =>
    readPages(client, "/things", page, { operation: "list", query: { limit: 2 } }, maxPages).then((all) =>
      all.map(({ uuid }) => uuid),
    );
  return { read, asked };
};
const [A, B, C] = ["a", "b", "c"].map((uuid) => ({ uuid })) as [{ uuid: string }, { uuid: string }, { uuid: string }];

describe("a list by pages", () => {
  it("goes on after the last item, with the same query, until there is no next", async () => {
    const { read, asked } = scene({ things: [A, B], next: "more" }, { things: [C], next: null });
    expect(await read()).to.deep.equal(["a", "b", "c"]);
    expect(asked).to.deep.equal([
      { limit: 2, marker: undefined },
      { limit: 2, marker: "b" },
    ]);
  });

  it("ends at an empty page, whatever that says", async () => {
    const { read, asked } = scene({ things: [A], next: "more" }, { things: [], next: "more" });
    expect(await read()).to.deep.equal(["a"]);
    expect(asked).to.have.length(2);
  });

  for (const [what, pages] of [
    ["stands still", [[A], [A], [A], [A]]],
    ["goes in a circle", [[A, B], [C], [B, A], [B, C]]],
  ] as const)
    it(`ends with an error where the list ${what}`, async () => {
      const { read, asked } = scene(...pages.map((things) => ({ things: [...things], next: "more" })));
      const error = await rejection(read());
      expect(error).to.include({ fault: "malformed", request: "GET /v1/things" });
      expect(asked.length).to.be.below(5);
    });

  it("reads no more pages than asked for", async () => {
    const { read, asked } = scene({ things: [A], next: "more" }, { things: [B], next: "more" });
    expect(await read(1)).to.deep.equal(["a"]);
    expect(asked).to.have.length(1);
  });
});
