/** How a change reaches a running machine, where a rebuild is refused by faults of some versions of Ironic. */
import type { IronicError } from "../core/index.ts";
import { type Node, nodeLabel, shows } from "../node/index.ts";
import type { Call } from "../plugin/index.ts";
import type { ConnectionContext } from "../run/index.ts";
import { forgetsBoot, type Journal, nextMethod, type UpdateMethod, withoutRebuild } from "./attempt.ts";
import type { DeployWant } from "./want.ts";

/** The fault of Ironic 39.0 that a rebuild with image_source avoids: ironic/conductor/deployments.py, start_deploy. */
const KNOWN_FAULT = /auto_lessee/;
/** Other errors of the server's may pass: only after this many is the rebuild taken to be impossible. */
const REBUILD_ERRORS_MAX = 3;

export const firstMethod = ({ serverFaults }: ConnectionContext, node: Node, want: DeployWant): UpdateMethod => {
  const { ramdisk } = want.info;
  if (want.updateStrategy === "redeploy") return "redeploy";
  const isFaulty = serverFaults.has("rebuildWithoutSource") && ramdisk !== undefined;
  const isAvoided = ramdisk !== undefined && shows(node.instance_info.image_source, ramdisk);
  if ((isAvoided || isFaulty) && !forgetsBoot(want, "rebuildWithSource")) return "rebuildWithSource";
  return isFaulty || forgetsBoot(want, "rebuild") ? withoutRebuild(node, want) : "rebuild";
};

/** The server cannot do a rebuild that other versions do: true when there is another method, of which the user is warned. */
export function chooseNextMethod(
  node: Node,
  want: DeployWant,
  journal: Journal,
  error: IronicError,
  { serverFaults }: ConnectionContext,
  call: Call,
): boolean {
  if (error.fault !== "serverError") return false;
  journal.record({ kind: "rebuildFailed" });
  const known = KNOWN_FAULT.test(error.detail);
  if (known) serverFaults.add("rebuildWithoutSource");
  else if (journal.attempt.rebuildErrors < REBUILD_ERRORS_MAX) return false;
  const method = nextMethod(node, want, journal.attempt);
  const said = `Ironic answered ${error.status ?? "an error"} to the rebuild of node ${nodeLabel(node)}: ${error.detail.replace(/\.$/, "")}`;
  if (method === "rebuildWithSource")
    call.warn(
      "rebuild-fallback",
      `${said}. The rebuild is repeated with instance_info.image_source set to the ramdisk, which avoids this fault.`,
    );
  if (method === "redeploy") call.warn("rebuild-fallback", `${said}. The update continues by undeploy and deploy.`);
  journal.record({ kind: "methodChosen", method });
  return true;
}
