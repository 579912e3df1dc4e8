/** What would go wrong, found at preview. */
export { judged, NO_SUCH_NODE, nodeOf, whyNotEnabled } from "./facts.ts";
export { type Finding, missing, type Need, rejected, report } from "./findings.ts";
