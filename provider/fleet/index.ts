import * as pulumi from "@pulumi/pulumi";
import { NodeAllocation, type NodeAllocationArgs } from "../allocation/index.ts";
import { ConfigDrive, type ConfigDriveArgs } from "../config-drive/index.ts";
import { type Code, withCode } from "../core/index.ts";
import { RamdiskDeployment, type RamdiskDeploymentArgs } from "../deployment/index.ts";
import { BaremetalNodeConfig, type BaremetalNodeConfigArgs } from "../node-config/index.ts";

/** What a fleet's machines have in common, and what one of them may have of its own. */
export interface FleetSettings {
  /** Settings of the node. `{}` sets the deploy interface only; `false` leaves the node as it is. Default: `{}`. */
  settings?: Omit<BaremetalNodeConfigArgs, "node"> | false;
  /** The config drive; without it there is none. `metaData.hostname` defaults to the machine's name. */
  drive?: Omit<ConfigDriveArgs, "node">;
  /** What is booted and how. */
  deployment?: Omit<RamdiskDeploymentArgs, "node" | "allocation" | "configDrive">;
}

/** One machine: a node by name, or any free node that fits. */
export interface FleetMachine extends FleetSettings {
  /** Name of the machine's resources; default: `node`. Needed with `any`. */
  name?: string;
  /** Name or UUID of the node. */
  node?: pulumi.Input<string>;
  /** Instead of `node`: any free node of this class and these traits. Chosen once those with a `node` have theirs. */
  any?: NodeAllocationArgs;
}

export interface RamdiskFleetArgs extends FleetSettings {
  /** The machines; a string is a node. What a machine says goes before what the fleet says, property by property. */
  machines: (string | FleetMachine)[];
}

/** Deep enough for arguments: a machine's `metaData` adds to the fleet's. Lists and outputs replace as a whole. */
function mergeArguments<T>(below: T | undefined, above: T | undefined): T | undefined {
  const plain = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  if (above === undefined) return below;
  if (!plain(below) || !plain(above)) return above;
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
  return Object.fromEntries([...keys].map((key) => [key, mergeArguments(below[key], above[key])])) as T;
}

/** Many machines from one description. Adding, removing or changing one leaves the others alone. */
export class RamdiskFleet extends pulumi.ComponentResource {
  /** By the machine's name. */
  readonly deployments: Readonly<Record<string, RamdiskDeployment>>;
  readonly nodes: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: RamdiskFleetArgs, options?: pulumi.ComponentResourceOptions) {
    super("pulumi-ironic:index:RamdiskFleet", name, {}, options);
    const machines: Record<string, FleetMachine> = {};
    for (const [index, entry] of args.machines.entries()) {
      const machine: FleetMachine = typeof entry === "string" ? { node: entry } : entry;
      const own = machine.name ?? (typeof machine.node === "string" ? machine.node : undefined);
      const wrong = (code: Code, path: string, reason: string) =>
        new pulumi.ResourceError(withCode(`machines[${index}]${path}: ${reason}`, code), this, true);
      if (machine.node !== undefined && machine.any !== undefined)
        throw wrong("argument-conflict", ".any", "conflicts with node: set only one");
      if (machine.node === undefined && machine.any === undefined)
        throw wrong("argument-missing", "", "set node or any, and a name if node is not a plain text");
      if (own === undefined) throw wrong("argument-missing", ".name", "is missing; set it if node is not a plain text");
      if (Object.hasOwn(machines, own))
        throw wrong("argument-invalid", "", `another machine has the name ${own} already; set name`);
      machines[own] = machine;
    }
    const deployments: Record<string, RamdiskDeployment> = {};
    const deploy = (own: string, machine: FleetMachine, dependsOn: RamdiskDeployment[]) => {
      deployments[own] = this.deploy(`${name}-${own}`, own, machine, args, dependsOn);
    };
    // Any free node, but for those that this fleet names: they are free, too, until they are claimed.
    const all = Object.entries(machines);
    for (const [own, machine] of all) if (!machine.any) deploy(own, machine, []);
    const named = Object.values(deployments);
    for (const [own, machine] of all) if (machine.any) deploy(own, machine, named);
    this.deployments = deployments;
    this.nodes = pulumi.output(
      Object.fromEntries(Object.entries(deployments).map(([key, { nodeUuid }]) => [key, nodeUuid])),
    );
    this.registerOutputs({ nodes: this.nodes });
  }

  private deploy(
    name: string,
    hostname: string,
    machine: FleetMachine,
    fleet: FleetSettings,
    dependsOn: RamdiskDeployment[],
  ): RamdiskDeployment {
    const options = { parent: this };
    const allocation = machine.any && new NodeAllocation(name, machine.any, { ...options, dependsOn });
    const found = allocation?.node ?? (machine.node as pulumi.Input<string>);
    const settings = mergeArguments(fleet.settings ?? {}, machine.settings);
    const config =
      settings === false || settings === undefined
        ? undefined
        : new BaremetalNodeConfig(name, { ...settings, node: found }, options);
    const node = config?.node ?? found;
    const described = mergeArguments(fleet.drive, machine.drive);
    const ready = described && (described.image ?? described.directory ?? described.url) !== undefined;
    const args =
      described &&
      (ready ? described : mergeArguments<Omit<ConfigDriveArgs, "node">>({ metaData: { hostname } }, described));
    const drive = args && new ConfigDrive(name, { ...args, node }, options);
    return new RamdiskDeployment(
      name,
      {
        ...mergeArguments(fleet.deployment, machine.deployment),
        node,
        ...(allocation && { allocation: allocation.uuid }),
        ...(drive && { configDrive: drive.content }),
      },
      options,
    );
  }
}
