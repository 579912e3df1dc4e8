import { createHash } from "node:crypto";
import { memoise, systemClock } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import type { Services } from "./handler.ts";

/** What the engine's Configure call gives to a dynamic provider. */
export interface ConfigureRequest {
  config: { get(key: string): unknown };
}

/** One client per distinct connection, whatever the number of resources and kinds: one pool, one token, one version. */
const clients = new Map<string, Client>();

const secrets = new Set<string>();

/** Secret values of all connections of this process; nothing that leaves it may hold one. */
export const processSecrets = (): string[] => [...secrets];

/** Values come as strings from stack configuration, as anything from an explicit provider. */
const configText = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
};

/** The client for what `get` and the environment say; throws a ProblemError when they are not usable. */
const clientFor = async (get: Services["get"], warn: (text: string) => void): Promise<Client> => {
  // Loaded on the first use: the program side and a destroy of resources without a claim need neither.
  const [{ resolveConnection, secretsOf }, { createClient }] = await Promise.all([
    import("../connection/index.ts"),
    import("../http/index.ts"),
  ]);
  const connection = resolveConnection(get, process.env);
  for (const secret of secretsOf(connection)) secrets.add(secret);
  const key = createHash("sha256").update(JSON.stringify(connection)).digest("hex");
  const known = clients.get(key);
  if (known) return known;
  const client = createClient(connection, { warn });
  clients.set(key, client);
  return client;
};

/** Synchronous and free of failure, so that no call of the engine can meet a half-configured provider. */
export const servicesFor = (request: ConfigureRequest, warn: (text: string) => void): Services => {
  const get: Services["get"] = (key) => configText(request.config.get(`ironic:${key}`));
  // A run has many calls, and reading clouds.yaml takes longer than most of them.
  const client = memoise(() => clientFor(get, warn));
  return {
    client: () => client.get(),
    clock: systemClock,
    random: Math.random,
    get,
  };
};
