/** What this run has done towards a deployment or a release: one value, changed by `record` alone. */
import type { CleanRetryAction, DeploymentMarker, InState, InstanceInfo, Node, Verb } from "../node/index.ts";
import { isGlanceImage, isStarting } from "../node/index.ts";

import type { DeployWant } from "./want.ts";

export type ActionName =
  | "claim" // PATCH: instance_uuid, instance_info and marker
  | "prepare" // PATCH on a node that is already ours: new instance_info and marker
  | "writeBack" // PATCH: what the machine runs, and its marker
  | "askHistory" // GET history: was it started since it was written down?
  | "validate" // GET validate; refuses before the machine is touched
  | "deploy" // PUT active
  | "rebuild" // PUT rebuild
  | "undeploy" // PUT deleted
  | "unclaim" // PATCH: take claim and marker off
  | "unmark" // PATCH: take the marker off, leave the machine running
  | "protect"
  | "unprotect"
  | "markKeep" // PATCH: say in the marker whether the deployment stays when it leaves the state
  | "revert" // PATCH: put back what `prepare` had written
  | CleanRetryAction;

/** How an active machine gets its new ramdisk. `rebuildWithSource` is for Ironic 39.0, see infoFor. */
export type UpdateMethod = "rebuild" | "rebuildWithSource" | "redeploy" | "none";

/** What a machine booted before this run prepared something else. */
export interface Booted {
  info: InstanceInfo;
  marker: DeploymentMarker | undefined;
}

/** What this run has done so far. Only what was answered, or seen to have happened, stands here. */
export interface Attempt {
  /** A write was sent; its outcome may be unknown. */
  readonly touched: boolean;
  /** Our claim or preparation was accepted in this run, or the PUT for an earlier one was sent. */
  readonly prepared: boolean;
  readonly validated: boolean;
  /** PUTs for what was prepared that were sent, and not surely refused. */
  readonly startsSent: number;
  /** What was prepared was begun: Ironic accepted the PUT, or was seen to act on it. */
  readonly started: boolean;
  /**
   * Whether Ironic remembers a start since the marker, or since the state where there is none. `silent`: it has no such
   * history.
   */
  readonly history: "unasked" | "start" | "none" | "silent";
  /** Undeployments that Ironic accepted. */
  readonly undeploys: number;
  /** Repetitions of a failed cleaning that this run has begun or gone on with. */
  readonly cleanRetries: number;
  /** Rebuilds that the server answered with an error of its own. */
  readonly rebuildErrors: number;
  readonly method: UpdateMethod;
  /** The protection that this stack had set was removed. */
  readonly unprotected: boolean;
  /** The answer to a write showed that others had undeployed the node before it: the claim is to be taken off again. */
  readonly givenBack: boolean;
  /** What `prepare` overwrote, for `revert`. */
  readonly before: Booted | undefined;
}

export const newAttempt = (method: UpdateMethod = "rebuild"): Attempt => ({
  touched: false,
  prepared: false,
  validated: false,
  startsSent: 0,
  started: false,
  history: "unasked",
  undeploys: 0,
  cleanRetries: 0,
  rebuildErrors: 0,
  method,
  unprotected: false,
  givenBack: false,
  before: undefined,
});

export type Event =
  /** An action begins; it may send a write. */
  | { kind: "begun"; action: ActionName }
  /** Ironic accepted a preparation. `marked`: a marker stood there; `pending`: what that one prepared had not been begun. */
  | { kind: "prepared"; stood: Booted | undefined; marked: boolean; pending: boolean }
  /** The answer to a write to a machine of ours shows that nothing of ours was there any more. */
  | { kind: "foundGivenBack" }
  /** Ironic accepted to put back what stood there before. */
  | { kind: "reverted" }
  | { kind: "validated" }
  | { kind: "remembered"; history: "start" | "none" | "silent" }
  /** The PUT that begins what was prepared leaves. */
  | { kind: "startSent" }
  /** That PUT surely was not applied. */
  | { kind: "startRefused" }
  /** Ironic accepted a PUT, or the end of a maintenance. */
  | { kind: "accepted"; verb: Verb | "endMaintenance" }
  | { kind: "observed"; node: InState }
  | { kind: "rebuildFailed" }
  | { kind: "methodChosen"; method: UpdateMethod };

const READS: readonly ActionName[] = ["validate", "askHistory"];

const begun = (attempt: Attempt, action: ActionName): Attempt => ({
  ...attempt,
  touched: attempt.touched || !READS.includes(action),
  unprotected: attempt.unprotected || action === "unprotect",
});

const prepared = (attempt: Attempt, { stood, marked, pending }: Event & { kind: "prepared" }): Attempt => {
  // What an earlier preparation wrote counts as what was there before only once it was begun.
  const ran = marked && !pending && attempt.history !== "none";
  return {
    ...attempt,
    // What is not known cannot be put back.
    before: ran ? stood : (attempt.before ?? stood),
    prepared: true,
    startsSent: 0,
    started: false,
    history: "unasked",
  };
};

const accepted = (attempt: Attempt, verb: Verb | "endMaintenance"): Attempt => {
  switch (verb) {
    case "active":
    case "rebuild":
      return { ...attempt, started: true };
    case "deleted":
      return { ...attempt, undeploys: attempt.undeploys + 1, prepared: false, started: false };
    case "manage":
      return { ...attempt, cleanRetries: attempt.cleanRetries + 1 };
    // Also a run that took over from one that was killed goes on from here, and only once.
    case "provide":
    case "endMaintenance":
      return { ...attempt, cleanRetries: Math.max(1, attempt.cleanRetries) };
  }
};

/** The attempt after `event`. Pure. */
export function record(attempt: Attempt, event: Event): Attempt {
  switch (event.kind) {
    case "begun":
      return begun(attempt, event.action);
    case "prepared":
      return prepared(attempt, event);
    case "foundGivenBack":
      return { ...attempt, givenBack: true };
    case "reverted":
      return { ...attempt, before: undefined };
    case "validated":
      return { ...attempt, validated: true };
    case "remembered":
      return { ...attempt, history: event.history };
    case "startSent":
      // What an earlier run had prepared is from here on what this run tries, whatever becomes of the answer.
      return { ...attempt, prepared: true, startsSent: attempt.startsSent + 1 };
    case "startRefused":
      return { ...attempt, startsSent: attempt.startsSent - 1 };
    case "accepted":
      return accepted(attempt, event.verb);
    case "observed":
      // The answer to the PUT may have been lost, but there it is.
      return attempt.startsSent > 0 && isStarting(event.node) ? { ...attempt, started: true } : attempt;
    case "rebuildFailed":
      return { ...attempt, rebuildErrors: attempt.rebuildErrors + 1 };
    case "methodChosen":
      return { ...attempt, method: event.method };
  }
}

/** Where the attempt of one run is kept: read by decisions, changed by events. */
export interface Journal {
  readonly attempt: Attempt;
  record(event: Event): void;
}

export function openJournal(method?: UpdateMethod): Journal {
  let attempt = newAttempt(method);
  return {
    get attempt() {
      return attempt;
    },
    record: (event) => {
      attempt = record(attempt, event);
    },
  };
}

/** `instance_info` under the current method. */
export function infoFor(want: Pick<DeployWant, "info">, { method }: Pick<Attempt, "method">): InstanceInfo {
  const source = want.info.ramdisk;
  // With image_source set, Ironic 39.0 takes the path around the fault that makes it answer 500 to `rebuild`
  // (ironic/conductor/deployments.py, start_deploy); kernel and ramdisk still decide what is booted.
  return method === "rebuildWithSource" && source ? { ...want.info, image_source: source } : want.info;
}

/**
 * A rebuild with an image_source of Glance makes Ironic forget kernel, ramdisk and ISO, to look them up there again
 * (ironic/conductor/deployments.py, start_deploy). The machine would come back with something else.
 */
export const forgetsBoot = (want: Pick<DeployWant, "info">, method: UpdateMethod): boolean => {
  const { image_source } = infoFor(want, { method });
  return image_source !== undefined && isGlanceImage(image_source);
};

/** After a rebuild that the server could not do: the next method, or none. */
export function nextMethod(node: Node, want: DeployWant, { method }: Pick<Attempt, "method">): UpdateMethod {
  if (method === "rebuild" && want.info.ramdisk && !forgetsBoot(want, "rebuildWithSource")) return "rebuildWithSource";
  return withoutRebuild(node, want);
}

/** Where no rebuild can be done: undeployed only where that cleans nothing, or where the user chose it. */
export function withoutRebuild(
  node: Pick<Node, "automated_clean">,
  want: Pick<DeployWant, "updateStrategy">,
): UpdateMethod {
  return node.automated_clean === false || want.updateStrategy === "redeploy" ? "redeploy" : "none";
}
