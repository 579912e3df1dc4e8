import * as pulumi from "@pulumi/pulumi";
import { type Code, CodedError, memoise, printed, systemClock, withCode } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import type { Provider } from "../stack/index.ts";
import type { LookedUpNode } from "./shapes.ts";

export interface LookupOptions {
  /** An explicit connection; default: the stack's. Then the result is to be had through the functions' `Output` forms. */
  provider?: Provider;
}

/** What look-ups tell about a node. */
export interface NodeInfo {
  uuid: string;
  name: string | undefined;
  /** Ironic's provision state, e.g. `available`. */
  provisionState: string;
  powerState: string | undefined;
  instanceUuid: string | undefined;
  resourceClass: string | undefined;
  traits: string[];
  maintenance: boolean;
  driver: string | undefined;
  bootInterface: string | undefined;
  deployInterface: string | undefined;
  properties: Record<string, unknown>;
  extra: Record<string, unknown>;
}

/** What look-ups tell about a port. */
export interface PortInfo {
  uuid: string;
  /** MAC address. */
  address: string;
  name: string | undefined;
  pxeEnabled: boolean;
  physicalNetwork: string | undefined;
}

/** Which nodes; all given conditions must hold. */
export interface NodeFilter {
  resourceClass?: string;
  provisionState?: string;
  driver?: string;
  /** `true`: only nodes with an instance_uuid, `false`: only nodes without. */
  associated?: boolean;
  maintenance?: boolean;
  /** Traits that a node must have all of. */
  traits?: string[];
  /** Capabilities (`properties.capabilities`) that a node must have with these values. */
  capabilities?: Record<string, string>;
}

const LIMIT = 1_000;

const toNodeInfo = (node: LookedUpNode): NodeInfo => ({
  uuid: node.uuid,
  name: node.name ?? undefined,
  provisionState: node.provision_state ?? "available",
  powerState: node.power_state ?? undefined,
  instanceUuid: node.instance_uuid ?? undefined,
  resourceClass: node.resource_class ?? undefined,
  traits: node.traits ?? [],
  maintenance: node.maintenance,
  driver: node.driver,
  bootInterface: node.boot_interface ?? undefined,
  deployInterface: node.deploy_interface ?? undefined,
  properties: node.properties,
  extra: node.extra,
});

// Loaded when a program looks something up: most never do, and the HTTP client is the larger part of the package.
// One for the program's process: look-ups share nothing else, and each of them would log in by itself.
const programRun = memoise(async () => {
  const { createRunContext } = await import("../run/index.ts");
  return createRunContext({ clock: systemClock, random: Math.random, env: process.env });
});

async function clientOf(settings: Record<string, string>): Promise<Client> {
  const { servicesFor } = await import("../plugin/index.ts");
  const warn = (code: Code, text: string) => void pulumi.log.warn(withCode(text, code));
  return servicesFor(await programRun.get(), { config: { get: (key) => settings[key] } }, warn).client();
}

const stackSettings = (): Record<string, string> => pulumi.runtime.allConfig() as Record<string, string>;

/** What was answered, as the error of the program: without the stack trace that the engine prints of others. */
async function lookUp<T>(settings: Record<string, string>, work: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await work(await clientOf(settings));
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new pulumi.RunError(printed(error), { cause: error });
  }
}

const lookUpOutput = <T>(options: LookupOptions | undefined, work: (client: Client) => Promise<T>): pulumi.Output<T> =>
  pulumi
    .output<Record<string, string>>(options?.provider?.settings ?? stackSettings())
    .apply((settings) => lookUp(settings, work)) as pulumi.Output<T>;

// As the client: with zod, of which programs need nothing before.
const loadShapes = () => import("./shapes.ts");

async function readOne(client: Client, node: string): Promise<NodeInfo> {
  const { FIELDS, lookedUpNodeSchema } = await loadShapes();
  return toNodeInfo(
    await client.get(`/nodes/${encodeURIComponent(node)}`, {
      operation: "look up the node",
      node,
      query: { fields: FIELDS },
      shape: lookedUpNodeSchema,
    }),
  );
}

function matches(node: NodeInfo, { traits = [], capabilities = {} }: NodeFilter): boolean {
  const own = String(node.properties.capabilities ?? "").split(",");
  return (
    traits.every((trait) => node.traits.includes(trait)) &&
    Object.entries(capabilities).every(([key, value]) => own.includes(`${key}:${value}`))
  );
}

async function readMany(client: Client, filter: NodeFilter): Promise<NodeInfo[]> {
  const { resourceClass, provisionState, driver, associated, maintenance } = filter;
  const { FIELDS, lookedUpNodePage } = await loadShapes();
  const { readPages } = await import("../http/index.ts");
  const nodes = await readPages(client, "/nodes", lookedUpNodePage, {
    operation: "look up nodes",
    query: {
      fields: FIELDS,
      limit: LIMIT,
      resource_class: resourceClass,
      provision_state: provisionState,
      driver,
      associated: associated === undefined ? undefined : String(associated),
      maintenance: maintenance === undefined ? undefined : String(maintenance),
    },
  });
  // By name, so that "the first three" are the same three in the next run.
  const key = ({ name, uuid }: NodeInfo) => name ?? uuid;
  return nodes
    .map(toNodeInfo)
    .filter((node) => matches(node, filter))
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function readPortsOf(client: Client, node: string): Promise<PortInfo[]> {
  const { readPorts } = await import("../node/index.ts");
  return (await readPorts(client, node)).map((port) => ({
    uuid: port.uuid,
    address: port.address,
    name: port.name ?? undefined,
    pxeEnabled: port.pxe_enabled,
    physicalNetwork: port.physical_network ?? undefined,
  }));
}

/**
 * One node, by name or UUID, as it is when the program runs; preview and update both ask.
 * Errors: there is no such node, or the connection fails.
 */
export const getNode = (node: string): Promise<NodeInfo> => lookUp(stackSettings(), (client) => readOne(client, node));

/** All nodes that meet the filter, sorted by name. What a program chooses by `provisionState` changes once it has deployed: prefer NodeAllocation. */
export const getNodes = (filter: NodeFilter = {}): Promise<NodeInfo[]> =>
  lookUp(stackSettings(), (client) => readMany(client, filter));

/** The ports of a node, oldest first. */
export const getPorts = (node: string): Promise<PortInfo[]> =>
  lookUp(stackSettings(), (client) => readPortsOf(client, node));

/** As {@link getNode}, with an output as argument or an explicit provider. */
export const getNodeOutput = (node: pulumi.Input<string>, options?: LookupOptions): pulumi.Output<NodeInfo> =>
  pulumi.output(node).apply((name) => lookUpOutput(options, (client) => readOne(client, name)));

/** As {@link getNodes}, with outputs as arguments or an explicit provider. */
export const getNodesOutput = (
  filter: pulumi.Input<NodeFilter> = {},
  options?: LookupOptions,
): pulumi.Output<NodeInfo[]> =>
  pulumi.output(filter).apply((known) => lookUpOutput(options, (client) => readMany(client, known as NodeFilter)));

/** As {@link getPorts}, with an output as argument or an explicit provider. */
export const getPortsOutput = (node: pulumi.Input<string>, options?: LookupOptions): pulumi.Output<PortInfo[]> =>
  pulumi.output(node).apply((name) => lookUpOutput(options, (client) => readPortsOf(client, name)));
