import { printable } from "./printable.ts";

/**
 * The codes of all errors and warnings. A code keeps its meaning in later versions, whatever becomes of the words before it.
 * docs/troubleshooting.md has one section for each, in this order.
 */
export const CODES = [
  "argument-missing",
  "argument-invalid",
  "argument-unknown",
  "argument-conflict",
  "argument-no-effect",
  "argument-masked",
  "driver-info-credential",
  "value-not-storable",
  "secret-not-encrypted",
  "stack-id-shared",
  "config-drive-form-invalid",
  "config-drive-empty",
  "config-drive-unreadable",
  "config-drive-image-invalid",
  "config-drive-directory-invalid",
  "config-drive-changed",
  "config-drive-size",
  "config-drive-format-unavailable",
  "config-drive-not-attached",
  "ssh-key-private",
  "ssh-key-invalid",
  "network-address-invalid",
  "network-gateway-outside",
  "network-gateway-invalid",
  "network-duplicate",
  "network-bond-invalid",
  "port-not-found",
  "port-taken",
  "network-doubtful",
  "node-not-found",
  "deploy-interface-unsuitable",
  "boot-interface-unsuitable",
  "interface-not-enabled",
  "boot-port-missing",
  "agent-image-missing",
  "cleaning-enabled",
  "image-unreachable",
  "preview-incomplete",
  "node-held",
  "node-held-by-own-stack",
  "node-lost",
  "instance-uuid-missing",
  "claim-gone",
  "adoption-refused",
  "node-identity-unknown",
  "redeployed-by-others",
  "node-hidden",
  "node-gone",
  "node-in-maintenance",
  "node-state-unsuitable",
  "node-state-unknown",
  "node-retired",
  "node-protected",
  "deployment-failed",
  "node-validation-failed",
  "node-changed-by-others",
  "node-came-back-different",
  "wait-timeout",
  "power-on-timeout",
  "readiness-timeout",
  "run-interrupted",
  "rebuild-unsupported",
  "rebuild-fallback",
  "node-powered-on",
  "undeploy-failed",
  "cleaning-failed",
  "cleaning-blocked",
  "settings-not-ready",
  "settings-state-unsuitable",
  "driver-info-hidden",
  "capabilities-malformed",
  "settings-changed-by-others",
  "settings-not-restored",
  "settings-restore-pending",
  "settings-mark-not-trusted",
  "allocation-failed",
  "allocation-timeout",
  "allocation-in-use",
  "allocation-kept",
  "allocation-hidden",
  "allocation-gone",
  "drift-undeployed",
  "drift-claim-removed",
  "drift-boot-changed",
  "drift-config-drive",
  "ironic-locked",
  "ironic-wrong-state",
  "ironic-conflict",
  "ironic-invalid-request",
  "ironic-forbidden",
  "ironic-unauthorized",
  "ironic-no-conductor",
  "ironic-not-found",
  "ironic-overloaded",
  "ironic-unavailable",
  "ironic-server-error",
  "ironic-outcome-unknown",
  "connection-not-configured",
  "connection-failed",
  "certificate-not-trusted",
  "certificate-invalid",
  "tls-failed",
  "certificates-not-verified",
  "credentials-unencrypted",
  "credentials-other-host",
  "setting-invalid",
  "endpoint-not-ironic",
  "cloud-ambiguous",
  "cloud-not-found",
  "clouds-file-invalid",
  "login-incomplete",
  "keystone-unauthorized",
  "keystone-forbidden",
  "keystone-failed",
  "token-expired",
  "catalogue-endpoint-missing",
  "api-version-too-old",
  "api-version-unusable",
  "cli-usage",
  "cli-scope-unclear",
  "cli-secret-exposed",
  "claim-not-released",
  "claim-unconfirmed",
  "state-unusable",
  "internal-error",
] as const;

export type Code = (typeof CODES)[number];

/** `text` as the user sees it. Only what prints a message adds the code: a text inside another text has none. */
export const withCode = (text: string, code: Code): string => `${printable(text)} [${code}]`;

/** Something that the user should know, though nothing is refused. */
export interface Warning {
  code: Code;
  text: string;
}

/** A refusal: where in the arguments, and why. Never holds a value that could be secret. */
export interface Failure {
  /** Property path, e.g. `network.interfaces[0].gateway`; empty for the whole. */
  path: string;
  /** A clause that completes "`path`: …". */
  reason: string;
  code: Code;
}

/** A failure as one line for a person. */
export const describeFailure = ({ path, reason }: Pick<Failure, "path" | "reason">): string =>
  path === "" ? reason : `${path}: ${reason}`;

/** Removes secrets from a text. */
export type Clean = (text: string) => string;

/** A line for each failure, with its code. */
export const failureLines = (failures: readonly Failure[], clean: Clean): string =>
  failures.map((failure) => withCode(clean(describeFailure(failure)), failure.code)).join("\n");
