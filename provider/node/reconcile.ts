/**
 * The one loop behind create, update and delete: observe, decide, act, observe again.
 *
 * It has no HTTP: it is given an object with two methods. If it is not known whether Ironic did what was requested, the
 * request is not repeated: the node is read again, and the next decision is made from what it shows.
 */
import {
  CancelledError,
  type Clock,
  countTries,
  faultRow,
  IronicError,
  inTime,
  isFinal,
  ProblemError,
  pausesMs,
  type Warning,
} from "../core/index.ts";
import { type Decision, nodeLabel, stateAdvice } from "./decision.ts";
import type { Node } from "./node.ts";
import { isHeldByStep, stateName } from "./states.ts";

export interface Observation {
  node: Node;
  /** Everything about the node was just read; acting needs that. Otherwise only the light fields are recent. */
  fresh: boolean;
}

export interface Machine<Action extends string> {
  /** `now` reads the whole node, `next` waits for a tick of the poller. */
  observe(how: "now" | "next", signal: AbortSignal): Promise<Observation>;
  /** Does one thing. The node as Ironic's answer shows it, where the answer shows it. Throws IronicError. */
  act(action: Action, node: Node, signal: AbortSignal): Promise<Node | undefined>;
}

export interface ReconcileOptions<Action extends string> {
  machine: Machine<Action>;
  decide(node: Node): Decision<Action>;
  /** Actions as a person waiting for them reads them. */
  labels: Readonly<Record<Action, string>>;
  clock: Clock;
  random(): number;
  signal: AbortSignal;
  timeoutMs: number;
  /** When that time began to run, on the clock. Default: now. */
  startedAt?: number;
  /** For people: what is being waited for and for how long. */
  onProgress(text: string): void;
  /** Why the node's operation failed, read when a decision asks for it, in the time that is left. */
  cause(node: Node, signal: AbortSignal): Promise<string>;
  /** An action failed in a way that a rule can answer; true when it has (then the loop goes on). */
  onRejected?(action: Action, node: Node, error: IronicError): boolean;
  /** The last error of the poller, without its code. */
  trouble(): string | undefined;
}

/** No operation needs more; a loop that does is a fault of this project, or others keep changing the node. */
const MAX_ACTIONS = 60;

export class TimeoutError extends ProblemError {}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

function describe(node: Node, elapsedMs: number): string {
  const step = node.deploy_step?.step ?? node.clean_step?.step;
  const notes = [
    stateName(node.provision_state),
    ...(step ? [`step ${step}`] : []),
    ...(node.maintenance ? [`in maintenance${node.fault ? ` (${node.fault})` : ""}`] : []),
  ];
  return `${notes.join(", ")}, ${seconds(elapsedMs)}`;
}

export async function reconcile<Action extends string>(
  options: ReconcileOptions<Action>,
): Promise<{ node: Node; warning?: Warning }> {
  const { machine, decide, labels, clock, signal, timeoutMs } = options;
  const startedAt = options.startedAt ?? clock.now();
  const run: Run = { options, startedAt, remainingMs: () => startedAt + timeoutMs - clock.now(), failure: undefined };
  const elapsed = () => seconds(clock.now() - startedAt);
  let seen = await machine.observe("now", signal);
  let pauses = pausesMs();
  /** Of the same action in a row. */
  let tries = countTries();

  for (let actions = 0; ; ) {
    const { node } = seen;
    if (signal.aborted) throw cancelled(node, signal);
    const decision = decide(node);
    if (decision.do === "done") return { node, ...(decision.warning !== undefined && { warning: decision.warning }) };
    if (run.remainingMs() <= 0) throw timedOut(run, node);
    if (decision.do === "wait") {
      options.onProgress(describe(node, clock.now() - startedAt));
      seen = await look(run, "next", seen);
      continue;
    }
    if (!seen.fresh) {
      seen = await look(run, "now", seen);
      continue;
    }
    if (decision.do === "fail") throw await refusal(run, node, decision);
    if (actions >= MAX_ACTIONS) throw gaveUp(node, labels[decision.action]);
    options.onProgress(`${labels[decision.action]}, ${elapsed()}`);
    try {
      const answered = await inRun(run, node, (within) => machine.act(decision.action, node, within));
      // What was refused does not count: a lock or a lack of workers may last, and the deadline ends it.
      actions++;
      pauses = pausesMs();
      tries = countTries();
      run.failure = undefined;
      seen = answered ? { node: answered, fresh: true } : await look(run, "next", seen);
    } catch (error) {
      if (!(error instanceof IronicError)) throw error;
      const handled = options.onRejected?.(decision.action, node, error) === true;
      if (run.failure?.action !== decision.action) tries = countTries();
      if (!tries.allowAfter(error) && !handled) throw error;
      run.failure = { action: decision.action, error };
      options.onProgress(`${labels[decision.action]}: ${faultRow(error.fault).label}, trying again, ${elapsed()}`);
      await pause(run, pauses.next().value, node, error);
      seen = await look(run, "now", seen);
    }
  }
}

/** What the loop's helpers need of it, whatever the actions are. */
type Options = Pick<
  ReconcileOptions<string>,
  "clock" | "random" | "signal" | "timeoutMs" | "onProgress" | "cause" | "trouble"
> & { machine: Pick<Machine<string>, "observe"> };

interface Run {
  options: Options;
  startedAt: number;
  remainingMs(): number;
  failure: { action: string; error: IronicError } | undefined;
}

/** Before another try after `error`: at least as long as the server asks. */
async function pause(run: Run, ms: number, node: Node, { retryAfterMs = 0 }: IronicError): Promise<void> {
  const { clock, random, signal } = run.options;
  if (run.remainingMs() <= 0) throw timedOut(run, node);
  if (retryAfterMs >= run.remainingMs()) throw putOff(run, node, retryAfterMs);
  try {
    await clock.sleep(Math.min(run.remainingMs(), Math.max(retryAfterMs, ms * (0.75 + 0.5 * random()))), signal);
  } catch (error) {
    throw signal.aborted ? cancelled(node, signal) : error;
  }
}

/** Does `work` until the run's deadline or an interruption ends it. */
async function inRun<T>(run: Run, node: Node, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, signal: interrupted } = run.options;
  try {
    return await inTime(Math.max(0, run.remainingMs()), () => timedOut(run, node), clock, interrupted, work);
  } catch (error) {
    throw interrupted.aborted ? cancelled(node, interrupted) : error;
  }
}

/** Reads the node again, for as long as there is time: Ironic may be unreachable for a while. */
async function look(run: Run, how: "now" | "next", last: Observation): Promise<Observation> {
  const { options } = run;
  const pauses = pausesMs();
  for (;;) {
    try {
      return await inRun(run, last.node, (signal) => options.machine.observe(how, signal));
    } catch (error) {
      if (!(error instanceof IronicError) || isFinal(error)) throw error;
      options.onProgress(
        `${faultRow(error.fault).label}, waiting for Ironic, ${seconds(options.clock.now() - run.startedAt)}`,
      );
      await pause(run, pauses.next().value, last.node, error);
    }
  }
}

/** The failure itself is reported also where Ironic does not say in time why. */
async function causeOf(run: Run, node: Node): Promise<string> {
  try {
    return await inRun(run, node, (signal) => run.options.cause(node, signal));
  } catch (error) {
    if (error instanceof TimeoutError) return "Ironic did not say why in the time that was left";
    throw error;
  }
}

async function refusal(
  run: Run,
  node: Node,
  decision: Extract<Decision<never>, { do: "fail" }>,
): Promise<ProblemError> {
  const cause = decision.needsCause ? `: ${await causeOf(run, node)}` : "";
  return new ProblemError({
    code: decision.code,
    problem: `${decision.problem}${cause}`,
    advice: `${decision.advice}.`,
    node: node.uuid,
  });
}

const gaveUp = (node: Node, label: string): ProblemError =>
  new ProblemError({
    code: "node-changed-by-others",
    problem: `Node ${nodeLabel(node)} did not reach the wanted state after ${MAX_ACTIONS} actions; the last was "${label}" in the state "${stateName(node.provision_state)}"`,
    advice: "Somebody else keeps changing the node. Find out who, then run again.",
    node: node.uuid,
  });

const cancelled = (node: Node, signal: AbortSignal): CancelledError =>
  new CancelledError(
    `The run was interrupted while node ${nodeLabel(node)} was "${stateName(node.provision_state)}". Ironic continues, and the next run resumes.`,
    signal.reason,
  );

/** The server asks for a pause that would end after the deadline. */
const putOff = ({ options, remainingMs }: Run, node: Node, retryAfterMs: number): TimeoutError =>
  new TimeoutError({
    code: "wait-timeout",
    problem: `Node ${nodeLabel(node)} is "${stateName(node.provision_state)}", and Ironic asks to wait ${seconds(retryAfterMs)} before the next request, but ${seconds(remainingMs())} of the ${seconds(options.timeoutMs)} are left`,
    advice: "Run again when Ironic has free capacity; the next run resumes.",
    node: node.uuid,
  });

function timedOut({ options, failure }: Run, node: Node): TimeoutError {
  const last = failure?.error.message ?? options.trouble();
  const held = isHeldByStep(node) ? `${stateAdvice(node)}. ` : "";
  const maintenance = node.maintenance ? " and in maintenance, in which Ironic's own timeouts do not run" : "";
  return new TimeoutError({
    code: "wait-timeout",
    problem: `Node ${nodeLabel(node)} is still "${stateName(node.provision_state)}" after ${seconds(options.timeoutMs)}${maintenance}${
      last ? `. The last error was: ${last}` : ""
    }`,
    advice: `${held}The timeout stopped Pulumi waiting; Ironic continues, and the next run resumes. If the machine is slow, set a longer timeoutSeconds (or undeployTimeoutSeconds).`,
    node: node.uuid,
  });
}
