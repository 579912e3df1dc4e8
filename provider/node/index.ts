/** A node of Ironic: its states, marks, and the loop that brings it into the wanted state. */

export {
  type Allocation,
  allocationMarkSchema,
  allocationPage,
  allocationSchema,
  type ListedAllocation,
  listedAllocationSchema,
  markedAllocationSchema,
} from "./allocation-schema.ts";
export { claimPatch, markerPatch, unclaimPatch, unmarkPatch } from "./claim-patches.ts";
export {
  CLEAN_RETRY_ACTIONS,
  CLEAN_RETRY_LABELS,
  type CleanRetryAction,
  comesBackFromFailedCleaning,
  isOthersMaintenance,
  nextCleanRetry,
} from "./clean-retry.ts";
export {
  type Decision,
  fail,
  failed,
  heldByOther,
  heldCode,
  heldMeanwhile,
  inMaintenance,
  nodeLabel,
  stateAdvice,
  unknownState,
  wait,
} from "./decision.ts";
export { type GivenBack, leftThere, nothingToRelease, RELEASED } from "./given-back.ts";
export {
  deploymentLabel,
  holderOf,
  holderToRelease,
  isAllocated,
  isTaken,
  namesake,
  type OtherHolder,
  otherHolder,
  unknownHolder,
} from "./holder.ts";
export {
  allocationUuidFor,
  type Claim,
  type Claimant,
  identityOf,
  instanceUuidFor,
  isOfNamesake,
  namesakeAdvice,
  type ResourceIdentity,
  siblingId,
  stackLabel,
} from "./identity.ts";
export {
  BOOT_KEYS,
  type BootField,
  bootInfoOf,
  hidesBoots,
  type InstanceInfo,
  infoDifferences,
  infoMatches,
  isGlanceImage,
  isMasked,
  shows,
} from "./instance-info.ts";
export { createInventory, type EnabledInterfaces, type Inventory, type NodeInventory } from "./inventory.ts";
export {
  CONFIG_MARKER,
  type ConfigMarker,
  configMarker,
  DEPLOYMENT_MARKER,
  type DeploymentMarker,
  deploymentMarker,
  deploymentMarkOf,
  identityMark,
  markOf,
} from "./marker.ts";
export {
  clearMaintenance,
  failureCause,
  isSameNode,
  type Node,
  type PatchOp,
  pointer,
  putPowerOn,
  putProvision,
  readNode,
  readPortGroups,
  readPorts,
  type SurveyedNode,
  startSince,
  validateForDeploy,
} from "./node.ts";
export { fieldsOf, nodeSchema } from "./node-schema.ts";
export { createPatchQueue, type PatchQueue } from "./patch-queue.ts";
export { createPoller, type Poller } from "./poller.ts";
export { isProtectedBy, protectionReason } from "./protection.ts";
export { createReadings, REREAD_MS, type Readings } from "./readings.ts";
export { PATIENCE_MS } from "./recency.ts";
export { type Machine, type ReconcileOptions, reconcile, TimeoutError } from "./reconcile.ts";
export { bootHashOf, saltedDriveHash } from "./slow-hash.ts";
export { type Started, startedOf } from "./started.ts";
export {
  hasFailed,
  hasUndeployFailed,
  type InState,
  isHeldByStep,
  isPassing,
  isRunning,
  isSettled,
  isStarting,
  isUndeployable,
  isVacant,
  mayBeDeployed,
  mayBePatched,
  mayBeUndeployed,
  mayChangeInterfaces,
  type StateRow,
  stateName,
  stateRow,
  type Verb,
} from "./states.ts";
export { createView } from "./view.ts";
