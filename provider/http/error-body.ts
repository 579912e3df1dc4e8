import { withoutRecords } from "../core/index.ts";

const detailLengthMax = 800;

/** As much of a server's text as a person reads; without secrets already, as half a secret would not be found. */
export const shorten = (text: string): string =>
  text.length > detailLengthMax ? `${text.slice(0, detailLengthMax)} … (${text.length} characters)` : text;

/** Elements whose text nobody sees, with what ends them. */
const hiddenElements = [
  { start: /^<script\b/i, end: /<\/script\s*>/gi },
  { start: /^<style\b/i, end: /<\/style\s*>/gi },
];

/** Title and visible text of a proxy's HTML page. Each character is looked at once or twice, whatever the page. */
const plainOfHtml = (html: string): string => {
  const parts: string[] = [];
  for (let at = 0; at < html.length; ) {
    const open = html.indexOf("<", at);
    const close = open === -1 ? -1 : html.indexOf(">", open);
    parts.push(html.slice(at, close === -1 ? undefined : open));
    if (close === -1) break;
    at = close + 1;
    const name = html.slice(open, open + 8);
    const hidden = hiddenElements.find(({ start }) => start.test(name));
    if (hidden === undefined) continue;
    hidden.end.lastIndex = at;
    if (!hidden.end.test(html)) break;
    at = hidden.end.lastIndex;
  }
  return parts.join(" ").replace(/\s+/g, " ").trim();
};

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

/** Of Ironic's form where the body was not read to its end. */
const cutSentence = /^\{.{0,200}"faultstring\W{1,12}/s;

const sentenceOf = (text: string): string => {
  const found = sentenceIn(parseJson(text));
  if (found) return found;
  if (/^<(?:!doctype|html|\?xml)/i.test(text)) return plainOfHtml(text);
  const start = cutSentence.exec(text)?.[0].length;
  return start === undefined ? text : text.slice(start).replaceAll("\\", "");
};

/**
 * The sentence in an error body: `{"error_message": "<JSON in a string>"}`, its variants of older releases and
 * other services, plain text, or HTML of something in between. Empty if there is none. Of any length, and without what it
 * repeats of patches and nodes.
 */
export const readErrorBody = (text: string): string => withoutRecords(sentenceOf(text.trim()));
