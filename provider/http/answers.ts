import type { Answer } from "../core/index.ts";

interface AnswerRule {
  status: number | ((status: number) => boolean);
  text?: RegExp;
  answer: Answer;
}

/**
 * First match wins. Ironic has no machine-readable reason beside the status, so its texts are the contract;
 * they come from https://opendev.org/openstack/ironic/src/branch/master/ironic/common/exception.py
 */
const rules: readonly AnswerRule[] = [
  { status: 409, text: /is locked by host/i, answer: "locked" },
  { status: 409, text: /while a state transition is in progress/i, answer: "inTransition" },
  { status: 409, text: /can ?not have .* updated unless/is, answer: "wrongState" },
  { status: 409, answer: "conflict" },
  { status: 400, text: /can ?not be performed .*while .*in (?:the )?state/is, answer: "wrongState" },
  // It was made for the node as it was read; somebody, or another resource of the run, has written since.
  { status: 400, text: /Couldn't apply patch/i, answer: "conflict" },
  { status: 400, answer: "invalid" },
  { status: 401, answer: "unauthorized" },
  { status: 403, answer: "forbidden" },
  { status: 404, text: /\bNo valid host was found/i, answer: "noConductor" },
  { status: 404, text: /\bNode \S.* could not be found/is, answer: "nodeGone" },
  { status: 406, answer: "unacceptable" },
  { status: 404, answer: "notFound" },
  { status: 429, answer: "overloaded" },
  // Ironic's own, by which nothing was begun: no worker, too many cleanings at once, a token that could not be checked.
  {
    status: 503,
    text: /free conductor workers|temporarily unavailable, please retry|concurrent action limit|Keystone service is temporarily unavailable/i,
    answer: "overloaded",
  },
  // Whoever else answers may have passed it on.
  { status: (status) => status >= 502 && status <= 504, answer: "unavailable" },
  { status: (status) => status >= 500, answer: "serverError" },
  { status: (status) => status >= 300 && status < 400, answer: "notFound" },
];

/** Meaning of a status that is no success, with Ironic's unwrapped text. */
export const classify = (status: number, detail: string): Answer => {
  const rule = rules.find(
    (candidate) =>
      (typeof candidate.status === "number" ? candidate.status === status : candidate.status(status)) &&
      (candidate.text === undefined || candidate.text.test(detail)),
  );
  return rule?.answer ?? "invalid";
};

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

export interface ErrorBody {
  /** Ironic's sentence, or what could be read of something else. */
  detail: string;
  /** False for bodies that no OpenStack service writes (a proxy's page, a login form). */
  fromService: boolean;
}

/**
 * The sentence in an error body: `{"error_message": "<JSON in a string>"}`, its variants of older releases and
 * other services, plain text, or HTML of something in between.
 */
export const readErrorBody = (text: string): ErrorBody => {
  const trimmed = text.trim();
  if (trimmed === "") return { detail: "", fromService: false };
  const found = sentenceIn(parseJson(trimmed));
  if (found) return { detail: shorten(found), fromService: true };
  if (/^<(?:!doctype|html|\?xml)/i.test(trimmed)) return { detail: shorten(plainOfHtml(trimmed)), fromService: false };
  return { detail: shorten(trimmed), fromService: false };
};
