/** What a node boots, as `instance_info` says it. */
import type { Node } from "./node.ts";

/**
 * Keys of `instance_info` that decide what is booted. Whatever an earlier deployment left of them would change ours:
 * a stale `image_source`, for one, makes virtual media boot the disk.
 * Source: ironic/drivers/modules/{boot_mode_utils,image_utils,pxe_utils}.py and deploy_utils.py.
 */
export const BOOT_KEYS = [
  "kernel",
  "ramdisk",
  "boot_iso",
  "image_source",
  "image_type",
  "image_checksum",
  "image_os_hash_algo",
  "image_os_hash_value",
  "image_url",
  "original_image_source",
  "ramdisk_kernel_arguments",
  "kernel_append_params",
] as const;

/** What a deployment wants in `instance_info`; `configdrive` travels in the PUT and never here. */
export type InstanceInfo = Partial<
  Record<"kernel" | "ramdisk" | "boot_iso" | "image_source" | "ramdisk_kernel_arguments", string>
>;

/** What Ironic shows instead of what it takes for a secret, such as the rest of a word after `token=` (oslo.utils, strutils). */
const MASK = "******";

export const isMasked = (value: unknown): boolean => JSON.stringify(value ?? null).includes(MASK);

/** Can the value that Ironic shows be `wanted`? What it masks may be anything; the marker tells, by its `bootHash`. */
export function shows(shown: unknown, wanted: unknown): boolean {
  if (typeof shown !== "string" || typeof wanted !== "string" || !isMasked(shown)) return shown === wanted;
  const [start = "", ...rest] = shown.split(MASK);
  // Between quotes it leaves out more than it marks.
  if (/['"]/.test(rest.join())) return wanted.startsWith(start);
  const parts = [start, ...rest].map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(wanted);
}

/**
 * Does the node's `instance_info` say what `info` says? `image_type` is Ironic's own derivation from `image_source`,
 * and an `image_source` equal to the ramdisk changes nothing about what is booted (see decision.ts, infoFor).
 */
export function infoMatches(node: Node, info: InstanceInfo): boolean {
  const actual = node.instance_info;
  return BOOT_KEYS.every(
    (key) =>
      key === "image_type" ||
      shows(actual[key] ?? undefined, (info as Record<string, string>)[key]) ||
      (key === "image_source" && info.image_source === undefined && shows(actual[key], info.ramdisk)),
  );
}

const BOOT_KEYS_OF_INFO = ["kernel", "ramdisk", "boot_iso", "image_source", "ramdisk_kernel_arguments"] as const;

/** What stands in `instance_info` of the things that we write. */
export const infoOf = (node: Node): InstanceInfo =>
  Object.fromEntries(
    BOOT_KEYS_OF_INFO.filter((key) => typeof node.instance_info[key] === "string").map((key) => [
      key,
      node.instance_info[key],
    ]),
  ) as InstanceInfo;

/** Does Ironic hide part of what the node boots? Then the marker alone tells what it is. */
export const hidesBoots = (node: Node): boolean => isMasked(infoOf(node));
