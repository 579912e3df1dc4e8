/** Values that are not known before the update. */

/**
 * What the engine puts in the place of a value that is not known before the update: any leaf, list or object, also inside
 * other values (`UnknownStringValue` in Pulumi's `sdk/nodejs/runtime/rpc.ts`).
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

declare const brand: unique symbol;
/** The type of {@link UNKNOWN} where it stands for a value: not a string, so that nothing goes on with it as if it were one. */
export interface Unknown {
  readonly [brand]: true;
}

type Leaf = string | number | boolean | bigint | null | undefined;

/** `T` of which any value may be unknown yet. A `T` is a `Draft<T>`, not the other way round. */
export type Draft<T> = unknown extends T
  ? unknown
  : T extends Leaf
    ? T
    : T extends readonly (infer Entry)[]
      ? (Unknown | Draft<Entry>)[]
      : T extends object
        ? { [Key in keyof T]: Unknown | Draft<T[Key]> }
        : T;

/** The inverse of {@link Draft}. */
type Known<D> = unknown extends D
  ? unknown
  : D extends Unknown
    ? never
    : D extends Leaf
      ? D
      : D extends readonly (infer Entry)[]
        ? Known<Entry>[]
        : D extends object
          ? { [Key in keyof D]: Known<D[Key]> }
          : D;

export const isUnknown = (value: unknown): value is Unknown => value === UNKNOWN;

/** Whether `value` is, or holds somewhere below, a value that is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (isUnknown(value)) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

// Without an unknown below it, a value is what its draft stands for; TypeScript cannot see that a search has found none.
const isKnown = <D>(value: D | Known<D>): value is Known<D> => !hasUnknown(value);

/** `value` when it and everything below it is known. For rules that look at several properties. */
export const known = <D>(value: D): Known<D> | undefined => (isKnown<D>(value) ? value : undefined);
