/** What a node boots, as `instance_info` says it. */
import type { Node } from "./node.ts";

/** What a deployment sets in `instance_info`, with the name that it has in `bootHash`. */
const HASHED_AS = {
  kernel: "kernel",
  ramdisk: "ramdisk",
  boot_iso: "bootIso",
  ramdisk_kernel_arguments: "kernelArguments",
} as const;

/** A key of `instance_info` that says what is booted. */
export type BootField = keyof typeof HASHED_AS;
// Keys of the table above, whose type Object.keys has lost.
export const BOOT_FIELDS = Object.keys(HASHED_AS) as BootField[];

/**
 * Keys of `instance_info` that decide what is booted. Whatever an earlier deployment left of them would change ours:
 * a stale `image_source`, for one, makes virtual media boot the disk.
 * Source: ironic/drivers/modules/{boot_mode_utils,image_utils,pxe_utils}.py and deploy_utils.py.
 */
export const BOOT_KEYS = [
  ...BOOT_FIELDS,
  "image_source",
  "image_type",
  "image_checksum",
  "image_os_hash_algo",
  "image_os_hash_value",
  "image_url",
  "original_image_source",
  "kernel_append_params",
] as const;

/** What a deployment wants in `instance_info`; `configdrive` travels in the PUT and never here. */
export type InstanceInfo = Partial<Record<BootField | "image_source", string>>;

/**
 * What `bootHash` is made of. An `image_source` beside kernel and ramdisk is for the sake of a rebuild only and makes no
 * difference. A field that is absent leaves the hash as it is without it.
 */
export const hashedFields = (info: InstanceInfo): Record<string, string | undefined> =>
  Object.fromEntries(BOOT_FIELDS.map((key) => [HASHED_AS[key], info[key]]));

/** What Ironic shows in place of a value that looks like a secret, such as the rest of a word after `token=` (oslo.utils, strutils). */
const MASK = "******";

export const isMasked = (value: unknown): boolean => JSON.stringify(value ?? null).includes(MASK);

/** Does `text` begin with `start`, end with the last of `rest`, and have the others between them, in this order? */
function hasInOrder(text: string, start: string, rest: readonly string[]): boolean {
  const end = rest.at(-1) ?? "";
  if (text.length < start.length + end.length || !text.startsWith(start) || !text.endsWith(end)) return false;
  let at = start.length;
  // The first place is the best one: it leaves the most text for what follows. No pattern, as it would try all places.
  for (const part of rest.slice(0, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= text.length - end.length;
}

/** Can the value that Ironic shows be `wanted`? A masked value may be anything; the `bootHash` of the marker decides. */
export function shows(shown: unknown, wanted: unknown): boolean {
  if (typeof shown !== "string" || typeof wanted !== "string" || !isMasked(shown)) return shown === wanted;
  const [start = "", ...rest] = shown.split(MASK);
  // Between quotes Ironic omits more than the asterisks show.
  if (/['"]/.test(rest.join())) return wanted.startsWith(start);
  return hasInOrder(wanted, start, rest);
}

/**
 * Does the node's `instance_info` say what `info` says? `image_type` is Ironic's own derivation from `image_source`,
 * and an `image_source` equal to the ramdisk changes nothing about what is booted (see deployment/attempt.ts, infoFor).
 */
export function infoMatches(node: Node, info: InstanceInfo): boolean {
  const actual = node.instance_info;
  const wanted: Readonly<Record<string, string>> = info;
  return BOOT_KEYS.every(
    (key) =>
      key === "image_type" ||
      shows(actual[key] ?? undefined, wanted[key]) ||
      (key === "image_source" && info.image_source === undefined && shows(actual[key], info.ramdisk)),
  );
}

/** Fields in which what the node says that it boots differs from `info`. */
export const infoDifferences = ({ instance_info }: Node, info: InstanceInfo): BootField[] =>
  BOOT_FIELDS.filter((key) => !shows(instance_info[key] ?? undefined, info[key]));

/**
 * Does it name an image of Glance? https://docs.openstack.org/ironic/latest/user/deploy.html; the test is that of
 * ironic/common/glance_service/service_utils.py, is_glance_image.
 */
export const isGlanceImage = (reference: string): boolean =>
  reference.startsWith("glance://") || /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(reference);

/** What stands in `instance_info` of the things that we write. */
export function bootInfoOf({ instance_info }: Node): InstanceInfo {
  const info: InstanceInfo = {};
  for (const key of [...BOOT_FIELDS, "image_source"] as const) {
    const value = instance_info[key];
    if (typeof value === "string") info[key] = value;
  }
  return info;
}

/** Does Ironic hide part of what the node boots? Then the marker alone tells what it is. */
export const hidesBoots = (node: Node): boolean => isMasked(bootInfoOf(node));
