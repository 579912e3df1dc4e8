import { expect } from "chai";
import type { Client, ReadOptions } from "../../provider/http/client.ts";
import { createInventory } from "../../provider/node/inventory.ts";
import { fakeClient } from "../fakes/client.ts";
import { virtualClock } from "../fakes/clock.ts";
import { fakeIronic } from "../fakes/ironic-model.ts";
import { nodeIn } from "../fakes/nodes.ts";
import { shaped } from "../fakes/shaped.ts";

describe("the inventory", () => {
  for (const [what, node] of [
    ["are empty and name another", []],
    ["are the same again and again", [{ ...nodeIn("available", "free"), node_uuid: "u", pxe_enabled: true }]],
  ] as const)
    it(`comes to an end where the pages of a list ${what}`, async () => {
      const clock = virtualClock();
      let asked = 0;
      const client: Client = {
        ...fakeClient({ ironic: fakeIronic({ clock }), clock }),
        get: async <T>(path: string, { shape }: ReadOptions<T>): Promise<T> => {
          // Later than that it would be a loop without an end.
          if (++asked > 20) throw new Error("asked too often");
          return shaped(shape, { [path.slice(1)]: node, next: "http://ironic/v1/nodes?marker=u" }, path);
        },
      };
      const found = await createInventory(client, clock).read(0, new AbortController().signal).facts;
      expect(String(found)).not.to.contain("asked too often");
      expect(asked).to.be.below(20);
    });
});
