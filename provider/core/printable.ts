/**
 * Names and texts that others write may hold characters that a terminal obeys (it clears the screen, or writes over what stands
 * there) or that turn the reading direction around. They are shown, not carried out, and not left out.
 */

/** Control characters of ASCII and of Latin-1, other line ends, and what sets a direction. */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** `text` for a terminal or a log. Lines and tabs are those of our own messages. */
export const printable = (text: string): string =>
  text.replace(STEERING, (char) => (char === "\n" || char === "\t" ? char : escaped(char)));

/** A name that others gave, for a place within a line. */
export const printableName = (name: string): string => name.replace(STEERING, escaped);
