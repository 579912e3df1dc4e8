/** The command line's verbs. */
export {
  type ListedClaim,
  listClaims,
  parseExport,
  releaseClaims,
  type StackExport,
  stackIdsOf,
  stackNameOf,
} from "./claims.ts";
export { claimsTable, sharedStackIds } from "./claims-table.ts";
export { importFile } from "./import-file.ts";
export { readImportOptions } from "./import-options.ts";
export { namedOn } from "./named-nodes.ts";
export { openOutput } from "./output.ts";
export { readSettingsOptions } from "./settings.ts";
