/** What one run of the provider remembers, and for how long. */
export type { ConnectionContext } from "./connection-context.ts";
export { createRunContext, type RunContext } from "./context.ts";
export type { PlannedSettings } from "./settings-plan.ts";
