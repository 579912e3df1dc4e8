import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { type Failure, failuresIn, hasUnknown, InvalidInput, joinPath, type Objection, text } from "../schema/index.ts";

/** The machine's meta data. Further keys reach `meta_data.json` as they are. */
export interface MetaDataArgs {
  /**
   * The machine's host name: `hostname` for cloud-init and `name` for Glean. Default: none for cloud-init; for Glean the node's
   * name, as Ironic adds it.
   */
  hostname?: string | undefined;
  /** SSH public keys for the image's first user: a list, or a dictionary of names and keys. */
  publicKeys?: string[] | Record<string, string> | undefined;
  /** Files with SSH public keys, one a line, read where Pulumi runs; `~/` is the home directory. They follow `publicKeys`. */
  publicKeyFiles?: string[] | undefined;
  /** The instance's UUID: cloud-init does its once-per-instance work again when it changes. Default: the node's UUID. */
  uuid?: string | undefined;
  /** Anything else, as JSON. */
  [key: string]: unknown;
}

/** Reads a text file; throws if it can't. */
export type ReadText = (path: string) => string;

/** Reads a key file as the user means it: `~/` is the home directory. */
export const readKeyFile: ReadText = (path) =>
  readFileSync(path.startsWith("~/") ? join(homedir(), path.slice(2)) : path, "utf8");

// Labels of RFC 1123; the length is what Linux and DNS take as a whole.
const HOSTNAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const KEYS_MAX = 100;

/** Why `value` is no public key; never repeats it. */
function whyNotKey(value: string): string | Objection | undefined {
  if (value.includes("PRIVATE KEY"))
    return { reason: "is a PRIVATE key; use the public key (the file that ends in .pub)", code: "ssh-key-private" };
  const line = value.trim();
  if (line === "") return "is empty";
  if (/[\r\n]/.test(line)) return "must be one public key on one line";
  return /^\S+\s+\S+/.test(line) ? undefined : "is not an SSH public key, such as ssh-ed25519 AAAA… name";
}

const publicKey = text(whyNotKey, "ssh-key-invalid");

export const metaDataSchema = z.looseObject({
  hostname: text((value) =>
    HOSTNAME.test(value)
      ? undefined
      : "must be a host name: letters, digits and hyphens, in labels of at most 63 characters",
  ).optional(),
  publicKeys: z.union([z.array(publicKey).max(KEYS_MAX), z.record(z.string(), publicKey)]).optional(),
  publicKeyFiles: z.array(z.string().min(1)).max(KEYS_MAX).optional(),
  uuid: z.string().min(1).max(255).optional(),
  name: z.string().min(1).max(255).optional(),
  // The name in meta_data.json itself, for who copies an existing file.
  public_keys: z.record(z.string(), publicKey).optional(),
});

/** What is wrong with meta data. Values may be unknown; no reason repeats a key. */
export function checkMetaData(value: unknown, at = "metaData"): Failure[] {
  const failures = failuresIn(metaDataSchema, value, at);
  if (typeof value !== "object" || value === null || hasUnknown(value)) return failures;
  const { public_keys, publicKeys, publicKeyFiles } = value as MetaDataArgs;
  if (public_keys !== undefined && (publicKeys !== undefined || publicKeyFiles !== undefined)) {
    failures.push({
      path: joinPath(at, "public_keys"),
      reason: "conflicts with publicKeys: set only one",
      code: "argument-conflict",
    });
  }
  return failures;
}

/** The keys in a file, one a line, without comments. */
function keysIn(path: string, at: string, read: ReadText): string[] {
  let content: string;
  try {
    content = read(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new InvalidInput([
      { path: at, reason: `the key file ${path} cannot be read (${code})`, code: "ssh-key-invalid" },
    ]);
  }
  if (content.includes("PRIVATE KEY")) {
    throw new InvalidInput([
      {
        path: at,
        reason: `${path} contains a PRIVATE key; use the public key (the file that ends in .pub)`,
        code: "ssh-key-private",
      },
    ]);
  }
  const keys = content.split("\n").map((line) => line.trim());
  const found = keys.filter((line) => line !== "" && !line.startsWith("#"));
  if (found.length > 0 && found.every((line) => whyNotKey(line) === undefined)) return found;
  throw new InvalidInput([
    { path: at, reason: `${path} does not contain SSH public keys, one per line`, code: "ssh-key-invalid" },
  ]);
}

/**
 * `meta_data.json`'s content. `args` has passed {@link checkMetaData} and is known.
 * @throws InvalidInput for a key file that can't be read or has something else in it.
 */
export function buildMetaData(args: MetaDataArgs, read: ReadText, at = "metaData"): Record<string, unknown> {
  const { hostname, publicKeys, publicKeyFiles, ...free } = args;
  const fromFiles = (publicKeyFiles ?? []).flatMap((file, index) =>
    keysIn(file, joinPath(at, `publicKeyFiles[${index}]`), read),
  );
  const listed = Array.isArray(publicKeys) ? publicKeys : [];
  // Numbered names follow the named ones, so that a dictionary's own names stay.
  const numbered = [...listed, ...fromFiles].map((key, index): [string, string] => [String(index), key.trim()]);
  const named = Array.isArray(publicKeys)
    ? []
    : Object.entries(publicKeys ?? {}).map(([name, key]) => [name, key.trim()]);
  const keys = Object.fromEntries([...numbered, ...named]) as Record<string, string>;
  return {
    ...(hostname === undefined ? {} : { name: hostname, hostname }),
    ...(Object.keys(keys).length === 0 ? {} : { public_keys: keys }),
    ...free,
  };
}
