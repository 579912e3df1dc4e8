import { ProblemError } from "../core/index.ts";

/** The look-behind keeps it from trying each slash of a long row anew. */
export const trimSlashes = (path: string): string => path.replace(/(?<!\/)\/+$/, "");

/** The endpoint without `/v1` and trailing slashes: where Ironic lists its versions. Throws a ProblemError. */
export const baseOf = (endpoint: string): string => {
  const text = endpoint.trim();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new ProblemError({
      code: "setting-invalid",
      problem: `The endpoint ${JSON.stringify(url || text.includes("@") ? "…" : text)} is not an http:// or https:// address`,
      advice: "Use for example https://ironic.example.org:6385 or https://cloud.example.org/baremetal.",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new ProblemError({
      code: "setting-invalid",
      problem: `The endpoint ${url.origin} contains a user name or password`,
      advice: "Use `ironic:username` and `ironic:password` with `ironic:authType: http_basic`.",
    });
  }
  return url.origin + trimSlashes(trimSlashes(url.pathname).replace(/\/v1$/, ""));
};
