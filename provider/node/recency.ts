/**
 * Which of two readings of a node is the older. Behind a load balancer replicas answer, and some may be seconds behind: what
 * was seen, or what Ironic has accepted, is not forgotten for their sake.
 */
import type { Clock } from "../core/index.ts";
import type { Node } from "./node.ts";

/** Clocks of servers differ, and whole seconds may be equal: after so long without anything newer, what is read counts. */
export const PATIENCE_MS = 30_000;

export type Moment = Pick<Node, "provision_state" | "provision_updated_at" | "updated_at">;

/** Ironic writes all times alike: those of UTC, with microseconds or without. */
const isBefore = (one: string | null | undefined, other: string | null | undefined): boolean => {
  const [ms, otherMs] = [Date.parse(one ?? ""), Date.parse(other ?? "")];
  // Both are the same millisecond where only microseconds differ.
  return ms < otherMs || (ms === otherMs && (one ?? "") < (other ?? ""));
};

/** No more of a node is kept for as long as the process lives. */
const momentOf = ({ provision_state, provision_updated_at, updated_at }: Moment): Moment => ({
  provision_state,
  provision_updated_at,
  updated_at,
});

/** The provision state counts first: other writes may come from a server with another clock. */
const isOlder = (node: Moment, than: Moment): boolean =>
  isBefore(node.provision_updated_at, than.provision_updated_at) ||
  (node.provision_updated_at === than.provision_updated_at && isBefore(node.updated_at, than.updated_at));

const isSameState = (node: Moment, other: Moment): boolean =>
  node.provision_state === other.provision_state && node.provision_updated_at === other.provision_updated_at;

export interface Recency {
  /** Is this reading older than what is known, so that it is to be read again? */
  isStale(node: Moment): boolean;
  /** What was read and believed, or answered to a write, counts from now on. */
  seen(node: Moment): void;
  /** Ironic has accepted to move the node out of the state in which it was seen last. */
  leaves(node: Moment): void;
}

export function createRecency(clock: Clock, initial: Moment): Recency {
  let newest = momentOf(initial);
  /** States that the node was in and left, of the newest second: by their times alone they are no older. */
  let passed: readonly Moment[] = [];
  let since = clock.now();
  const hasPassed = (node: Moment): boolean => passed.some((each) => isSameState(node, each));
  return {
    isStale: (node) => clock.now() - since < PATIENCE_MS && (isOlder(node, newest) || hasPassed(node)),
    seen: (node) => {
      const isSameTime = node.provision_updated_at === newest.provision_updated_at;
      passed = isSameTime ? [...passed, newest].filter((each) => !isSameState(node, each)) : [];
      newest = momentOf(node);
      since = clock.now();
    },
    leaves: (node) => {
      passed = [...passed, momentOf(node)];
      since = clock.now();
    },
  };
}
