/** Nodes as decisions see them: one claim, and every way in which a node can be held. */

import type { Claim } from "../../provider/node/identity.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node } from "../../provider/node/node.ts";
import { newNode } from "./fake-node.ts";
import { deploymentBy, deploymentMarkBy, settingsMarkBy } from "./identities.ts";

export const CLAIM: Claim = {
  ...deploymentBy("stack-1", "worker"),
  instanceUuid: "aaaaaaaa-0000-8000-8000-000000000001",
};
/** How the marker of that claim begins. */
export const MARK = { version: 1, kind: "deployment", ...CLAIM } as const;
export const OTHER_INSTANCE = "bbbbbbbb-0000-4000-8000-000000000002";
/** When the node entered the state it is in, and some moment before. */
export const NOW = "2026-01-01T00:10:00.000000+00:00";
export const BEFORE = "2026-01-01T00:05:00.000000+00:00";
export const INFO = { kernel: "http://images/a.kernel", ramdisk: "http://images/a.initramfs" };

export type Held =
  | "free"
  /** Started: the state changed after the marker was written. */
  | "ours"
  /** The marker is younger than the state: what it describes has not been started. */
  | "prepared"
  | "unmarked"
  | "marked"
  | "other instance"
  | "other marker"
  | "other config marker"
  | "unreadable marker"
  | "own instance, other marker";

const marker = { ...MARK, preparedAt: BEFORE };
const foreign = { ...deploymentMarkBy("stack-2", "theirs"), instanceUuid: OTHER_INSTANCE, preparedAt: BEFORE };

const HELD: Readonly<Record<Held, Partial<Node>>> = {
  free: {},
  ours: { instance_uuid: CLAIM.instanceUuid, extra: { [DEPLOYMENT_MARKER]: marker }, instance_info: INFO },
  prepared: {
    instance_uuid: CLAIM.instanceUuid,
    extra: { [DEPLOYMENT_MARKER]: { ...marker, preparedAt: NOW } },
    instance_info: INFO,
  },
  unmarked: { instance_uuid: CLAIM.instanceUuid, instance_info: INFO },
  marked: { extra: { [DEPLOYMENT_MARKER]: marker } },
  "other instance": { instance_uuid: OTHER_INSTANCE },
  "other marker": { extra: { [DEPLOYMENT_MARKER]: foreign } },
  "other config marker": {
    extra: { [CONFIG_MARKER]: { ...settingsMarkBy("stack-2", "theirs"), previous: {}, written: {} } },
  },
  "unreadable marker": { extra: { [DEPLOYMENT_MARKER]: "?" } },
  "own instance, other marker": { instance_uuid: CLAIM.instanceUuid, extra: { [DEPLOYMENT_MARKER]: foreign } },
};

export const STRANGERS: readonly Held[] = [
  "other instance",
  "other marker",
  "other config marker",
  "unreadable marker",
  "own instance, other marker",
];

export const nodeIn = (state: string | null, held: Held, fields: Partial<Node> = {}): Node => {
  // A failed cleaning leaves its target and its cause (ironic/conductor/utils.py, cleaning_error_handler).
  const failure = { target_provision_state: "available", last_error: "agent" };
  const node = newNode(1, NOW, {
    provision_state: state,
    ...(state === "clean failed" && failure),
    ...structuredClone(HELD[held]),
  });
  return { ...node, ...fields };
};
