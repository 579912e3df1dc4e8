/** The last start of a machine that is known for certain. */
import { deploymentMarker } from "./marker.ts";
import type { Node } from "./node.ts";
import { isRunning } from "./states.ts";

/** Lives in the stack's state. */
export interface Started {
  /** Hash of what was booted. */
  bootHash: string;
  /** `preparedAt` of its marker: another one on the node means that something was prepared since. */
  preparedAt: string | null;
  /** `provision_updated_at` when the machine was seen to run it; `null` where that run was cut off before. */
  at: string | null;
}

/** The start that `node` shows: of what `bootHash` stands for. */
export function startedOf(node: Node, bootHash: string): Started {
  const preparedAt = deploymentMarker(node)?.preparedAt ?? null;
  const at = node.provision_updated_at;
  return { bootHash, preparedAt, at: isRunning(node) && at !== preparedAt ? at : null };
}
