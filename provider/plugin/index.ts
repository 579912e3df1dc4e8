/** What stands between Pulumi's engine and the handlers. */
export {
  type ArgumentRow,
  type ArgumentTable,
  CHANGES,
  changedArguments,
  declaredIn,
  IDENTITY_ARGUMENTS,
  needsIn,
  shapeOf,
  undeclaredIn,
} from "./arguments.ts";
export { type Bridge, bridge } from "./bridge.ts";
export { callOf } from "./call.ts";
export { defineHandler } from "./define.ts";
export { failureOf, isUnexpected, partialFailure } from "./failure.ts";
export {
  type Call,
  type CheckFailure,
  type Handler,
  type Kind,
  PartialFailure,
  type Props,
  type Services,
} from "./handler.ts";
export { forgetsMissing, waysOut, whoAsked } from "./missing.ts";
export { sanitized, secretTexts, withSecrets, withSecretsOfFiles } from "./secrets.ts";
export { type ConfigureRequest, servicesFor } from "./services.ts";
export { unversioned, versioned } from "./state-version.ts";
