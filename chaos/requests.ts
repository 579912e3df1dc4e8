// What a request is about, read from its method and path.
import type { Kill } from "./plan.ts";

type Asked = { method: string; path: string };

/** Reads of lists are how a provider waits. */
const sortOf = ({ method, path }: Asked): Kill["request"] | undefined => {
  if (method === "PUT" || method === "PATCH") return method;
  if (method !== "GET") return undefined;
  if (/^\/v1\/nodes(\/[^/]+)?\?/.test(path)) return "POLL";
  return /^\/v1\/nodes\//.test(path) ? "GET" : undefined;
};

/** The node that a request names, in its path or as the filter of a list. */
export function nodeIn(path: string): string | undefined {
  const { pathname, searchParams } = new URL(path, "http://ironic.invalid");
  const named = /^\/v1\/nodes\/([^/]+)/.exec(pathname)?.[1];
  if (named !== undefined && named !== "detail") return decodeURIComponent(named);
  return searchParams.get("node") ?? searchParams.get("node_uuid") ?? undefined;
}

/** Counts requests by their sort and strikes at the nth of one, once. */
export function countdown(
  target: Pick<Kill, "request" | "nth" | "when">,
): (when: "before" | "after", asked: Asked) => boolean {
  let seen = 0;
  let isDone = false;
  return (when, asked) => {
    if (isDone || sortOf(asked) !== target.request) return false;
    if (when === "before") seen++;
    if (seen < target.nth || when !== target.when) return false;
    isDone = true;
    return true;
  };
}
