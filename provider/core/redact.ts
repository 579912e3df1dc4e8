/** What stands where a secret stood. */
const redacted = "[secret]";

/** Shorter strings would redact ordinary words; passwords of that length are no secret anyway. */
const secretLengthMin = 4;

const inAscii = (text: string): string =>
  text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Forms in which servers and libraries repeat a value: as is, JSON-escaped, as Python writes both, URL-encoded, base64. */
const formsOf = (secret: string): string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  inAscii(JSON.stringify(secret).slice(1, -1)),
  JSON.stringify(secret).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'"),
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

/** Shorter values are words, such as `ipxe`, without which nobody understands what is wrong with them. */
const valueLengthMin = 16;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const isWord = (text: string): boolean => text.length < valueLengthMin || uuid.test(text);

interface PatchOperation {
  path: string;
  value?: unknown;
}

const isOperation = (value: unknown): value is PatchOperation =>
  typeof value === "object" && value !== null && "path" in value && typeof value.path === "string";

/**
 * What an operation of a JSON patch writes, under a key that is secret or not: an argument may hold a token, and a marker is
 * nobody's business. Names of interfaces stay. https://www.rfc-editor.org/rfc/rfc6902
 */
const valuesOf = ({ path, value }: PatchOperation): string[] => {
  const found = new Set<string>();
  if (path.endsWith("_interface")) return [];
  leavesOf(value, found);
  return secretKey.test(path) ? [...found] : [...found].filter((text) => !isWord(text));
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
    if (isOperation(record)) for (const text of valuesOf(record)) found.add(text);
    for (const [key, child] of Object.entries(record)) {
      if (secretKey.test(key)) leavesOf(child, found);
      else visit(child);
    }
  };
  visit(body);
  return [...found];
};
