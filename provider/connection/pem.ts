/** A setting that is the text of a certificate or key, or the path of a file with it. */

/** Text before it counts for nothing: openssl writes "Bag Attributes" before keys and certificates of a PKCS #12 file. */
export const isPem = (text: string): boolean => text.includes("-----BEGIN ");

const pathLengthMax = 255;

/**
 * May it be shown as a path? What is not a path may be a key that lost its frame: it begins like a path, or ends like a
 * file's name, which nothing in base64 does.
 */
export const isShownPath = (value: string): boolean =>
  value.length <= pathLengthMax &&
  /^[^\p{Cc}]+$/u.test(value) &&
  /^[~./\\]|^[A-Za-z]:[\\/]|\.[A-Za-z0-9]{1,8}$/.test(value);
