/** pulumi-ironic: ephemeral workloads on bare metal as code. */
export { NodeAllocation, type NodeAllocationArgs } from "./allocation/index.ts";
export { ConfigDrive, type ConfigDriveArgs } from "./config-drive/index.ts";
export { RamdiskDeployment, type RamdiskDeploymentArgs, type ReadinessArgs } from "./deployment/index.ts";
export { type FleetMachine, type FleetSettings, RamdiskFleet, type RamdiskFleetArgs } from "./fleet/index.ts";
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
} from "./lookups/index.ts";
export { BaremetalNodeConfig, type BaremetalNodeConfigArgs } from "./node-config/index.ts";
export { Provider, type ProviderArgs } from "./stack/index.ts";
