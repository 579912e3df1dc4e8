/**
 * Instances on nodes that the states of this run know. Marks on nodes name instances as well, but anybody may write those: what
 * is done with a node's settings while an instance stands there goes by this where it can.
 */

type Knowledge = "held" | "handedOver";

export interface KnownInstances {
  /** A deployment in the state has it. */
  hold(nodeUuid: string, instanceUuid: string): void;
  /** A deployment that leaves the state lets its machine run on with it. */
  handOver(nodeUuid: string, instanceUuid: string): void;
  of(nodeUuid: string, instanceUuid: string | null): Knowledge | undefined;
}

export function createKnownInstances(): KnownInstances {
  const known = new Map<string, Knowledge>();
  const key = (nodeUuid: string, instanceUuid: string): string => `${nodeUuid} ${instanceUuid}`;
  return {
    hold: (nodeUuid, instanceUuid) => void known.set(key(nodeUuid, instanceUuid), "held"),
    handOver: (nodeUuid, instanceUuid) => void known.set(key(nodeUuid, instanceUuid), "handedOver"),
    of: (nodeUuid, instanceUuid) => (instanceUuid === null ? undefined : known.get(key(nodeUuid, instanceUuid))),
  };
}
