// What a member of the lessee's project may write to a node: anything in `extra`, so also what passes for a stack's mark.
// Policy `baremetal:node:update_extra` of https://docs.openstack.org/ironic/latest/admin/secure-rbac.html
import { record } from "./values.ts";

export const CONFIG_MARKER = "pulumi_ironic";
export const DEPLOYMENT_MARKER = "pulumi_ironic_deployment";
/** The lessee's own key: no mark of anybody's. */
export const LESSEE_KEY = "lessee";

/** A stack that does not exist. */
export const LIARS_STACK = "the-lessees-stack";
/** Where the controller of a machine is. */
export const addressOf = (name: string): string => `https://bmc.${name}.invalid`;
/** Where a lie wants the controller's password to be sent. */
export const EVIL_ADDRESS = addressOf("lessee");

export interface Op {
  op: "add" | "replace" | "remove";
  path: string;
  value?: unknown;
}

type Body = Readonly<Record<string, unknown>>;

interface Rule {
  /** Which marks it spoils. */
  touches: readonly ("settings" | "deployment")[];
  /** Does the mark that it writes still name the stack? */
  isHarmless: boolean;
  /** Undefined: nothing stands there that it could begin with. */
  ops(node: Body): Op[] | undefined;
}

const extraOf = (node: Body) => record(node.extra);
const theirs = { version: 1, stackId: LIARS_STACK, resourceId: "ironic:Theirs::theirs", resourceName: "theirs" };

/** The identity that stands on the node for all to read. */
function readIdentity(node: Body): Record<string, unknown> | undefined {
  const extra = extraOf(node);
  const mark = [extra[CONFIG_MARKER], extra[DEPLOYMENT_MARKER]]
    .map(record)
    .find(({ stackId }) => stackId !== undefined);
  if (mark === undefined) return undefined;
  const { stackId, stackName, resourceId, resourceName } = mark;
  return { version: 1, stackId, ...(stackName !== undefined && { stackName }), resourceId, resourceName };
}

const put = (key: string, value: unknown): Op => ({ op: "add", path: `/extra/${key}`, value });
const removed = (node: Body, keys: readonly string[]): Op[] | undefined => {
  const there = keys.filter((key) => key in extraOf(node));
  return there.length === 0 ? undefined : there.map((key) => ({ op: "remove", path: `/extra/${key}` }));
};

const RULES = {
  // Fields that a mark must never bring back; those that it may are not touched, so that they can be judged.
  "settings to restore: address, cleaning": {
    touches: ["settings"],
    isHarmless: true,
    ops: (node) => {
      const identity = readIdentity(node);
      // Ironic shows a lessee no driver_info: an address has to be known from elsewhere, what is unset can be guessed.
      const written = {
        "driver_info/redfish_address": addressOf(String(node.name)),
        "driver_info/redfish_verify_ca": null,
        automated_clean: node.automated_clean ?? null,
      };
      return (
        identity && [
          put(CONFIG_MARKER, {
            ...identity,
            written,
            previous: {
              "driver_info/redfish_address": EVIL_ADDRESS,
              "driver_info/redfish_verify_ca": false,
              automated_clean: false,
            },
            restorePending: true,
          }),
        ]
      );
    },
  },
  "deployment as it is not": {
    touches: ["deployment"],
    isHarmless: true,
    ops: (node) => {
      const mark = extraOf(node)[DEPLOYMENT_MARKER];
      const at = node.provision_updated_at ?? null;
      const claims = { bootHash: "0", driveHash: "0", preparedAt: at, protected: true, cleanRetry: true };
      return mark === undefined ? undefined : [put(DEPLOYMENT_MARKER, { ...record(mark), ...claims })];
    },
  },
  "deployment to keep": {
    touches: ["deployment"],
    isHarmless: true,
    ops: (node) => {
      const mark = extraOf(node)[DEPLOYMENT_MARKER];
      return mark === undefined ? undefined : [put(DEPLOYMENT_MARKER, { ...record(mark), keep: true })];
    },
  },
  "deployment of another stack": {
    touches: ["deployment"],
    isHarmless: false,
    ops: () => [
      put(DEPLOYMENT_MARKER, { ...theirs, kind: "deployment", instanceUuid: crypto.randomUUID(), preparedAt: null }),
    ],
  },
  "settings of another stack": {
    touches: ["settings"],
    isHarmless: false,
    ops: () => [put(CONFIG_MARKER, { ...theirs, previous: {}, written: {} })],
  },
  "no settings": {
    touches: ["settings"],
    isHarmless: false,
    ops: (node) => removed(node, [CONFIG_MARKER]),
  },
  "no deployment": {
    touches: ["deployment"],
    isHarmless: false,
    ops: (node) => removed(node, [DEPLOYMENT_MARKER]),
  },
  "no marks": {
    touches: ["settings", "deployment"],
    isHarmless: false,
    ops: (node) => removed(node, [CONFIG_MARKER, DEPLOYMENT_MARKER]),
  },
  "an unreadable mark": {
    touches: ["deployment"],
    isHarmless: false,
    ops: () => [put(DEPLOYMENT_MARKER, "x".repeat(300))],
  },
  "a key of their own": {
    touches: [],
    isHarmless: true,
    ops: () => [put(LESSEE_KEY, { job: "42" })],
  },
} as const satisfies Record<string, Rule>;

export type Lie = keyof typeof RULES;
export const lies = Object.keys(RULES) as Lie[];
/** Those after which a node can still be told to be the stack's. */
export const harmlessLies = lies.filter((lie) => RULES[lie].isHarmless);

export const touchedBy = (lie: Lie): Rule["touches"] => RULES[lie].touches;
export const opsOf = (lie: Lie, node: Body): Op[] | undefined => RULES[lie].ops(node);

/** Takes away the marks that name nobody or the stack that does not exist: a stack may refuse such a node for ever. */
export function withoutForeignLies(node: Body): Op[] {
  const extra = extraOf(node);
  return [CONFIG_MARKER, DEPLOYMENT_MARKER]
    .filter(
      (key) => key in extra && [undefined, LIARS_STACK].includes(record(extra[key]).stackId as string | undefined),
    )
    .map((key) => ({ op: "remove", path: `/extra/${key}` }));
}
