/** The command line's verbs. */
export { type Claim, listClaims, ownersOf, releaseClaims, type StackExport } from "./claims.ts";
export { importFile } from "./import-file.ts";
