/**
 * What the BaremetalNodeConfigs of the running program want of their nodes, so that a RamdiskDeployment of the same
 * program can be judged by it at preview and waits for it at update, even when the user wrote the node's name in both
 * and the engine runs them side by side. Lives in the provider process; says nothing about other programs.
 */
import type { Node } from "./node.ts";

export interface PlannedSettings {
  /** As the program wrote it: name or UUID. */
  node: string;
  bootInterface?: string | undefined;
  deployInterface?: string | undefined;
  automatedCleaning?: boolean | undefined;
  /** A value is not known before the update. */
  uncertain: boolean;
}

interface Plan extends PlannedSettings {
  outcome: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

const plans = new Map<string, Plan>();
const listeners = new Set<() => void>();

export function planSettings(settings: PlannedSettings): void {
  if (plans.has(settings.node)) {
    Object.assign(plans.get(settings.node) as Plan, settings);
    return;
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined);
  plans.set(settings.node, { ...settings, outcome: promise, resolve, reject });
  for (const listener of listeners) listener();
}

const planOf = (node: Pick<Node, "uuid" | "name">): Plan | undefined =>
  plans.get(node.uuid) ?? (node.name ? plans.get(node.name) : undefined);

export const plannedSettings = (node: Pick<Node, "uuid" | "name">): PlannedSettings | undefined => planOf(node);

/** The settings stand on the node, or cannot be made to. */
export function settleSettings(node: string, error?: Error): void {
  const plan = plans.get(node);
  if (error) plan?.reject(error);
  else plan?.resolve();
}

const meets = (node: Node, plan: PlannedSettings): boolean =>
  (plan.bootInterface === undefined || node.boot_interface === plan.bootInterface) &&
  (plan.deployInterface === undefined || node.deploy_interface === plan.deployInterface) &&
  (plan.automatedCleaning === undefined || node.automated_clean === plan.automatedCleaning);

/** A program registers its resources within moments; this long a deployment waits for the settings of its node. */
const GRACE_MS = 10_000;

/**
 * Resolves once the settings that this program has for `node` stand there: with true when the node must be read again.
 * Rejects when they could not be made.
 */
export async function awaitSettings(node: Node, signal: AbortSignal): Promise<boolean> {
  if (!planOf(node) && node.deploy_interface !== "ramdisk") await planned(node, signal);
  const plan = planOf(node);
  if (!plan || meets(node, plan)) return false;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([plan.outcome, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return true;
}

function planned(node: Node, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      listeners.delete(listener);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const listener = () => {
      if (planOf(node)) done();
    };
    const timer = setTimeout(done, GRACE_MS);
    listeners.add(listener);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** For tests: forget what other tests planned. */
export const forgetSettings = (): void => plans.clear();
