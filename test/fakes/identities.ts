/** Who resources are, in tests: their hidden inputs, and how a mark on a node begins. */
import type { ResourceIdentity } from "../../provider/node/identity.ts";

const identityOf = (type: string, stackId: string, resourceName: string): ResourceIdentity => ({
  stackId,
  resourceId: `ironic:${type}::${resourceName}`,
  resourceName,
});

export const deploymentBy = (stackId: string, name: string) => identityOf("RamdiskDeployment", stackId, name);
export const settingsBy = (stackId: string, name: string) => identityOf("BaremetalNodeConfig", stackId, name);
export const allocationBy = (stackId: string, name: string) => identityOf("NodeAllocation", stackId, name);

export const deploymentMarkBy = (stackId: string, name: string) =>
  ({ version: 1, ...deploymentBy(stackId, name), kind: "deployment" }) as const;
export const settingsMarkBy = (stackId: string, name: string) =>
  ({ version: 1, ...settingsBy(stackId, name) }) as const;
export const allocationMarkBy = (stackId: string, name: string) =>
  ({ version: 1, ...allocationBy(stackId, name) }) as const;
