/** What stands where a secret stood. */
const redacted = "[secret]";

/** Shorter strings would redact ordinary words; passwords of that length are no secret anyway. */
const secretLengthMin = 4;

/** Forms in which servers and libraries repeat a value: as is, JSON-escaped, URL-encoded, base64. */
const formsOf = (secret: string): string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64"),
];

const formsMax = 2000;

/** `text` without any of `secrets`, in whatever form they are repeated; longest first. */
export const redact = (text: string, secrets: readonly string[]): string => {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < secretLengthMin) continue;
    for (const form of formsOf(secret)) forms.add(form);
    if (forms.size > formsMax) break;
  }
  let result = text;
  for (const form of [...forms].sort((a, b) => b.length - a.length)) {
    if (result.includes(form)) result = result.replaceAll(form, redacted);
  }
  return result;
};

/** Keys whose whole content is secret, wherever they stand in a request. */
const secretKey = /config_?drive|password|secret|token|passcode|user_data|vendor_data/i;

const lineLengthMin = 6;

const leavesOf = (value: unknown, into: Set<string>): void => {
  if (typeof value === "string") {
    into.add(value);
    for (const line of value.split("\n")) if (line.trim().length >= lineLengthMin) into.add(line.trim());
  } else if (typeof value === "object" && value !== null) {
    for (const child of Object.values(value)) leavesOf(child, into);
  }
};

/**
 * Strings of a request body that must not come back in an error: Ironic's schema errors repeat what was sent.
 * Lines of a text count by themselves, as repeated texts are cut and re-quoted.
 */
export const secretsOfBody = (body: unknown): string[] => {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const child of value) visit(child);
      return;
    }
    if (typeof value !== "object" || value === null) return;
    const record = value as Record<string, unknown>;
    // A JSON patch names its key in `path`: https://www.rfc-editor.org/rfc/rfc6902
    if (typeof record.path === "string" && secretKey.test(record.path)) leavesOf(record.value, found);
    for (const [key, child] of Object.entries(record)) {
      if (secretKey.test(key)) leavesOf(child, found);
      else visit(child);
    }
  };
  visit(body);
  return [...found];
};
