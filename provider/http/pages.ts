/** Lists that Ironic gives page by page. */
import type { CallOptions, Client } from "./client.ts";

/** All items under `key`, in Ironic's order, of `maxPages` pages at most. */
export async function readPages<T extends { uuid: string }>(
  client: Client,
  path: string,
  key: string,
  call: CallOptions,
  maxPages = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const found: T[] = [];
  for (let page = 0; page < maxPages; page++) {
    const query = { ...call.query, marker: found.at(-1)?.uuid };
    const answer = await client.get<Record<string, T[]> & { next?: string }>(path, { ...call, query });
    const items = answer[key] ?? [];
    found.push(...items);
    if (!answer.next || items.length === 0) break;
  }
  return found;
}
