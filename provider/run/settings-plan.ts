/**
 * What the BaremetalNodeConfigs of the running program want of their nodes, so that a RamdiskDeployment of the same
 * program can be judged by it at preview and waits for it at update, even when the user wrote the node's name in both
 * and the engine runs them side by side. Kept in the provider process; other programs are not covered.
 */
import type { Clock } from "../core/index.ts";
import { ProblemError } from "../core/index.ts";
import type { Node } from "../node/index.ts";

export interface PlannedSettings {
  /** As the program wrote it: name or UUID. */
  node: string;
  /** The logical name of the resource, for messages. */
  resourceName?: string | undefined;
  bootInterface?: string | undefined;
  deployInterface?: string | undefined;
  automatedCleaning?: boolean | undefined;
  /** A value is not known before the update. */
  uncertain: boolean;
}

interface Plan extends PlannedSettings {
  /** The engine has come to its diff, create or update. */
  begun: boolean;
  outcome: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

type NodeKey = Pick<Node, "uuid" | "name">;

const meets = (node: Node, plan: PlannedSettings): boolean =>
  (plan.bootInterface === undefined || node.boot_interface === plan.bootInterface) &&
  (plan.deployInterface === undefined || node.deploy_interface === plan.deployInterface) &&
  (plan.automatedCleaning === undefined || node.automated_clean === plan.automatedCleaning);

/** A program registers its resources within moments; this long a deployment waits for the settings of its node. */
const GRACE_MS = 10_000;
/**
 * From the check of a resource to its diff or create takes the engine moments, longer only where others are in its way. Settings
 * that do not begin while no others of the run get on are not part of it: `--target` leaves them out after their check.
 */
const BEGIN_MS = 60_000;

interface Waiting {
  clock: Clock;
  signal: AbortSignal;
  /** From now until the settings must stand. */
  timeoutMs: number;
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

export interface SettingsPlan {
  add(settings: PlannedSettings): void;
  of(node: NodeKey): PlannedSettings | undefined;
  /** The engine has come to the resource: it is part of this run. */
  begin(node: string): void;
  /** The settings stand on the node, or cannot be made to. */
  settle(node: string, error?: Error): void;
  /**
   * Resolves once the settings that this program has for `node` stand there: with true when the node must be read again.
   * Rejects when they could not be made, or not in time.
   */
  whenSettled(node: Node, waiting: Waiting): Promise<boolean>;
}

const late = (node: Node, timeoutMs: number): ProblemError =>
  new ProblemError({
    code: "settings-not-ready",
    problem: `The settings that this program has for node ${node.name ?? node.uuid} were not in place within ${timeoutMs / 1000} s`,
    advice:
      "The deployment was not begun. See its BaremetalNodeConfig; `pulumi up --refresh` notices what others have changed.",
    node: node.uuid,
  });

const leftOut = (node: Node, { resourceName }: PlannedSettings): ProblemError =>
  new ProblemError({
    code: "settings-not-ready",
    problem: `The settings that this program has for node ${node.name ?? node.uuid} do not stand there, and ${resourceName === undefined ? "their BaremetalNodeConfig" : `the BaremetalNodeConfig "${resourceName}"`} does not begin to make them: it seems not to be part of this run`,
    advice:
      "The deployment was not begun. With `pulumi up --target`, name the BaremetalNodeConfig as a target too, or name it alone with --target-dependents.",
    node: node.uuid,
  });

export function createSettingsPlan(): SettingsPlan {
  const plans = new Map<string, Plan>();
  const listeners = new Set<() => void>();
  /** Counts what settings of this run have done. */
  let steps = 0;
  const planOf = ({ uuid, name }: NodeKey): Plan | undefined => plans.get(uuid) ?? (name ? plans.get(name) : undefined);
  const planned = (node: Node): Promise<void> =>
    new Promise((resolve) => {
      const listener = () => {
        if (!planOf(node)) return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });

  return {
    of: planOf,
    add: (settings) => {
      steps++;
      const known = plans.get(settings.node);
      if (known) {
        Object.assign(known, settings);
        return;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      promise.catch(() => undefined);
      plans.set(settings.node, { ...settings, begun: false, outcome: promise, resolve, reject });
      for (const listener of listeners) listener();
    },
    begin: (node) => {
      steps++;
      const plan = plans.get(node);
      if (plan) plan.begun = true;
    },
    settle: (node, error) => {
      steps++;
      const plan = plans.get(node);
      if (error) plan?.reject(error);
      else plan?.resolve();
    },
    whenSettled: async (node, waiting) => {
      const { clock, timeoutMs } = waiting;
      const endsAtMs = clock.now() + timeoutMs;
      const unplanned = !planOf(node) && node.deploy_interface !== "ramdisk";
      if (unplanned) await within(Math.min(GRACE_MS, timeoutMs), waiting, planned(node));
      const plan = planOf(node);
      if (!plan || meets(node, plan)) return unplanned;
      for (;;) {
        const before = steps;
        const leftMs = endsAtMs - clock.now();
        const patienceMs = plan.begun ? leftMs : Math.min(leftMs, BEGIN_MS);
        if (await within(patienceMs, waiting, plan.outcome)) return true;
        if (clock.now() >= endsAtMs) throw late(node, timeoutMs);
        if (!plan.begun && steps === before) throw leftOut(node, plan);
      }
    },
  };
}
