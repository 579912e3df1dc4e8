/** JSON whose text does not depend on the order in which keys were written. Keys without a value are left out. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => sorted(each));

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  // By code units, not by locale: the same on every machine.
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
