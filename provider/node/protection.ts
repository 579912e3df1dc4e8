/**
 * Ironic's `protected`, and who set it. The reason beside it says so: both fields are written by the same people, while a
 * marker is written by many more.
 */
import type { Claim } from "./identity.ts";
import type { Node } from "./node.ts";

/** What this deployment writes where it protects its node. */
export const protectionReason = ({ resourceName, instanceUuid }: Claim): string =>
  `pulumi-ironic: ${resourceName} (${instanceUuid})`;

/** May the deployment lift the protection? Not where somebody gave it another reason since. */
export const isProtectedBy = (node: Pick<Node, "protected" | "protected_reason">, claim: Claim): boolean =>
  node.protected === true && node.protected_reason === protectionReason(claim);
