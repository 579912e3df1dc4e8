/** What would go wrong, found at preview. */
export { judged, NO_SUCH_NODE, nodeOf, whyNotEnabled } from "./facts.ts";
export { type Finding, missing, rejected, report } from "./findings.ts";
export { knownIdentity } from "./identity.ts";
