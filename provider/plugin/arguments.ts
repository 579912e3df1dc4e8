/**
 * One table per resource says everything that is decided by argument. From it come the schema, what counts as a change, what
 * is compared and declared, the secrets, the check of Ironic's version, and the table in the documents.
 */
import * as z from "zod";
import { canonicalJson } from "../core/index.ts";
import type { Feature } from "../http/index.ts";
import { hasUnknown } from "../schema/index.ts";
import type { Props } from "./handler.ts";

/** What a change of an argument does. */
export const CHANGES = {
  /** Destroy, then create. */
  replaces: "replaces",
  /** An update that restarts the machine with it. */
  reboots: "reboots",
  /** An update that writes to the node; the machine is not restarted. */
  inPlace: "in place",
  /** An update that stores it; neither node nor machine is touched. */
  nothing: "state only",
  /** It counts while the resource is created; a later change is ignored. */
  onlyAtCreation: "only at creation",
  /** A hidden argument, fixed at creation; a later change is ignored. */
  identity: "fixed at creation",
} as const;
export type Change = keyof typeof CHANGES;

/** What an argument needs of Ironic that older versions lack. */
export interface ArgumentNeed {
  feature: Feature;
  /** Whether this value needs it, beside the others. Default: any value does. */
  when?(value: unknown, props: Readonly<Props>): boolean;
  /** What needs it, for the documents: "JSON needs". Default: "Needs". */
  says?: string;
}

/** What is the same of every argument. */
export interface ArgumentRow {
  schema: z.ZodType;
  change: Change;
  needs?: readonly ArgumentNeed[];
  /** Encrypted in the state whatever the program said. */
  secret?: true;
  /** For the documents: the default. Not given: "required", or "none" where it may be left out. */
  default?: string;
  /** For the documents: what the argument means. A hidden argument has none. */
  meaning?: string;
}

/** A row for each argument; exactly those of `Secrets` are secret. */
export type ArgumentTable<
  Names extends string,
  Secrets extends string = never,
  Row extends ArgumentRow = ArgumentRow,
> = {
  readonly [Name in Names]: Row & (Name extends Secrets ? { secret: true } : { secret?: never });
};

/** The hidden arguments of every resource that holds a claim in Ironic. */
export const IDENTITY_ARGUMENTS = {
  stackId: { schema: z.string(), change: "identity" },
  stackName: { schema: z.string().optional(), change: "identity" },
  resourceId: { schema: z.string(), change: "identity" },
  resourceName: { schema: z.string(), change: "identity" },
} as const satisfies ArgumentTable<"stackId" | "stackName" | "resourceId" | "resourceName">;

type Table = Readonly<Record<string, ArgumentRow>>;

/** The properties of the table's schema. */
export const shapeOf = <T extends Table>(table: T): { [Name in keyof T]: T[Name]["schema"] } =>
  // The entries of an object have lost its keys.
  Object.fromEntries(Object.entries(table).map(([name, { schema }]) => [name, schema])) as {
    [Name in keyof T]: T[Name]["schema"];
  };

/** The arguments whose change does one of `changes`; all without any. */
export const argumentsThat = (table: Table, ...changes: Change[]): string[] =>
  Object.keys(table).filter((name) => changes.length === 0 || changes.includes(table[name]?.change ?? "nothing"));

/** Are two values of an argument the same, whatever the order of keys? A value that is not known yet is another one. */
const isSameValue = (a: unknown, b: unknown): boolean =>
  !hasUnknown(a) && !hasUnknown(b) && canonicalJson(a ?? null) === canonicalJson(b ?? null);

/** The arguments that differ in `a` and `b`, of those whose change does one of `changes`. */
export const changedArguments = (
  table: Table,
  a: Readonly<Props>,
  b: Readonly<Props>,
  ...changes: Change[]
): string[] => argumentsThat(table, ...changes).filter((name) => !isSameValue(a[name], b[name]));

/** The arguments in `props`, without what else it holds. */
export const declaredIn = (table: Table, props: Readonly<Props>): Props =>
  Object.fromEntries(
    Object.keys(table)
      .filter((name) => props[name] !== undefined)
      .map((name) => [name, props[name]]),
  );

/** `props` without the arguments. */
export const undeclaredIn = (table: Table, props: Readonly<Props>): Props =>
  Object.fromEntries(Object.entries(props).filter(([name]) => !Object.hasOwn(table, name)));

/** What `props` ask of Ironic that older versions lack. */
export const needsIn = (table: Table, props: Readonly<Props>): { path: string; feature: Feature }[] =>
  Object.entries(table).flatMap(([path, { needs = [] }]) => {
    const value = props[path];
    if (value === undefined) return [];
    return needs.filter(({ when }) => when?.(value, props) ?? true).map(({ feature }) => ({ path, feature }));
  });
