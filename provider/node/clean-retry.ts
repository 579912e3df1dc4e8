/**
 * A cleaning that failed, and its one repetition: what is decided, what is written on the node, and what is done. `manage`
 * brings the node back, the end of the maintenance that the failure set makes it usable, and `provide` cleans again.
 *
 * It is noted on the node first, as a run that is killed on the way leaves a node that looks like an operator's. Many may write
 * such a note: it counts only where Ironic itself tells of a failure.
 */
import { markerPatch } from "./claim-patches.ts";
import { type Decision, fail, failed, nodeLabel, stateAdvice } from "./decision.ts";
import type { Claim } from "./identity.ts";
import { DEPLOYMENT_MARKER, deploymentMarker, deploymentMarkOf } from "./marker.ts";
import type { Node, PatchOp, SurveyedNode } from "./node.ts";
import { hasCleanFailed, isManageable, type Verb } from "./states.ts";

export type CleanRetryAction =
  | "noteCleanRetry" // PATCH: say in the marker that the cleaning is repeated
  | "manage"
  | "provide"
  | "endMaintenance";

export const CLEAN_RETRY_LABELS: Readonly<Record<CleanRetryAction, string>> = {
  noteCleanRetry: "saving that the cleaning is repeated",
  manage: "making the node manageable after its failed cleaning",
  provide: "cleaning the node again",
  endMaintenance: "ending the maintenance of the failed cleaning",
};

/**
 * Is the maintenance that of the failed cleaning? Ironic writes its fault over a maintenance that was there already, but
 * leaves its reason (ironic/conductor/utils.py, cleaning_error_handler).
 */
const isOfFailure = ({ maintenance, fault, maintenance_reason, last_error }: SurveyedNode): boolean =>
  maintenance && fault === "clean failure" && (!maintenance_reason || maintenance_reason === last_error);

/** A person, or a fault of another kind, has taken the node out of use: nothing is to boot it. */
export const isOthersMaintenance = (node: SurveyedNode): boolean => node.maintenance && !isOfFailure(node);

const othersMaintenance = (node: SurveyedNode): Decision<never> =>
  fail(
    "cleaning-blocked",
    `Cleaning of node ${nodeLabel(node)} failed and cannot be repeated, because the node is in maintenance that somebody else set`,
    "When the maintenance has ended, run the command again",
  );

/** Ironic refuses `provide` on a retired node (ironic/conductor/manager.py, do_provisioning_action). */
const retiredUncleaned = (node: SurveyedNode): Decision<never> =>
  failed(
    "cleaning-blocked",
    `Cleaning of node ${nodeLabel(node)} failed and cannot be repeated, because the node is retired`,
    `Remove the cause, then \`baremetal node unset ${node.name ?? node.uuid} --retired\`, and run the command again. To leave the node uncleaned: first \`baremetal node ${
      isManageable(node)
        ? `unset ${node.name ?? node.uuid} --extra ${DEPLOYMENT_MARKER}`
        : `manage ${node.name ?? node.uuid}`
    }\``,
  );

const act = (action: CleanRetryAction): Decision<CleanRetryAction> => ({ do: "act", action });

/** Did the last thing that Ironic did with the node fail? `manage` leaves the error there. */
const tellsOfFailure = ({ last_error, fault }: SurveyedNode): boolean =>
  Boolean(last_error) || fault === "clean failure";

/**
 * Did the cleaning fail that follows an undeployment? One that an operator asked for (`baremetal node clean`) would have
 * ended in "manageable" (ironic/conductor/utils.py, cleaning_error_handler).
 */
const hasAutomatedCleanFailed = (node: SurveyedNode): boolean =>
  hasCleanFailed(node) && node.target_provision_state === "available";

/** Is the repetition noted here? Not where an operator made the node manageable since. */
export const isCleanRetryNoted = (node: SurveyedNode): boolean => {
  const { cleanRetry } = deploymentMarker(node) ?? {};
  const isNoted = cleanRetry === true || (cleanRetry !== undefined && cleanRetry === node.provision_updated_at);
  return isNoted && tellsOfFailure(node);
};

/** In "clean failed". */
function retryCleaning(node: SurveyedNode, retries: number): Decision<CleanRetryAction> {
  if (retries > 0)
    return failed("cleaning-failed", `Cleaning of node ${nodeLabel(node)} failed again`, stateAdvice(node));
  if (isOthersMaintenance(node)) return othersMaintenance(node);
  if (node.retired) return retiredUncleaned(node);
  const marker = deploymentMarker(node);
  return act(marker && marker.cleanRetry !== true ? "noteCleanRetry" : "manage");
}

/** The next step of the repetition, if one is due; `retries` are those that this run has begun. */
export function nextCleanRetry(node: SurveyedNode, retries: number): Decision<CleanRetryAction> | undefined {
  if (hasAutomatedCleanFailed(node)) return retryCleaning(node, retries);
  if (!isManageable(node)) return undefined;
  const noted = deploymentMarker(node)?.cleanRetry;
  // Without a note a retired node may be there because it was cleaned.
  if (noted === undefined ? retries === 0 || node.retired : !isCleanRetryNoted(node)) return undefined;
  if (noted === true) return act("noteCleanRetry");
  if (node.retired) return retiredUncleaned(node);
  if (isOfFailure(node)) return act("endMaintenance");
  return node.maintenance ? othersMaintenance(node) : act("provide");
}

/** Would a run of the stack bring the node back from a failed cleaning by itself? */
export const comesBackFromFailedCleaning = (node: SurveyedNode): boolean => {
  const next = nextCleanRetry(node, 0);
  return next !== undefined && next.do !== "fail";
};

/** What the steps need from their caller. */
export interface CleanRetryContext {
  node: Node;
  claim: Claim;
  patch(operations: PatchOp[], operation: string): Promise<Node>;
  put(target: Verb, operation: string): Promise<undefined>;
  clearMaintenance(): Promise<unknown>;
  /** Ironic accepted a step; also a run that took over from one that was killed goes on only once. */
  accepted(step: "manage" | "provide" | "endMaintenance"): void;
}

export const CLEAN_RETRY_ACTIONS: Readonly<
  Record<CleanRetryAction, (context: CleanRetryContext) => Promise<Node | undefined>>
> = {
  noteCleanRetry: ({ node, claim, patch }) =>
    patch(
      markerPatch({
        ...deploymentMarkOf(claim, undefined),
        preparedAt: null,
        ...deploymentMarker(node),
        cleanRetry: (isManageable(node) && node.provision_updated_at) || true,
      }),
      "save on the node that the failed cleaning is repeated",
    ),
  manage: async ({ put, accepted }) => {
    await put("manage", "make the node manageable after its failed cleaning");
    accepted("manage");
    return undefined;
  },
  provide: async ({ put, accepted }) => {
    await put("provide", "clean the node and make it available");
    accepted("provide");
    return undefined;
  },
  endMaintenance: async ({ clearMaintenance, accepted }) => {
    await clearMaintenance();
    accepted("endMaintenance");
    return undefined;
  },
};
