/** What a deployment or a release wants, and what this run has done towards it. */
import type { Claim, DeploymentMarker, InstanceInfo, Started } from "../node/index.ts";

export type ActionName =
  | "claim" // PATCH: instance_uuid, instance_info and marker
  | "prepare" // PATCH on a node that is already ours: new instance_info and marker
  | "remark" // PATCH: write back what the machine runs, and its marker
  | "recall" // GET history: was it started since it was written down?
  | "validate" // GET validate; refuses before the machine is touched
  | "deploy" // PUT active
  | "rebuild" // PUT rebuild
  | "undeploy" // PUT deleted
  | "unclaim" // PATCH: take claim and marker off
  | "handOver" // PATCH: take the marker off, leave the machine running
  | "protect"
  | "unprotect"
  | "note" // PATCH: say in the marker whether the deployment stays when it leaves the state
  | "revert" // PATCH: put back what `prepare` had written
  | "noteRecovery"
  | "manage"
  | "provide"
  | "endMaintenance";

/** What one operation has done so far. Only things that were answered, or seen to have happened, stand here. */
export interface Memory {
  /** A write was sent, whatever became of it. */
  touched: boolean;
  /** Our claim or preparation was accepted in this operation. */
  prepared: boolean;
  validated: boolean;
  /** The PUT for what was prepared was sent, and not surely refused. */
  sent: boolean;
  /** What was prepared was begun: Ironic accepted the PUT. */
  started: boolean;
  /** Whether Ironic remembers a start since the marker, or since the state where there is none. `silent`: it keeps no such book. */
  recalled?: "start" | "none" | "silent";
  /** Undeployments that Ironic accepted. */
  undeploys: number;
  recoveries: number;
  /** Rebuilds that the server answered with an error of its own. */
  rebuildErrors: number;
  /** How an active machine gets its new ramdisk. `rebuildWithSource` is for Ironic 39.0, see updateMethod. */
  method: "rebuild" | "rebuildWithSource" | "redeploy" | "none";
  /** The protection that this stack had set was lifted. */
  unprotected?: true;
  /** What `prepare` overwrote, for `revert`. */
  before?: { info: InstanceInfo; marker: DeploymentMarker | undefined };
}

export const freshMemory = (method: Memory["method"] = "rebuild"): Memory => ({
  touched: false,
  prepared: false,
  sent: false,
  validated: false,
  started: false,
  undeploys: 0,
  recoveries: 0,
  rebuildErrors: 0,
  method,
});

export interface DeployWant {
  claim: Claim;
  info: InstanceInfo;
  /** Fingerprint of the config drive, if there is one. */
  drive: string | undefined;
  /** The last start that the state knows, if that was of what is wanted. */
  last: Started | undefined;
  protected: boolean;
  /** It is to stay on the machine when it leaves the state. */
  keep: boolean;
  updateStrategy: "rebuild" | "redeploy";
}

export interface ReleaseWant {
  claim: Claim;
  keep: boolean;
}
