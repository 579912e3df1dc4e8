/** The stack's identity: made once, before any node is touched, and never changed. */
import { randomUUID } from "node:crypto";
import type { Handler } from "../plugin/index.ts";

const OWNER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export const ownerHandler: Handler = {
  secretOutputs: [],
  async check(_olds, news) {
    const { configured } = news;
    const good = configured === undefined || (typeof configured === "string" && OWNER.test(configured));
    const reason = "must be 1 to 128 letters, digits, dots, dashes and underscores, and begin with a letter or digit";
    return { inputs: news, failures: good ? [] : [{ path: "ironic:owner", reason }] };
  },
  // Nodes carry the identity that was first made: another `ironic:owner` later must not orphan them.
  diff: async () => ({ changes: false, replaces: [], deleteBeforeReplace: true }),
  async create(inputs) {
    const owner = typeof inputs.configured === "string" ? inputs.configured : randomUUID();
    return { id: owner, outs: { owner } };
  },
  read: async (id, props) => ({ id, props }),
  update: async (_id, olds) => ({ outs: olds }),
  delete: async () => undefined,
};
