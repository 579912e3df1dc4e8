const detailLengthMax = 800;

const shorten = (text: string): string =>
  text.length > detailLengthMax ? `${text.slice(0, detailLengthMax)} … (${text.length} characters)` : text;

/** Title and visible text of a proxy's HTML page. */
const plainOfHtml = (html: string): string =>
  html
    .replace(/<(script|style)\b.*?<\/\1\s*>/gis, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Keys under which Ironic, Keystone, oslo middleware and gateways put their sentence. */
const sentenceKeys = ["faultstring", "error_message", "message", "detail", "title", "error", "errors"];

const sentenceIn = (value: unknown, depth = 0): string | undefined => {
  if (depth > 5) return undefined;
  if (typeof value === "string") {
    const inner = /^\s*[{[]/.test(value) ? parseJson(value) : undefined;
    return (inner === undefined ? undefined : sentenceIn(inner, depth + 1)) ?? value.trim();
  }
  if (Array.isArray(value)) return value.length > 0 ? sentenceIn(value[0], depth + 1) : undefined;
  if (!isRecord(value)) return undefined;
  for (const key of sentenceKeys) {
    const found = value[key] ? sentenceIn(value[key], depth + 1) : undefined;
    if (found) return found;
  }
  return undefined;
};

/**
 * The sentence in an error body: `{"error_message": "<JSON in a string>"}`, its variants of older releases and
 * other services, plain text, or HTML of something in between. Empty if there is none.
 */
export const readErrorBody = (text: string): string => {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const found = sentenceIn(parseJson(trimmed));
  if (found) return shorten(found);
  return shorten(/^<(?:!doctype|html|\?xml)/i.test(trimmed) ? plainOfHtml(trimmed) : trimmed);
};
