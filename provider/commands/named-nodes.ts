/** Nodes that the command line names: a person has looked at them. */
import { ProblemError } from "../core/index.ts";
import type { ListedClaim } from "./claims.ts";

/** Is a claim on one of the nodes `named`? Throws a ProblemError for a node without any: that is a typing error. */
export function namedOn(named: readonly string[], claims: readonly ListedClaim[]): (claim: ListedClaim) => boolean {
  const isOn =
    (name: string) =>
    ({ node, nodeUuid }: ListedClaim) =>
      node === name || nodeUuid === name;
  const idle = named.find((name) => !claims.some(isOn(name)));
  if (idle !== undefined)
    throw new ProblemError({
      code: "cli-usage",
      problem: `There is nothing to release on node ${idle}`,
      advice: "Run the command without --release to see the claims.",
    });
  return (claim) => named.some((name) => isOn(name)(claim));
}
