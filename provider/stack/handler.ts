/** The stack's identity: made once, before any node is touched, and never changed. */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { defineHandler, type Props } from "../plugin/index.ts";
import { type Parsed, parse, withRules } from "../schema/index.ts";

const STACK_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

const inputs = z.object({ configured: z.unknown().optional() });
const state = z.looseObject({ stackId: z.string() });

interface Inputs {
  configured?: unknown;
}

function parseIdentity(news: Props): Parsed<Inputs> {
  const reason = "must be 1 to 128 letters, digits, dots, dashes and underscores, and begin with a letter or digit";
  return withRules(parse(inputs, news), ({ configured }) => {
    const good = configured === undefined || (typeof configured === "string" && STACK_ID.test(configured));
    return good ? [] : [{ path: "ironic:stackId", reason, code: "setting-invalid" }];
  });
}

export const stackIdentityHandler = defineHandler<Inputs, z.infer<typeof state>, z.infer<typeof state>>({
  type: "StackIdentity",
  secretOutputs: [],
  inputs: parseIdentity,
  state,
  async check(olds, { value: { configured } }, _services, call) {
    if (typeof configured !== "string") return { failures: [] };
    const { whyShared } = await import("./shared-id.ts");
    // The engine starts this process in the program's folder.
    const reason = whyShared(configured, process.cwd(), process.env.PULUMI_NODEJS_PROJECT);
    if (reason === undefined) return { failures: [] };
    if (olds === undefined) return { failures: [{ path: "ironic:stackId", reason, code: "stack-id-shared" }] };
    call.warn("stack-id-shared", `ironic:stackId ${reason}. This stack keeps the identity that it has.`);
    return { failures: [] };
  },
  // Nodes carry the identity that was first made: another `ironic:stackId` later must not orphan them.
  diff: async () => ({ changes: false, replaces: [] }),
  async create({ configured }, { run }) {
    const { left } = run.stackIdentity;
    const stackId = left ?? (typeof configured === "string" ? configured : randomUUID());
    return { id: stackId, outs: { stackId } };
  },
  read: async (id, props) => ({ id, props }),
  update: async (_id, outs) => ({ outs }),
  // `up --replace` and `state taint` delete, then create, and tell the create nothing of what was there.
  async delete(_id, { stackId }, { run }) {
    run.stackIdentity.left = stackId;
  },
});
