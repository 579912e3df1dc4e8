import { type ScryptOptions, scrypt } from "node:crypto";

const BYTES = 8;

/** The hash of `content`, slow to compute so that a short content is not worth guessing. */
export type SlowHash = (content: string, salt: string, cost: ScryptOptions) => Promise<string>;

/** Computes each hash once. */
export function createSlowHash(): SlowHash {
  const hashes = new Map<string, Promise<string>>();
  return (content, salt, cost) => {
    const key = `${cost.N} ${cost.r} ${salt} ${content}`;
    const known =
      hashes.get(key) ??
      new Promise<string>((resolve, reject) =>
        scrypt(content, salt, BYTES, cost, (error, bytes) => (error ? reject(error) : resolve(bytes.toString("hex")))),
      );
    hashes.set(key, known);
    return known;
  };
}
