/**
 * JSON values as YAML. Not a library's: a later version of it may lay the same values out otherwise, and every machine with such
 * user data would be rebooted for it. So these bytes never change.
 */

// Line breaks in YAML 1.1, which cloud-init reads, and plain characters in 1.2; and what 1.1 refuses as not printable.
const NOT_PLAIN = /[\u007f-\u009f\u2028\u2029\ufeff]/g;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * Every string in quotes and on one line: what a bare word (yes, 017, 1:20, <<) or a folded line means differs between the
 * versions of YAML. JSON's escapes are YAML's.
 */
const scalar = (value: unknown): string => (JSON.stringify(value) ?? "null").replace(NOT_PLAIN, escaped);

const isBlock = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;

/** The lines of a value. The order of keys never matters. */
function linesOf(value: unknown): string[] {
  if (!isBlock(value)) return [scalar(value)];
  if (Array.isArray(value))
    return value.flatMap((entry) => linesOf(entry).map((line, index) => `${index === 0 ? "- " : "  "}${line}`));
  return Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, child]) => {
      const lines = linesOf(child);
      return isBlock(child)
        ? [`${scalar(key)}:`, ...lines.map((line) => `  ${line}`)]
        : lines.map((line) => `${scalar(key)}: ${line}`);
    });
}

export const yamlOf = (value: unknown): string => `${linesOf(value).join("\n")}\n`;
