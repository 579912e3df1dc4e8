import { createHash } from "node:crypto";
import type { ConfigGetter } from "../connection/index.ts";
import type { Clock, Code } from "../core/index.ts";
import type { ConnectionContext } from "./connection-context.ts";

export interface Connections {
  /** The connection for what `get` and the environment say. Throws a ProblemError when they are not usable. */
  open(get: ConfigGetter, warn: (code: Code, text: string) => void): Promise<ConnectionContext>;
}

export interface ConnectionsOptions {
  clock: Clock;
  random: () => number;
  env: NodeJS.ProcessEnv;
  /** The secrets of each connection are added. */
  secrets: Set<string>;
}

/** One per distinct connection, whatever the number of resources and kinds: one pool, one token, one version. */
export function createConnections({ clock, random, env, secrets }: ConnectionsOptions): Connections {
  const known = new Map<string, ConnectionContext>();
  return {
    open: async (get, warn) => {
      // Loaded on the first use: the program side and a destroy of resources without a claim need none of them.
      const [{ resolveConnection, secretsOf }, { createClient }, { createConnectionContext }] = await Promise.all([
        import("../connection/index.ts"),
        import("../http/index.ts"),
        import("./connection-context.ts"),
      ]);
      const connection = resolveConnection(get, env, undefined, (secret) => secrets.add(secret));
      for (const secret of secretsOf(connection)) secrets.add(secret);
      const key = createHash("sha256").update(JSON.stringify(connection)).digest("hex");
      const open =
        known.get(key) ?? createConnectionContext(createClient(connection, { warn, clock, random }), clock, random);
      known.set(key, open);
      return open;
    },
  };
}
