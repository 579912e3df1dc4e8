import { ProblemError } from "../core/index.ts";

/** The endpoint without `/v1` and trailing slashes: the place where versions are told. Throws a ProblemError. */
export const baseOf = (endpoint: string): string => {
  const text = endpoint.trim();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new ProblemError({
      problem: `The endpoint ${JSON.stringify(url || text.includes("@") ? "…" : text)} is not an http:// or https:// address`,
      advice: "Write it like https://ironic.example.org:6385 or https://cloud.example.org/baremetal.",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new ProblemError({
      problem: `The endpoint ${url.origin} has a user name or password in it`,
      advice: "Use `ironic:username` and `ironic:password` with `ironic:authType: http_basic`.",
    });
  }
  return url.origin + url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "").replace(/\/+$/, "");
};
