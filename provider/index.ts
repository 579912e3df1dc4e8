/** pulumi-ironic: ephemeral workloads on bare metal as code. */
export { NodeAllocation, type NodeAllocationArgs } from "./allocation.ts";
export { ConfigDrive, type ConfigDriveArgs } from "./config-drive.ts";
export { RamdiskDeployment, type RamdiskDeploymentArgs, type ReadinessArgs } from "./deployment.ts";
export { type FleetMachine, type FleetSettings, RamdiskFleet, type RamdiskFleetArgs } from "./fleet.ts";
export {
  getNode,
  getNodeOutput,
  getNodes,
  getNodesOutput,
  getPorts,
  getPortsOutput,
  type LookupOptions,
  type NodeFilter,
  type NodeInfo,
  type PortInfo,
} from "./lookups.ts";
export { BaremetalNodeConfig, type BaremetalNodeConfigArgs } from "./node-config.ts";
export { Provider, type ProviderArgs } from "./provider.ts";
