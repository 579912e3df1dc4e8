/** What the tests of the loop begin with: a machine that does what the test says. */
import { expect } from "chai";
import { IronicError } from "../../provider/core/errors.ts";
import type { Fault } from "../../provider/core/faults.ts";
import { type Decision, wait } from "../../provider/node/decision.ts";
import type { Node } from "../../provider/node/node.ts";
import { type Machine, type Observation, type ReconcileOptions, reconcile } from "../../provider/node/reconcile.ts";
import { virtualClock } from "../fakes/clock.ts";
import { nodeIn } from "../fakes/nodes.ts";

export type Action = "claim" | "deploy" | "undeploy";
interface Done {
  done: string[];
}
export const TIMEOUT_MS = 600_000;
export const POLL_MS = 1_000;

export const answered = (fault: Fault, retryAfterMs?: number): IronicError =>
  new IronicError({ fault, operation: "do x", request: "PUT /v1/x", detail: `it is ${fault}`, retryAfterMs });

/** A machine that answers what the test says, and writes down what it was asked. */
export function scene(
  decide: (node: Node, mind: Done) => Decision<Action>,
  more: Partial<ReconcileOptions<Action>> = {},
) {
  const clock = virtualClock();
  const controller = new AbortController();
  const log: string[] = [];
  const progress: string[] = [];
  let node = nodeIn("available", "free");
  let fresh = false;
  const behaviour = {
    act: async (_action: Action, _node: Node, _mind: Done, _signal: AbortSignal): Promise<Node | undefined> =>
      undefined,
    look: async (_how: "now" | "next", _signal: AbortSignal): Promise<void> => undefined,
  };
  const see = (state: string, fields: Partial<Node> = {}): void => {
    node = nodeIn(state, "free", fields);
  };
  const machine: Machine<Action> = {
    async observe(how, signal): Promise<Observation> {
      log.push(how);
      if (how === "next") await clock.sleep(POLL_MS, signal);
      await behaviour.look(how, signal);
      fresh = how === "now";
      return { node, fresh };
    },
    async act(action, on, signal) {
      log.push(action);
      expect(fresh, `${action} acts on a fresh sight`).to.equal(true);
      const result = await behaviour.act(action, on, mind, signal);
      fresh = result !== undefined;
      return result;
    },
  };
  const mind: Done = { done: [] };
  const start = () =>
    reconcile<Action>({
      machine,
      decide: (seen) => decide(seen, mind),
      labels: { claim: "claim", deploy: "deploy", undeploy: "undeploy" },
      clock,
      random: () => 0.5,
      signal: controller.signal,
      timeoutMs: TIMEOUT_MS,
      onProgress: (text) => progress.push(text),
      cause: async () => "the cause",
      trouble: () => undefined,
      ...more,
    });
  return {
    clock,
    log,
    progress,
    mind,
    see,
    behaviour,
    start,
    abort: () => controller.abort(new Error("stop")),
    node: () => node,
    run: () => clock.run(start()),
    fails: async (): Promise<Error> =>
      clock.run(
        start().then(
          () => expect.fail("it did not fail"),
          (error: Error) => error,
        ),
      ),
  };
}

/** available → deploy → active. */
export const untilActive = ({ provision_state }: Node): Decision<Action> => {
  if (provision_state === "active") return { do: "done" };
  return provision_state === "available" ? { do: "act", action: "deploy" } : wait("moving");
};
