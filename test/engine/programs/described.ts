// A program whose resources are described by a file, so that each test says in one place what it wants.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as ironic from "pulumi-ironic";

/** `{ "ref": "config:w1.node" }` stands for an output of an earlier resource, `{ "ref": "provider:west" }` for the resource
 * itself, `{ "secret": x }` for a secret. */
export interface Described {
  kind: keyof typeof kinds;
  name: string;
  args: Record<string, unknown>;
  options?: Record<string, unknown>;
}

const kinds = {
  config: ironic.BaremetalNodeConfig,
  drive: ironic.ConfigDrive,
  deployment: ironic.RamdiskDeployment,
  allocation: ironic.NodeAllocation,
  provider: ironic.Provider,
} as const;

type Constructor = new (name: string, args: never, options: pulumi.CustomResourceOptions) => pulumi.CustomResource;

const made = new Map<string, pulumi.CustomResource>();

function resolve(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value !== "object" || value === null) return value;
  const { ref, secret } = value as { ref?: string; secret?: unknown };
  if (secret !== undefined) return pulumi.secret(resolve(secret));
  if (ref === undefined) return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, resolve(child)]));
  const [key = "", output] = ref.split(".");
  const resource = made.get(key);
  if (!resource) throw new Error(`${ref}: there is no such resource before this one`);
  return output === undefined ? resource : (resource as unknown as Record<string, unknown>)[output];
}

const file = process.env.ENGINE_TEST_PROGRAM;
if (!file) throw new Error("ENGINE_TEST_PROGRAM names the file that describes the resources");
for (const { kind, name, args, options } of JSON.parse(readFileSync(file, "utf8")) as Described[]) {
  const make = kinds[kind] as unknown as Constructor;
  made.set(`${kind}:${name}`, new make(name, resolve(args) as never, resolve(options ?? {}) as never));
}
