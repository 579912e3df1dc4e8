/** Where a client asks, and as whom: what is compared before something that Ironic does not show counts as gone. */
import type { Auth } from "../connection/index.ts";
import type { Login } from "./keystone-schema.ts";

/** Who asks, as far as the login tells. Holds nothing secret. */
export interface Account {
  /**
   * `project:<id>`, `trust:<id>`, `domain:<id>`, `system` or `unscoped`; `none` where Keystone is not used; `unknown` of a
   * token that is sent as it is.
   */
  scope: string;
  /** For messages. */
  name: string;
}

/** As the state of each resource keeps it: where it was made. */
export interface Place {
  endpoint: string;
  scope: string;
  region?: string | undefined;
}

/** Where a client asks now. */
export interface Here extends Place {
  /** Who asks, for messages. */
  account: string;
}

/** Scopes from which Ironic hides no node. An account of a project is told of others' nodes that they could not be found. */
const SEE_ALL: ReadonlySet<string> = new Set(["none", "system"]);

export const seesAllNodes = (scope: string): boolean => SEE_ALL.has(scope);

interface Named {
  id?: string | null | undefined;
  name?: string | null | undefined;
}

const keyOf = ({ id, name }: Named): string => id ?? name ?? "";
const shown = ({ id, name }: Named): string => (name ? `"${name}"${id ? ` (${id})` : ""}` : (id ?? "without a name"));

const scopeOf = (token: Login["token"]): { scope: string; text: string } => {
  const { project, domain, system, "OS-TRUST:trust": trust } = token;
  // The token of a trust has its project as well.
  if (trust) return { scope: `trust:${keyOf(trust)}`, text: `the trust ${shown(trust)}` };
  if (project) return { scope: `project:${keyOf(project)}`, text: `the project ${shown(project)}` };
  if (domain) return { scope: `domain:${keyOf(domain)}`, text: `the domain ${shown(domain)}` };
  return system ? { scope: "system", text: "the whole system" } : { scope: "unscoped", text: "no project" };
};

/** Who logged in at Keystone. An application credential does not say by itself to which project it belongs; the token does. */
export const accountOfToken = (token: Login["token"]): Account => {
  const { scope, text } = scopeOf(token);
  return { scope, name: `${token.user ? `user ${shown(token.user)}` : "an unknown user"} in ${text}` };
};

/** Who asks where nobody logs in. */
export const accountWithoutLogin = (auth: Exclude<Auth, { kind: "keystone" }>): Account => {
  switch (auth.kind) {
    case "none":
      return { scope: "none", name: "nobody (no authentication)" };
    case "http_basic":
      return { scope: "none", name: `user "${auth.username}"` };
    case "fixed_token":
      return { scope: "unknown", name: "the owner of a token that is sent as it is" };
  }
};
