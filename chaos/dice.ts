// Chance that hangs on its key alone. What one request meets must not depend on which other request came first, or a seed
// would not reproduce; so nothing here has a state.
import { createHash } from "node:crypto";

type Key = readonly (string | number)[];

/** A number from 0 up to, but not including, 1. */
export const chance = (...key: Key): number =>
  createHash("sha256").update(JSON.stringify(key)).digest().readUInt32BE(0) / 2 ** 32;

export function pick<T>(items: readonly T[], ...key: Key): T {
  const item = items[Math.floor(chance(...key) * items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

/** A whole number from `least` to `most`, both included. */
export const between = (least: number, most: number, ...key: Key): number =>
  least + Math.floor(chance(...key) * (most - least + 1));

/** `count` of the items, each once. */
export const some = <T>(items: readonly T[], count: number, ...key: Key): T[] =>
  items
    .map((item, index) => ({ item, at: chance(...key, index) }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ item }) => item);
