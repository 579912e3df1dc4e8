import * as z from "zod";
import { type Failure, failuresIn, hasUnknown, joinPath, object } from "../schema/index.ts";
import { yamlOf } from "./yaml.ts";

/** One part of user data that has several. Exactly one of `text` and `cloudConfig`. */
export interface UserDataPart {
  /** The part as it is: a script (`#!…`), a cloud-config, anything cloud-init knows by its first line. */
  text?: string | undefined;
  /** A cloud-config as an object; YAML is made of it. */
  cloudConfig?: Record<string, unknown> | undefined;
  /** MIME type, e.g. `text/x-shellscript`. Default: what the part's first line says, as cloud-init reads it. */
  contentType?: string | undefined;
  /** File name of the part, which cloud-init uses for scripts. Default `part-001`, `part-002`, … */
  filename?: string | undefined;
  /** How cloud-init merges this cloud-config with earlier ones: the `X-Merge-Type` header, e.g. `list(append)+dict(recurse_array)`. */
  mergeType?: string | undefined;
}

/** User data other than plain text. Exactly one of these. */
export interface StructuredUserData {
  /** A cloud-config as an object; `#cloud-config` and YAML are made of it. */
  cloudConfig?: Record<string, unknown> | undefined;
  /** Several scripts and cloud-configs in one, as multi-part MIME. */
  parts?: UserDataPart[] | undefined;
  /** Bytes in base64, gzipped as a rule, that reach the machine untouched. Only in drives of `format: "iso"`. */
  gzipBase64?: string | undefined;
}

/** What the machine's first-boot program runs: text as it is, or one of the structured forms. */
export type UserDataArgs = string | StructuredUserData;

/** User data ready for a drive: text fits both forms of a drive, bytes only the ISO form. */
export type UserData = { text: string } | { bytes: Uint8Array };

const FORMS = ["cloudConfig", "parts", "gzipBase64"] as const;
// More than any use needs; the limit stops mistakes.
const PARTS_MAX = 200;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const HEADER = /^[\x20-\x7e]+$/;

const header = z.string().max(255).regex(HEADER, "must be one line of plain ASCII text");
const cloudConfig = z.record(z.string(), z.unknown());

const partSchema = object({
  text: z.string().optional(),
  cloudConfig: cloudConfig.optional(),
  contentType: header.regex(/^[\w.+-]+\/[\w.+-]+$/, "must be a MIME type, such as text/x-shellscript").optional(),
  filename: header.regex(/^[^"\\/]+$/, 'must be a plain file name, without ", \\ and /').optional(),
  mergeType: header.optional(),
});

export const userDataSchema = z.union([
  z.string(),
  object({
    cloudConfig: cloudConfig.optional(),
    parts: z.array(partSchema).min(1).max(PARTS_MAX).optional(),
    gzipBase64: z.string().optional(),
  }),
]);

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

const has = (value: Record<string, unknown>, key: string): boolean => value[key] !== undefined;

/** What is wrong with user data. Values may be unknown; no reason repeats any of the content. */
export function checkUserData(value: unknown, at = "userData"): Failure[] {
  const failures = failuresIn(userDataSchema, value, at);
  const data = record(value);
  if (!data) return failures;
  const forms = FORMS.filter((form) => has(data, form));
  if (forms.length === 0 && failures.length === 0)
    failures.push({ path: at, reason: `set one of ${FORMS.join(", ")}`, code: "argument-missing" });
  for (const form of forms.slice(1))
    failures.push({
      path: joinPath(at, form),
      reason: `conflicts with ${forms[0]}: set only one`,
      code: "argument-conflict",
    });
  if (typeof data.gzipBase64 === "string" && !hasUnknown(data.gzipBase64) && !isBase64(data.gzipBase64)) {
    failures.push({ path: joinPath(at, "gzipBase64"), reason: "is not base64", code: "argument-invalid" });
  }
  for (const [index, each] of (Array.isArray(data.parts) ? data.parts : []).entries()) {
    const part = record(each);
    const path = joinPath(at, `parts[${index}]`);
    if (!part) continue;
    if (has(part, "text") && has(part, "cloudConfig")) {
      failures.push({
        path: joinPath(path, "cloudConfig"),
        reason: "conflicts with text: set only one",
        code: "argument-conflict",
      });
    }
    if (!has(part, "text") && !has(part, "cloudConfig"))
      failures.push({ path, reason: "set text or cloudConfig", code: "argument-missing" });
  }
  return failures;
}

const isBase64 = (value: string): boolean => {
  const text = value.replace(/\s+/g, "");
  return text.length % 4 === 0 && BASE64.test(text);
};

/** A cloud-config's text. The order of keys in the program never matters: cloud-init takes them in its own. */
const cloudConfigText = (config: Record<string, unknown>): string => `#cloud-config\n${yamlOf(config)}`;

// cloudinit/handlers/__init__.py, INCLUSION_TYPES_MAP: what the first line of a part means.
const FIRST_LINES: readonly (readonly [start: string, type: string])[] = [
  ["#!", "text/x-shellscript"],
  ["#cloud-config-archive", "text/cloud-config-archive"],
  ["#cloud-config-jsonp", "text/cloud-config-jsonp"],
  ["#cloud-config", "text/cloud-config"],
  ["#cloud-boothook", "text/cloud-boothook"],
  ["#include-once", "text/x-include-once-url"],
  ["#include", "text/x-include-url"],
  ["#upstart-job", "text/upstart-job"],
  ["## template: jinja", "text/jinja2"],
];

const typeOf = (text: string): string => FIRST_LINES.find(([start]) => text.startsWith(start))?.[1] ?? "text/plain";

function partText(part: UserDataPart, index: number): string {
  const body = part.cloudConfig ? cloudConfigText(part.cloudConfig) : (part.text ?? "");
  const filename = part.filename ?? `part-${String(index + 1).padStart(3, "0")}`;
  const lines = [
    `Content-Type: ${part.contentType ?? typeOf(body)}; charset="utf-8"`,
    "MIME-Version: 1.0",
    "Content-Transfer-Encoding: base64",
    `Content-Disposition: attachment; filename="${filename}"`,
    ...(part.mergeType === undefined ? [] : [`X-Merge-Type: ${part.mergeType}`]),
    "",
    // 76 characters a line: RFC 2045, section 6.8.
    ...(Buffer.from(body, "utf8")
      .toString("base64")
      .match(/.{1,76}/g) ?? []),
  ];
  return lines.join("\n");
}

/**
 * One MIME message with every part. The same parts give the same bytes: the boundary is fixed, and can't stand in a body, as
 * base64 has no hyphens.
 */
function multipartText(parts: readonly UserDataPart[]): string {
  const boundary = "===============pulumi-ironic==";
  const bodies = parts.map((part, index) => `--${boundary}\n${partText(part, index)}\n`);
  return `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0\n\n${bodies.join("")}--${boundary}--\n`;
}

/** The user data that a machine gets. `args` has passed {@link checkUserData} and is known. */
export function buildUserData(args: UserDataArgs): UserData {
  if (typeof args === "string") return { text: args };
  if (args.cloudConfig) return { text: cloudConfigText(args.cloudConfig) };
  if (args.parts) return { text: multipartText(args.parts) };
  return { bytes: Buffer.from(args.gzipBase64 ?? "", "base64") };
}
