/** Lists that Ironic gives page by page. */
import { IronicError, isFault } from "../core/index.ts";
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

/** A list that goes on after the item that it has already gone on after has no end. */
const refuseStandstill = (seen: Set<string>, marker: string, path: string, { operation }: CallOptions): void => {
  if (!seen.has(marker)) {
    seen.add(marker);
    return;
  }
  throw new IronicError({
    fault: "malformed",
    operation,
    request: `GET /v1${path}`,
    detail: `the list comes again to its item ${marker}, and so does not end`,
  });
};

/** So often is a list begun anew; one that changes faster has to be asked for again. */
const MAX_READINGS = 5;

/**
 * All items, in Ironic's order, of `maxPages` pages at most, and not after `isEnough`. Ironic refuses the page after an item
 * that was deleted meanwhile: then the list is read anew.
 */
export async function readPages<T extends { uuid: string }>(
  client: Pick<Client, "get">,
  path: string,
  page: Shape<Page<T>>,
  call: CallOptions,
  maxPages = Number.POSITIVE_INFINITY,
  isEnough: (found: readonly T[]) => boolean = () => false,
): Promise<T[]> {
  for (let reading = 1; ; reading++) {
    try {
      return await readOnce(client, path, page, call, maxPages, isEnough);
    } catch (error) {
      if (!isFault(error, "listChanged") || reading >= MAX_READINGS) throw error;
    }
  }
}

async function readOnce<T extends { uuid: string }>(
  client: Pick<Client, "get">,
  path: string,
  page: Shape<Page<T>>,
  call: CallOptions,
  maxPages: number,
  isEnough: (found: readonly T[]) => boolean,
): Promise<T[]> {
  const found: T[] = [];
  const markers = new Set<string>();
  for (let count = 0; count < maxPages; count++) {
    const marker = found.at(-1)?.uuid;
    if (marker !== undefined) refuseStandstill(markers, marker, path, call);
    const { items, more } = await client.get(path, { ...call, query: { ...call.query, marker }, shape: page });
    for (const item of items) found.push(item);
    if (!more || items.length === 0 || isEnough(found)) break;
  }
  return found;
}
