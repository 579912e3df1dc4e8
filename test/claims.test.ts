import { expect } from "chai";
import { listClaims } from "../provider/claims.ts";
import type { CallOptions, Client } from "../provider/client.ts";

describe("claims", () => {
  it("are listed from every page that Ironic gives", async () => {
    const all = ["a", "b", "c"].map((uuid) => ({
      uuid,
      node_uuid: null,
      state: "error",
      extra: { pulumi_ironic: { owner: "owner-1", resource: uuid } },
    }));
    const client = {
      supports: async () => true,
      async get(path: string, { query }: CallOptions): Promise<unknown> {
        if (path === "/nodes") return { nodes: [] };
        const from = all.findIndex(({ uuid }) => uuid === query?.marker) + 1;
        return { allocations: all.slice(from, from + 2), ...(from + 2 < all.length && { next: "more" }) };
      },
    } as unknown as Client;
    const found = await listClaims(client, "owner-1", undefined);
    expect(found.map(({ instanceUuid }) => instanceUuid)).to.have.members(["a", "b", "c"]);
  });
});
