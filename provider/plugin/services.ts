import { type Code, memoise } from "../core/index.ts";
import type { ConnectionContext, RunContext } from "../run/index.ts";
import type { Services } from "./handler.ts";

/** What the engine's Configure call gives to a dynamic provider. */
export interface ConfigureRequest {
  config: { get(key: string): unknown };
}

/** Values come as strings from stack configuration, as anything from an explicit provider. */
const configText = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
};

/** Tells the user what is to be known of the connection. */
type Warn = (code: Code, text: string) => void;

/** What handlers get: `run`, and the connection that `connect` opens. */
export const createServices = (
  run: RunContext,
  get: Services["get"],
  connect: () => Promise<ConnectionContext>,
): Services => ({
  run,
  get,
  connection: connect,
  client: async () => (await connect()).client,
  clock: run.clock,
  random: run.random,
});

/** Synchronous and free of failure, so that no call of the engine can meet a half-configured provider. */
export const servicesFor = (run: RunContext, request: ConfigureRequest, warn: Warn): Services => {
  const get: Services["get"] = (key) => configText(request.config.get(`ironic:${key}`));
  // A run has many calls, and reading clouds.yaml takes longer than most of them.
  const connection = memoise(() => run.connections.open(get, warn));
  return createServices(run, get, () => connection.get());
};
