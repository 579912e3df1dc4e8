/**
 * Answers are parsed once, where they arrive, and are typed from there. A shape says what is read of a body: unknown keys
 * pass, and do not reach the caller; a field that is read and has another type is an error that names it.
 *
 * Objects are `z.object`, which copies the known keys and compiles to straight code; `looseObject` also visits each unknown
 * key, and copies it without need. `record` is checked and passed on uncopied: those are the large parts of a node.
 * `npm run bench:answers` compares the cost with that of JSON.parse.
 */
import * as z from "zod";

export type Shape<T> = z.ZodType<T>;

const mustBe = (what: string) => ({ error: `must be ${what}` });

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The types that Ironic's fields have. */
export const field = {
  text: z.string(mustBe("a string")),
  textOrNull: z.string(mustBe("a string or null")).nullable(),
  flag: z.boolean(mustBe("true or false")),
  flagOrNull: z.boolean(mustBe("true, false or null")).nullable(),
  record: z.custom<Record<string, unknown>>(isRecord, mustBe("an object")),
  list: <T>(item: Shape<T>) => z.array(item, mustBe("a list")),
  object: <S extends z.ZodRawShape>(shape: S) => z.object(shape, mustBe("an object")),
  objectOrNull: <S extends z.ZodRawShape>(shape: S) => z.object(shape, mustBe("an object or null")).nullable(),
};

/** For a body that nobody reads; there need not be one. */
export const ignored: Shape<undefined> = z.unknown().transform(() => undefined);

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`)).join("");

const valueAt = (body: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    body,
  );

/** The type only: values may be secret. */
const gotText = (value: unknown): string => {
  if (value === undefined) return "but is missing";
  if (value === null) return "got null";
  if (Array.isArray(value)) return "got a list";
  return `got ${typeof value === "object" ? "an object" : `a ${typeof value}`}`;
};

export type Parsed<T> = { ok: true; value: T } | { ok: false; fault: string };

/** `body` as `shape` describes it, or the first thing that is wrong with it. */
export function parseBody<T>(shape: Shape<T>, body: unknown): Parsed<T> {
  const result = shape.safeParse(body);
  if (result.success) return { ok: true, value: result.data };
  const { path = [], message = "is not usable" } = result.error.issues[0] ?? {};
  return { ok: false, fault: `${pathText(path) || "the body"} ${message}, ${gotText(valueAt(body, path))}` };
}
