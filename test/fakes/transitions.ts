/** How nodes pass from state to state, each in its own time. */
import type { Clock } from "../../provider/core/clock.ts";
import type { Boot, FakeNode } from "./fake-node.ts";

const EPOCH_MS = Date.UTC(2026, 0, 1);

/** Whole seconds, as MySQL keeps them. */
export const stampOf = (atMs: number): string => `${new Date(EPOCH_MS + atMs).toISOString().slice(0, 19)}+00:00`;

export interface Transitions {
  stamp(atMs: number): string;
  enter(fake: FakeNode, state: string, target: string | null, atMs: number, held?: boolean): void;
  startDeploy(fake: FakeNode, by: string, verb: string, drive: unknown): void;
  startClean(fake: FakeNode, atMs: number): void;
  startManualClean(fake: FakeNode): void;
  startUndeploy(fake: FakeNode): void;
}

/** ironic/common/glance_service/service_utils.py, is_glance_image. */
const isGlanceImage = (href: unknown): boolean =>
  typeof href === "string" &&
  (href.startsWith("glance://") || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(href));

export function transitions(clock: Pick<Clock, "now">, cleansByDefault: boolean, resolution: "us" | "s"): Transitions {
  let lastUs = 0;

  // Within one moment stamps still differ, as they do in reality.
  const stamp = (atMs: number): string => {
    lastUs = Math.max(lastUs + 1, Math.round(atMs * 1000));
    const text = new Date(EPOCH_MS + Math.floor(lastUs / 1000)).toISOString();
    return resolution === "s"
      ? `${text.slice(0, 19)}+00:00`
      : `${text.slice(0, 23)}${String(lastUs % 1000).padStart(3, "0")}+00:00`;
  };

  const enter = (fake: FakeNode, state: string, target: string | null, atMs: number, held = false): void => {
    fake.node.provision_state = state;
    // ironic/common/state_machine.py: of all states that this Ironic can be moved to, only this one has a default target.
    fake.node.target_provision_state = target ?? (state === "clean failed" ? "available" : null);
    fake.node.provision_updated_at = stamp(atMs);
    fake.node.reservation = held ? "conductor-1" : null;
  };

  const later = (fake: FakeNode, atMs: number, act: (atMs: number) => void): void => {
    fake.due = { atMs, act: () => act(atMs) };
  };

  const remember = (fake: FakeNode, event_type: string, event: string, severity: string, atMs: number): void => {
    const created_at = new Date(EPOCH_MS + atMs).toISOString().replace("Z", "+00:00");
    fake.history.push({ uuid: `e-${fake.history.length}`, created_at, event_type, event, severity });
  };

  const fails = (fake: FakeNode, event: string, atMs: number): void => {
    remember(fake, "provisioning", event, "ERROR", atMs);
    fake.node.last_error = fake.fate.silent ? null : event;
  };

  function startDeploy(fake: FakeNode, by: string, verb: string, drive: unknown): void {
    const { node, fate } = fake;
    const atMs = clock.now();
    node.last_error = null;
    if (drive !== undefined) node.instance_info.configdrive = drive;
    // What Glance may know better is forgotten (ironic/conductor/deployments.py, start_deploy).
    if (verb === "rebuild" && isGlanceImage(node.instance_info.image_source))
      for (const key of ["kernel", "ramdisk", "boot_iso"]) delete node.instance_info[key];
    if ("image_source" in node.instance_info) node.instance_info.image_type = "partition";
    const boot: Boot = {
      by,
      atMs,
      verb,
      instanceUuid: node.instance_uuid,
      info: { ...node.instance_info },
      drive: node.instance_info.configdrive,
      outcome: "running",
    };
    fake.boots.push(boot);
    remember(fake, "deployment_start", "Starting deployment", "INFO", atMs);
    fake.runs = undefined;
    enter(fake, "deploying", "active", atMs, true);
    const end = (endMs: number): void => {
      node.deploy_step = null;
      if (fate.deployFails > 0) {
        fate.deployFails--;
        boot.outcome = "failed";
        enter(fake, "deploy failed", "active", endMs);
        fails(fake, "image not found", endMs);
      } else {
        boot.outcome = "active";
        fake.runs = boot;
        node.power_state = "power on";
        enter(fake, "active", null, endMs);
      }
    };
    node.deploy_step = { step: "deploy" };
    if (!fate.calls) {
      later(fake, atMs + fate.deployMs, end);
      return;
    }
    later(fake, atMs + fate.deployMs / 3, (waitMs) => {
      enter(fake, "wait call-back", "active", waitMs);
      later(fake, atMs + (fate.deployMs * 2) / 3, (goesOnMs) => {
        enter(fake, "deploying", "active", goesOnMs, true);
        later(fake, atMs + fate.deployMs, end);
      });
    });
  }

  /** `target`: what it was to be after an automated or a manual cleaning. */
  const failClean = (fake: FakeNode, target: string, atMs: number, text: string, own: boolean): void => {
    enter(fake, "clean failed", target, atMs);
    fails(fake, text, atMs);
    if (!own) return;
    fake.node.maintenance = true;
    fake.node.fault = "clean failure";
    fake.node.maintenance_reason ??= text;
  };

  /** One that an operator began, and that fails: of those that end well nothing is left to be seen. */
  function startManualClean(fake: FakeNode): void {
    enter(fake, "cleaning", "manageable", clock.now(), true);
    later(fake, clock.now() + fake.fate.cleanMs, (atMs) =>
      failClean(fake, "manageable", atMs, "update_firmware failed", true),
    );
  }

  function startClean(fake: FakeNode, atMs: number): void {
    const { node, fate } = fake;
    enter(fake, "cleaning", "available", atMs, true);
    const fail = (failMs: number, text: string, own: boolean) => failClean(fake, "available", failMs, text, own);
    if (!(node.automated_clean ?? cleansByDefault)) {
      enter(fake, "available", null, atMs);
      return;
    }
    if (node.maintenance) {
      fail(atMs, "Cleaning a node in maintenance mode is not allowed", false);
      return;
    }
    fake.cleanings.push({ by: fake.verbBy, atMs });
    node.clean_step = { step: "erase_devices" };
    const end = (endMs: number): void => {
      node.clean_step = null;
      if (fate.cleanFails > 0) {
        fate.cleanFails--;
        fail(endMs, "erase_devices failed", true);
      } else enter(fake, node.retired ? "manageable" : "available", null, endMs);
    };
    if (!fate.calls) {
      later(fake, atMs + fate.cleanMs, end);
      return;
    }
    later(fake, atMs + fate.cleanMs / 3, (waitMs) => {
      enter(fake, "clean wait", "available", waitMs);
      later(fake, atMs + (fate.cleanMs * 2) / 3, (goesOnMs) => {
        enter(fake, "cleaning", "available", goesOnMs, true);
        later(fake, atMs + fate.cleanMs, end);
      });
    });
  }

  function startUndeploy(fake: FakeNode): void {
    const { node, fate } = fake;
    node.last_error = null;
    enter(fake, "deleting", "available", clock.now(), true);
    later(fake, clock.now() + fate.undeployMs, (atMs) => {
      node.instance_info = {};
      node.instance_uuid = null;
      node.allocation_uuid = null;
      if (fate.undeployFails > 0) {
        fate.undeployFails--;
        enter(fake, "error", "available", atMs);
        fails(fake, "Failed to tear down: no answer of the management controller", atMs);
        return;
      }
      fake.runs = undefined;
      node.power_state = "power off";
      startClean(fake, atMs);
    });
  }

  return { stamp, enter, startDeploy, startClean, startManualClean, startUndeploy };
}
