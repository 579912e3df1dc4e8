import { distance } from "fastest-levenshtein";
import * as z from "zod";
import {
  type Clean,
  CODES,
  type Code,
  CodedError,
  describeFailure,
  type Failure,
  failureLines,
} from "../core/index.ts";

export { describeFailure, type Failure };

import { type Draft, hasUnknown, isUnknown, UNKNOWN } from "./unknown.ts";

export { typesOnly } from "./types-only.ts";
export { type Draft, hasUnknown, isUnknown, known, UNKNOWN } from "./unknown.ts";

/** Thrown where arguments are refused after the check, e.g. against the node's ports. The message lists every failure. */
export class InvalidInput extends CodedError {
  override readonly name = "InvalidInput";
  /** The first failure's. */
  readonly code: Code;
  readonly failures: readonly Failure[];
  constructor(failures: readonly Failure[]) {
    super(failures.map(describeFailure).join("\n"));
    this.failures = failures;
    this.code = failures[0]?.code ?? "argument-invalid";
  }

  override printed(clean: Clean): string {
    return failureLines(this.failures, clean);
  }
}

type Step = string | number;
type Issue = z.core.$ZodIssue;

/** `network.interfaces[0].gateway`; keys that are no identifiers are quoted. */
export function formatPath(steps: readonly Step[]): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else if (!/^[A-Za-z_$][\w$-]*$/.test(step)) path += `[${JSON.stringify(step)}]`;
    else path += path === "" ? step : `.${step}`;
  }
  return path;
}

interface KnownKeys {
  names: readonly string[];
  hints: Readonly<Record<string, string>>;
}

/**
 * An object that takes these keys and no others; for a mistyped key the message names the nearest of them. `hints` has messages
 * for keys that belong to another object.
 */
export function object<T extends z.core.$ZodShape>(
  shape: T,
  hints: Readonly<Record<string, string>> = {},
): z.ZodObject<T, z.core.$strict> {
  // Zod passes only text from here to failuresOf.
  const known = JSON.stringify({ names: Object.keys(shape), hints } satisfies KnownKeys);
  return z.strictObject(shape, { error: (issue) => (issue.code === "unrecognized_keys" ? known : undefined) });
}

/** What is wrong with a value, where one rule has several codes. */
export type Objection = Pick<Failure, "reason" | "code">;

/** A string for which `why` finds nothing to object; otherwise `why` says what is wrong. `code` is that of a plain reason. */
export const text = (
  why: (value: string) => string | Objection | undefined,
  code: Code = "argument-invalid",
): z.ZodString =>
  z.string().superRefine((value, context) => {
    const found = why(value);
    if (found === undefined) return;
    const objection = typeof found === "string" ? { reason: found, code } : found;
    context.addIssue({ code: "custom", message: objection.reason, params: { code: objection.code } });
  });

/** What is wrong with a node's name or UUID. Addresses have no place for "." and "..": they lead to another path. */
export const nodeName: z.ZodString = text((value) => {
  if (value.trim() === "" || /[/?#\s\p{Cs}]/u.test(value)) return "must be a node's name or UUID";
  return value === "." || value === ".." ? "is a name that Ironic cannot be asked for; use the node's UUID" : undefined;
});

/** The valid name that `key` most likely stands for, if any is near. */
function nearest(key: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, cost: distance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.cost - b.cost);
  const best = ranked[0];
  return best && best.cost <= Math.max(2, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

function unknownKey(key: string, { names, hints }: KnownKeys): string {
  const hint = Object.hasOwn(hints, key) ? hints[key] : undefined;
  if (hint !== undefined) return `there is no such property; ${hint}`;
  const name = nearest(key, names);
  return name === undefined
    ? `there is no such property; the properties are ${names.join(", ")}`
    : `there is no such property; did you mean ${name}?`;
}

/** Whether the value at `steps`, or one that holds it, is not known yet. */
function touchesUnknown(root: unknown, steps: readonly Step[]): boolean {
  let value: unknown = root;
  for (const step of steps) {
    if (value === UNKNOWN) return true;
    if (typeof value !== "object" || value === null) return false;
    value = (value as Record<Step, unknown>)[step];
  }
  return value === UNKNOWN;
}

const EXPECTED: Readonly<Record<string, string>> = {
  array: "a list",
  object: "an object",
  record: "an object",
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

/** Zod's issue in words; nothing here repeats the value. */
function reasonOf(issue: Issue, missing: boolean): string {
  switch (issue.code) {
    case "invalid_type":
      return missing ? "is missing" : `must be ${EXPECTED[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `${missing ? "is missing; it " : ""}must be one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return issue.origin === "array" || issue.origin === "string"
        ? `must have at least ${issue.minimum} ${issue.origin === "array" ? "entries" : "characters"}`
        : `must be at least ${issue.minimum}`;
    case "too_big":
      return issue.origin === "array" || issue.origin === "string"
        ? `must have at most ${issue.maximum} ${issue.origin === "array" ? "entries" : "characters"}`
        : `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** The code of an issue: that of its rule, if the rule has one of its own. */
function codeOf(issue: Issue, missing: boolean): Code {
  if (issue.code === "custom") return CODES.find((code) => code === issue.params?.code) ?? "argument-invalid";
  return missing && ["invalid_type", "invalid_value"].includes(issue.code) ? "argument-missing" : "argument-invalid";
}

type Found = Objection & { steps: Step[] };

/** Failures of one issue; none if it is only about values that are not known yet. */
function failuresOf(issue: Issue, root: unknown, before: readonly Step[]): Found[] {
  const steps = [...before, ...(issue.path as Step[])];
  if (touchesUnknown(root, steps)) return [];
  if (issue.code === "unrecognized_keys") {
    const known = JSON.parse(issue.message) as KnownKeys;
    return issue.keys.map((key) => ({
      steps: [...steps, key],
      reason: unknownKey(key, known),
      code: "argument-unknown",
    }));
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const branches = issue.errors.map((issues) => ({
      fits: !issues.some(({ code, path }) => code === "invalid_type" && path.length === 0),
      failures: issues.flatMap((each) => failuresOf(each, root, steps)),
      issues,
    }));
    if (branches.some(({ failures }) => failures.length === 0)) return [];
    // The form whose type fits is the intended one, so its failures are the useful ones.
    const meant = branches.find(({ fits }) => fits);
    if (meant) return meant.failures;
    const forms = branches.flatMap(({ issues }) =>
      issues.flatMap((each) => (each.code === "invalid_type" ? [EXPECTED[each.expected] ?? each.expected] : [])),
    );
    return [{ steps, reason: `must be ${[...new Set(forms)].join(" or ")}`, code: "argument-invalid" }];
  }
  const missing = valueAt(root, steps) === undefined;
  return [{ steps, reason: reasonOf(issue, missing), code: codeOf(issue, missing) }];
}

function valueAt(root: unknown, steps: readonly Step[]): unknown {
  let value: unknown = root;
  for (const step of steps) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<Step, unknown>)[step];
  }
  return value;
}

/** What `schema` refuses of `value`, taking any value that is not known yet for a good one. `at` is the path of `value` itself. */
export function failuresIn(schema: z.ZodType, value: unknown, at = ""): Failure[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues
    .flatMap((issue) => failuresOf(issue, value, []))
    .map(({ steps, ...objection }) => ({ path: joinPath(at, formatPath(steps)), ...objection }));
}

/** Values that are complete and right. */
export interface KnownValue<T> {
  kind: "known";
  /** The schema's output: defaults filled in. */
  value: T;
}

/** Values that are right as far as they are known: those of a preview. */
export interface PartialValue<T> {
  kind: "partial";
  /** The input as it came. */
  value: Draft<T>;
}

/** At least one. */
export type Failures = readonly [Failure, ...Failure[]];

/** What is refused: there is no value with which to go on. */
export interface Refused {
  kind: "failed";
  failures: Failures;
}

export const refused = (failures: Failures): Refused => ({ kind: "failed", failures });

/** What came of {@link parse}. Only what is `known` may be used as `T`. */
export type Parsed<T> = KnownValue<T> | PartialValue<T> | Refused;

/**
 * Checks an object against `schema`, accepting any value that is not known yet, at any depth.
 * Rules that look at several properties belong in functions of their own, which leave out what is unknown: see {@link known}.
 */
export function parse<T extends object>(schema: z.ZodType<T>, value: unknown, at = ""): Parsed<T> {
  if (isUnknown(value)) return refused([{ path: at, reason: "is not known yet", code: "argument-invalid" }]);
  const [first, ...others] = failuresIn(schema, value, at);
  if (first) return refused([first, ...others]);
  // What holds an unknown is not the schema's to read, even where it would do: a string may stand for a text.
  // Without a failure it has the schema's form, but for the unknowns that Draft names.
  if (hasUnknown(value)) return { kind: "partial", value: value as Draft<T> };
  return { kind: "known", value: schema.parse(value) };
}

/** `parsed` with what `rules` find in it, unless it is refused already. */
export function withRules<T>(parsed: Parsed<T>, rules: (value: T | Draft<T>) => Failure[]): Parsed<T> {
  if (parsed.kind === "failed") return parsed;
  const [first, ...others] = rules(parsed.value);
  return first ? refused([first, ...others]) : parsed;
}

/** Two property paths as one. */
export function joinPath(before: string, after: string): string {
  if (before === "" || after === "") return before + after;
  return after.startsWith("[") ? before + after : `${before}.${after}`;
}
