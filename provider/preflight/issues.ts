/**
 * What would go wrong, found while the engine checks a program, and how it reaches the user. `ironic:preflight`: `off`,
 * `warn` (everything is a warning) or `enforce` (everything is an error); unset, what Ironic would accept is a warning and
 * what it would reject an error.
 */

import { CancelledError, type Code, type Failure, isFault, raceAbort } from "../core/index.ts";
import { type Feature, UnusableVersion } from "../http/index.ts";
import type { Call, CheckFailure, Services } from "../plugin/index.ts";
import type { ConnectionContext } from "../run/index.ts";

/** A failure of the check, or a warning of it. */
export interface PreflightIssue extends Failure {
  /** Ironic itself would refuse it. */
  rejected: boolean;
  /** Never an error: it may be intended. */
  hint?: true;
  /** A BaremetalNodeConfig of the node could change it. */
  settings?: true;
}

export const rejected = (code: Code, path: string, reason: string): PreflightIssue => ({
  path,
  reason,
  code,
  rejected: true,
});

const MODES = ["off", "warn", "enforce"];

/** Runs `look` unless that is switched off; what it finds becomes failures of the check, or warnings. */
export async function report(
  subject: string,
  services: Services,
  call: Call,
  look: () => Promise<readonly PreflightIssue[]>,
): Promise<CheckFailure[]> {
  const mode = services.get("preflight");
  if (mode !== undefined && !MODES.includes(mode))
    return [{ path: "ironic:preflight", reason: `must be one of ${MODES.join(", ")}`, code: "setting-invalid" }];
  if (mode === "off") return [];
  const findings: readonly PreflightIssue[] = await raceAbort(look(), call.signal).catch((error: unknown) => {
    if (call.signal.aborted) throw new CancelledError("The run was interrupted while the program was checked", error);
    if (!(error instanceof UnusableVersion)) throw error;
    return [rejected(error.code, "", error.message)];
  });
  const isFailure = ({ rejected, hint }: PreflightIssue) =>
    !hint && (mode === "enforce" || (mode === undefined && rejected));
  for (const finding of findings)
    if (!isFailure(finding))
      call.warn(
        finding.code,
        `${subject}: ${["", "node"].includes(finding.path) ? "" : `${finding.path} `}${finding.reason.replace(/\.$/, "")}.`,
      );
  return findings.filter(isFailure).map(({ path, reason, code }) => ({ path, reason, code }));
}

/** Once per run, however many resources are affected. */
export function warnUnchecked(error: Error, { run }: Services, { signal, warn }: Call): void {
  if (!run.uncheckedTold.has(signal) && !signal.aborted)
    warn("preview-incomplete", `The program could not be checked against Ironic: ${error.message.replace(/\.$/, "")}.`);
  run.uncheckedTold.add(signal);
}

/**
 * The connection if Ironic answers; if not, the user is told once per run, and the preview goes on. Throws UnusableVersion.
 */
export async function reachable(services: Services, call: Call): Promise<ConnectionContext | undefined> {
  const connection = await services.connection().catch((error: Error) => error);
  const trouble = connection instanceof Error ? connection : await connection.inventory.trouble(call.signal);
  if (trouble instanceof UnusableVersion) throw trouble;
  if (trouble) warnUnchecked(trouble, services, call);
  return trouble || connection instanceof Error ? undefined : connection;
}

export interface Need {
  /** Property that needs it; empty for the resource as a whole. */
  path: string;
  feature: Feature;
}

/** What this Ironic's version cannot do. Costs one small request per run. */
export async function missing(needs: readonly Need[], services: Services, call: Call): Promise<PreflightIssue[]> {
  const client = needs.length > 0 ? (await reachable(services, call))?.client : undefined;
  if (!client) return [];
  const findings: PreflightIssue[] = [];
  for (const { path, feature } of needs) {
    try {
      await client.require(feature, "check the program");
    } catch (error) {
      if (!isFault(error, "unsupported")) throw error;
      findings.push(rejected(error.code, path, `${error.detail}. ${error.advice}`));
    }
  }
  return findings;
}
