/** The stack's identity: made once, before any node is touched, and never changed. */
import { randomUUID } from "node:crypto";
import type { Handler } from "../plugin/index.ts";

const STACK_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export const stackIdentityHandler: Handler = {
  secretOutputs: [],
  async check(_olds, news) {
    const { configured } = news;
    const good = configured === undefined || (typeof configured === "string" && STACK_ID.test(configured));
    const reason = "must be 1 to 128 letters, digits, dots, dashes and underscores, and begin with a letter or digit";
    return { inputs: news, failures: good ? [] : [{ path: "ironic:stackId", reason }] };
  },
  // Nodes carry the identity that was first made: another `ironic:stackId` later must not orphan them.
  diff: async () => ({ changes: false, replaces: [], deleteBeforeReplace: true }),
  async create(inputs) {
    const stackId = typeof inputs.configured === "string" ? inputs.configured : randomUUID();
    return { id: stackId, outs: { stackId } };
  },
  read: async (id, props) => ({ id, props }),
  update: async (_id, olds) => ({ outs: olds }),
  delete: async () => undefined,
};
