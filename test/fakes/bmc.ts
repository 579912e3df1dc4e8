/** A management controller that dies, and comes back: what Ironic's power synchronisation makes of it. */
import type { Deed } from "./operator-actions.ts";

/** ironic/common/faults.py */
const FAULT = "power failure";

export const BMC_DEEDS = {
  dieBmc: (_ironic, { node, fate }) => {
    Object.assign(fate, { deployFails: Infinity, undeployFails: Infinity, cleanFails: Infinity });
    // ironic/conductor/utils.py, node_power_action and manager.py, handle_sync_power_state_max_retries_exceeded
    if (node.maintenance) return;
    const reason = "During sync_power_state, max retries exceeded for node";
    Object.assign(node, { maintenance: true, maintenance_reason: reason, fault: FAULT });
  },
  returnBmc: (_ironic, { node, fate }) => {
    Object.assign(fate, { deployFails: 0, undeployFails: 0, cleanFails: 0 });
    if (node.fault === FAULT) Object.assign(node, { maintenance: false, maintenance_reason: null, fault: null });
  },
} satisfies Record<string, Deed>;
