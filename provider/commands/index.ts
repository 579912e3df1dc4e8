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
export { importFile } from "./import-file.ts";
