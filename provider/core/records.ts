/** Records and lists that a server's text repeats, be it what was sent or the node as it stands there. */

/** Shorter ones hold nothing, and longer lists are no choice of words. */
const recordLengthKept = 12;
const listLengthKept = 300;

const closing: Readonly<Record<string, string>> = { "{": "}", "[": "]" };

/** Behind the quoted text that begins at `start`; -1 where it does not end. */
const endOfQuoted = (text: string, start: number): number => {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return -1;
};

/** Behind the record or list that begins at `start`, written as JSON or by Python; -1 where it does not end. */
const endOf = (text: string, start: number): number => {
  const open: string[] = [];
  for (let at = start; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (char === '"' || char === "'") {
      const end = endOfQuoted(text, at);
      if (end === -1) return -1;
      at = end - 1;
    } else if (closing[char] !== undefined) open.push(closing[char]);
    else if (char === open.at(-1)) {
      open.pop();
      if (open.length === 0) return at + 1;
    }
  }
  return -1;
};

const isKept = (part: string): boolean =>
  part.startsWith("{") ? part.length <= recordLengthKept : part.length <= listLengthKept && !part.includes("{");

/** What Ironic writes behind a patch that it repeats: ironic/common/exception.py, PatchError. */
const behindPatch = "'. Reason: ";

/**
 * `text` with `{…}` for each record, as Ironic repeats a whole patch, or a whole node, in what it says of one key. Lists of
 * words stay: they are what may be written instead. Looks at each character a few times at most, whatever the text.
 */
export const withoutRecords = (text: string): string => {
  const parts: string[] = [];
  let from = 0;
  let listsEnd = true;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char !== "{" && !(char === "[" && listsEnd)) continue;
    const end = endOf(text, at);
    if (end === -1 && char === "[") {
      // A bracket of a sentence, as in "[0, 10)": from here on none is taken for a list, so that none is searched twice.
      listsEnd = false;
      continue;
    }
    const part = end === -1 ? "" : text.slice(at, end);
    if (end === -1 || !isKept(part)) {
      const resumed = end === -1 ? text.lastIndexOf(behindPatch) : end;
      parts.push(text.slice(from, at), char === "[" ? "[…]" : "{…}");
      from = resumed > at ? resumed : text.length;
    }
    at = Math.max(end, from, at + 1) - 1;
  }
  return parts.join("") + text.slice(from);
};
