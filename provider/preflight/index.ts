/** What would go wrong, found at preview. */
export { checkedAgainst, NO_SUCH_NODE, nodeOf, whyNotEnabled } from "./check.ts";
export { knownIdentity } from "./identity.ts";
export { missing, type PreflightIssue, rejected, report } from "./issues.ts";
