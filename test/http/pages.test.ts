import { expect } from "chai";
import * as z from "zod";
import { IronicError } from "../../provider/core/errors.ts";
import type { Client, ReadOptions } from "../../provider/http/client.ts";
import { pageOf, readPages } from "../../provider/http/pages.ts";
import { fakeClient } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { rejection } from "../fakes/http-server.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";
import { shaped } from "../fakes/shaped.ts";

const page = pageOf("things", z.object({ uuid: z.string() }));

/** Ironic's answer where the item after which the page begins was deleted. */
const markerDeleted = new IronicError({
  fault: "listChanged",
  operation: "list",
  request: "GET",
  detail: "it is gone",
});

const scene = (...pages: ({ things: { uuid: string }[]; next?: string | null } | "deleted")[]) => {
  const asked: unknown[] = [];
  const clock = virtualClock();
  const client: Client = {
    ...fakeClient({ ironic: fakeIronic({ clock }), clock }),
    get: async <T>(path: string, { query, shape }: ReadOptions<T>): Promise<T> => {
      asked.push(query);
      const answer = pages[asked.length - 1];
      if (answer === "deleted") throw markerDeleted;
      return shaped(shape, answer, path);
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
  it("begins anew where the item after which a page begins is deleted meanwhile", async () => {
    const { read, asked } = scene(
      { things: [A, B], next: "more" },
      "deleted",
      { things: [A], next: "more" },
      { things: [C] },
    );
    expect(await read()).to.deep.equal(["a", "c"]);
    expect(asked.map((query) => (query as { marker?: string }).marker)).to.deep.equal([undefined, "b", undefined, "a"]);
  });

  it("gives up where it changes faster than it can be read", async () => {
    const { read, asked } = scene(
      ...Array.from({ length: 9 }, () => [{ things: [A], next: "more" }, "deleted" as const]).flat(),
    );
    expect(await read().catch((error: Error) => error)).to.equal(markerDeleted);
    expect(asked).to.have.length(10);
  });

  it("reads no more pages than asked for", async () => {
    const { read, asked } = scene({ things: [A], next: "more" }, { things: [B], next: "more" });
    expect(await read(1)).to.deep.equal(["a"]);
    expect(asked).to.have.length(1);
  });
});
