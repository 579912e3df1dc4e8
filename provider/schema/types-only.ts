import * as z from "zod";

/** `schema` without its rules: of lengths, ranges and patterns, and of keys that it does not know. */
function withoutRules(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional) return z.optional(withoutRules(schema.unwrap()));
  if (schema instanceof z.ZodNumber) return z.number();
  if (schema instanceof z.ZodString) return z.string();
  if (schema instanceof z.ZodArray) return z.array(withoutRules(schema.element));
  if (schema instanceof z.ZodRecord) return z.record(z.string(), withoutRules(schema.valueType));
  if (schema instanceof z.ZodUnion) return z.union(schema.options.map(withoutRules));
  if (schema instanceof z.ZodObject) return z.looseObject(shapeWithoutRules(schema.shape));
  return schema;
}

const shapeWithoutRules = (shape: z.core.$ZodShape): z.core.$ZodShape =>
  Object.fromEntries(Object.entries(shape).map(([key, each]) => [key, withoutRules(each)]));

/**
 * The shape of arguments as a state holds them: their types without their rules, which may have become stricter since the
 * state was written. A destroy must not fail of that.
 */
export function typesOnly<S extends z.core.$ZodShape>(shape: S): S {
  // Each schema gives the type that its original gives: no rule changes a type.
  return shapeWithoutRules(shape) as S;
}
