/** Lists that Ironic gives page by page. */
import type { CallOptions, Client } from "./client.ts";
import { field, type Shape } from "./shape.ts";

export interface Page<T> {
  items: T[];
  /** Another page follows, after the last item. */
  more: boolean;
}

/** A page whose items are under `key`. Made once per list: zod compiles each shape at its first use. */
export const pageOf = <T>(key: string, item: Shape<T>): Shape<Page<T>> =>
  field
    .object({ [key]: field.list(item), next: field.textOrNull.optional() })
    .transform(({ [key]: items, next }) => ({ items: Array.isArray(items) ? items : [], more: Boolean(next) }));

/** All items, in Ironic's order, of `maxPages` pages at most. */
export async function readPages<T extends { uuid: string }>(
  client: Client,
  path: string,
  page: Shape<Page<T>>,
  call: CallOptions,
  maxPages = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const found: T[] = [];
  for (let count = 0; count < maxPages; count++) {
    const query = { ...call.query, marker: found.at(-1)?.uuid };
    const { items, more } = await client.get(path, { ...call, query, shape: page });
    found.push(...items);
    if (!more || items.length === 0) break;
  }
  return found;
}
