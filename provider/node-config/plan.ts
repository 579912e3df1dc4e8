/**
 * What the BaremetalNodeConfigs of the running program want of their nodes, so that a RamdiskDeployment of the same
 * program can be judged by it at preview and waits for it at update, even when the user wrote the node's name in both
 * and the engine runs them side by side. Lives in the provider process; says nothing about other programs.
 */
import type { Clock } from "../core/index.ts";
import { ProblemError } from "../core/index.ts";
import type { Node } from "../node/index.ts";

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

export interface Waiting {
  clock: Clock;
  signal: AbortSignal;
  /** From now until the settings must stand. */
  timeoutMs: number;
}

/**
 * Resolves once the settings that this program has for `node` stand there: with true when the node must be read again.
 * Rejects when they could not be made, or not in time.
 */
export async function awaitSettings(node: Node, waiting: Waiting): Promise<boolean> {
  const { clock, timeoutMs } = waiting;
  const endsAtMs = clock.now() + timeoutMs;
  const unplanned = !planOf(node) && node.deploy_interface !== "ramdisk";
  if (unplanned) await within(Math.min(GRACE_MS, timeoutMs), waiting, planned(node));
  const plan = planOf(node);
  if (!plan || meets(node, plan)) return unplanned;
  if (await within(endsAtMs - clock.now(), waiting, plan.outcome)) return true;
  throw new ProblemError({
    problem: `The settings that this program has for node ${node.name ?? node.uuid} did not come to stand within ${timeoutMs / 1000} s`,
    advice:
      "The deployment was not begun. See its BaremetalNodeConfig; `pulumi up --refresh` sees what others have changed.",
    node: node.uuid,
  });
}

/** True when `outcome` came within the time; rejects as it does, or when the signal aborts. */
async function within(ms: number, { clock, signal }: Waiting, outcome: Promise<void>): Promise<boolean> {
  const over = new AbortController();
  const timer = clock.sleep(ms, AbortSignal.any([signal, over.signal])).then(
    () => false,
    () => signal.throwIfAborted() ?? false,
  );
  try {
    return await Promise.race([outcome.then(() => true), timer]);
  } finally {
    over.abort();
  }
}

const planned = (node: Node): Promise<void> =>
  new Promise((resolve) => {
    const listener = () => {
      if (!planOf(node)) return;
      listeners.delete(listener);
      resolve();
    };
    listeners.add(listener);
  });

/** For tests: forget what other tests planned. */
export function forgetSettings(): void {
  plans.clear();
  listeners.clear();
}
