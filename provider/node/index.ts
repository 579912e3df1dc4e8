/** A node of Ironic: its states, marks, and the loop that brings it where it is wanted. */

export {
  type Allocation,
  allocationMarkSchema,
  allocationPage,
  allocationSchema,
  type ListedAllocation,
  listedAllocationSchema,
} from "./allocation-schema.ts";
export { claimPatch, handOverPatch, markerPatch, unclaimPatch } from "./claim-patches.ts";
export {
  awaitsCleaning,
  CLEAN_RETRY_ACTIONS,
  CLEAN_RETRY_LABELS,
  type CleanRetryAction,
  nextCleanRetry,
  retryCleaning,
} from "./clean-retry.ts";
export {
  type Decision,
  fail,
  failed,
  heldByOther,
  inMaintenance,
  nodeLabel,
  stateAdvice,
  unknownState,
  wait,
} from "./decision.ts";
export { holderOf, isAllocated, isTaken } from "./holder.ts";
export { bootsOf, hidesBoots, type InstanceInfo, infoMatches, infoOf, isMasked, shows } from "./instance-info.ts";
export {
  type Claim,
  CONFIG_MARKER,
  type ConfigMarker,
  configMarker,
  DEPLOYMENT_MARKER,
  type DeploymentMarker,
  deploymentMarker,
  driveFingerprint,
  instanceUuidFor,
  type Started,
  startedOf,
} from "./marker.ts";
export {
  clearMaintenance,
  failureCause,
  isSameNode,
  type Node,
  type PatchOp,
  type Port,
  patchNode,
  pointer,
  putPowerOn,
  putProvision,
  readNode,
  readPortGroups,
  readPorts,
  recallStart,
  type SurveyedNode,
  validateForDeploy,
} from "./node.ts";
export { fieldsOf, nodeSchema, portSchema, surveyedNodeSchema } from "./node-schema.ts";
export { pollerOf } from "./poller.ts";
export { type Machine, type ReconcileOptions, reconcile, TimeoutError } from "./reconcile.ts";
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
  type StateFacts,
  stateFacts,
  stateName,
  type Verb,
} from "./states.ts";
export { createView, type View } from "./view.ts";
