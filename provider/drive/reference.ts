/** Where a ready drive is, as the state keeps it: never its bytes. */
export interface DescribedSource {
  kind: "image" | "directory" | "url";
  /** Path or address as written. */
  location: string;
  /** Of the files that the drive holds (content-hash.ts), or of the address itself, which is not read. */
  sha256: string;
}

/** What a drive's `content` is while its bytes are in a file: where they are, and what they were when the program last ran. */
export type DriveReference = DescribedSource & { kind: "image" | "directory" };

// No scheme of the web: Ironic must never take it for an address. A colon is no base64 either.
const PREFIX = "pulumi-ironic-drive";
const FORM = /^pulumi-ironic-drive:(image|directory):([0-9a-f]{64}):(.+)$/s;

/** A reference as text, to be passed on like a drive's content. An address needs none: Ironic fetches it. */
export const formatReference = ({ kind, location, sha256 }: DescribedSource): string =>
  kind === "url" ? location : `${PREFIX}:${kind}:${sha256}:${location}`;

/** The reference that `content` is; `undefined` if it is a drive itself, or an address. */
export function parseReference(content: unknown): DriveReference | undefined {
  const match = typeof content === "string" ? FORM.exec(content) : null;
  const [, kind, sha256, location] = match ?? [];
  return sha256 !== undefined && location !== undefined && (kind === "image" || kind === "directory")
    ? { kind, sha256, location }
    : undefined;
}
