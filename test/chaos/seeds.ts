/** Seeds in a row. */

export const seeds = (count: number, first = 1) => Array.from({ length: count }, (_, index) => first + index);
