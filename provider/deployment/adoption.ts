/** Adopting a running deployment. */

import {
  bootHashOf,
  bootInfoOf,
  type Claim,
  type Decision,
  type DeploymentMarker,
  deploymentMarkOf,
  fail,
  hidesBoots,
  holderOf,
  infoMatches,
  isRunning,
  markerPatch,
  type Node,
  nodeLabel,
  type PatchOp,
  reconcile,
  saltedDriveHash,
  shows,
  startedOf,
  stateName,
} from "../node/index.ts";
import type { Call, Services } from "../plugin/index.ts";
import type { DeploymentProps } from "./arguments.ts";
import { contentHashOf } from "./drive-value.ts";
import { type Outputs, outputsOf } from "./state.ts";
import { type DeploymentPlan, instanceInfo, instanceToAdopt, keeps } from "./want.ts";

/** Why `node` may not be adopted as `claim`; nothing if it may, or is already. */
function adoptionBar(node: Node, claim: Claim, expected: string | null, props: DeploymentProps): string | undefined {
  const holder = holderOf(node, claim);
  if (holder.kind === "other" && (holder.who !== `instance ${node.instance_uuid}` || node.instance_uuid !== expected))
    return `it is held by ${holder.who}`;
  if (node.instance_uuid !== expected && !(holder.kind === "ours" && holder.marker))
    return `its instance_uuid is ${node.instance_uuid ?? "not set"}, but ${expected ?? "none"} is expected`;
  if (!isRunning(node)) return `it is "${stateName(node.provision_state)}", not active`;
  if (node.maintenance) return "it is in maintenance";
  const info = instanceInfo(props, false);
  if (infoMatches(node, info)) return undefined;
  const actual: Readonly<Record<string, string>> = bootInfoOf(node);
  const wanted: Readonly<Record<string, string>> = info;
  const keys = new Set([...Object.keys(actual), ...Object.keys(wanted)]);
  return `instance_info differs in ${[...keys].filter((key) => !shows(actual[key], wanted[key])).join(", ")}`;
}

/** Adopts a running deployment: only the claim is written. */
export async function adopt(
  found: Node,
  props: DeploymentProps,
  claim: Claim,
  { deadline }: Pick<DeploymentPlan, "deadline">,
  services: Services,
  call: Call,
): Promise<Outputs> {
  const { readings, patches } = await services.connection();
  const { slowHash } = services.run;
  const expected = instanceToAdopt(props) ?? null;
  const { instanceUuid } = claim;
  const sha256 = contentHashOf(props.configDrive);
  const bootHash = await bootHashOf(slowHash, instanceInfo(props, false), instanceUuid);
  const marker: DeploymentMarker = {
    ...deploymentMarkOf(claim, undefined),
    ...(sha256 !== undefined && { driveHash: await saltedDriveHash(slowHash, sha256, instanceUuid) }),
    keep: keeps(props, true),
    // What Ironic hides is taken to be what the program says; only the hash shows when that changes.
    ...(hidesBoots(found) && { bootHash }),
    preparedAt: "adopted",
  };
  const decide = (node: Node): Decision<"adopt"> => {
    const bar = adoptionBar(node, claim, expected, props);
    const advice = "Nothing was written. Correct the program so that it describes what runs there";
    if (bar) return fail("adoption-refused", `Node ${nodeLabel(node)} cannot be adopted: ${bar}`, advice);
    const holder = holderOf(node, claim);
    return holder.kind === "ours" && holder.marker ? { do: "done" } : { do: "act", action: "adopt" };
  };
  const take = (node: Node): PatchOp[] => [
    ...(node.instance_uuid ? [] : [{ op: "add" as const, path: "/instance_uuid", value: instanceUuid }]),
    ...markerPatch(marker),
  ];
  let unused = true;
  const { node } = await reconcile<"adopt">({
    machine: {
      async observe(_how, signal) {
        const node = unused ? found : await readings.read(found.uuid, "read the node", signal);
        unused = false;
        return { node, fresh: true };
      },
      act: (_action, node, signal) => patches.patch(node.uuid, take(node), "adopt the running deployment", signal),
    },
    labels: { adopt: "adopting the running deployment" },
    decide,
    clock: services.clock,
    random: services.random,
    signal: call.signal,
    timeoutMs: deadline.timeoutMs,
    startedAt: deadline.startedAt,
    onProgress: call.progress,
    cause: async () => "",
    trouble: () => undefined,
  });
  services.run.instances.hold(node.uuid, instanceUuid);
  const seen = startedOf(node, bootHash);
  // Where a marker stood there already, whether it was started is for the next update to find out.
  const started = seen.preparedAt === marker.preparedAt ? seen : undefined;
  return outputsOf(node, claim, { driveHash: sha256, started, adopted: true });
}
