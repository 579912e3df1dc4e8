/** `powerPolicy: "on"`: switches an active machine on that somebody has switched off, but never in maintenance. */
import { ProblemError } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import {
  inMaintenance,
  type Node,
  nodeLabel,
  putPowerOn,
  type ReconcileOptions,
  reconcile,
  TimeoutError,
  wait,
} from "../node/index.ts";
import type { Call } from "../plugin/index.ts";
import type { DeployMachine } from "./machine.ts";

/** What every loop of one call has in common. */
export type Loop = Omit<ReconcileOptions<string>, "machine" | "decide" | "labels" | "onRejected">;

export async function powerOn(client: Client, machine: DeployMachine, loop: Loop, call: Call): Promise<Node> {
  let asked = false;
  let told = false;
  try {
    const { node } = await reconcile<"powerOn">({
      ...loop,
      labels: { powerOn: "powering on" },
      decide: (node) => {
        if (node.power_state === "power on") return { do: "done" };
        if (asked) return wait("power on");
        // Whoever set it may have their hands in the machine. Ironic itself would power it on.
        return node.maintenance ? inMaintenance(node, ", so it was not powered on") : { do: "act", action: "powerOn" };
      },
      machine: {
        observe: machine.observe,
        async act(_action, node, signal) {
          const was = node.power_state ?? "unknown";
          if (!told)
            call.warn(
              "node-powered-on",
              `Node ${nodeLabel(node)} was in the power state "${was}". It is switched on, because powerPolicy is "on".`,
            );
          told = true;
          await putPowerOn(client, node.uuid, signal);
          asked = true;
          return undefined;
        },
      },
    });
    return node;
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const node = machine.last();
    throw new ProblemError({
      code: "power-on-timeout",
      problem: `Node ${nodeLabel(node)} did not power on within ${loop.timeoutMs / 1000} s`,
      advice: "Check its management controller, then run `pulumi up` again.",
      node: node.uuid,
      cause: error,
    });
  }
}
