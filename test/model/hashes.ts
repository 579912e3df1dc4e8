/** Slow hashes that walks need, computed before the first: real work in another thread would make walks differ. */
import { driveHashOf } from "../../provider/deployment/args.ts";
import type { InstanceInfo } from "../../provider/node/instance-info.ts";
import { bootHashOf, saltedDriveHash } from "../../provider/node/slow-hash.ts";
import { slowHash } from "../fakes/call.ts";
import type { Actor } from "./actors.ts";
import { DRIVES, INSTANCES, TWIN_INSTANCES } from "./plan.ts";

const imagesOf = (base: string, kind: string): string[] => ["a", "b"].map((name) => `${base}${name}.${kind}`);

/** Whatever a node may say that it boots, be it by others. */
function bootable(base: string): InstanceInfo[] {
  const kernels = [...imagesOf(base, "kernel"), "http://theirs/k", undefined];
  const ramdisks = [...imagesOf(base, "initramfs"), "http://theirs/r", undefined];
  return kernels.flatMap((kernel) =>
    ramdisks.flatMap((ramdisk) =>
      ["quiet", undefined].map((ramdisk_kernel_arguments) => ({
        ...(kernel && { kernel }),
        ...(ramdisk && { ramdisk }),
        ...(ramdisk_kernel_arguments && { ramdisk_kernel_arguments }),
      })),
    ),
  );
}

const computed = new Map<string, Promise<unknown>>();

export function hashesFor(actors: readonly Actor[]): Promise<unknown> {
  const bases = ["http://images/", ...(actors.includes("glance") ? ["glance://"] : [])];
  const instances = [...INSTANCES, ...(actors.includes("twin") ? TWIN_INSTANCES : [])];
  const key = JSON.stringify([bases, instances]);
  const known = computed.get(key);
  if (known) return known;
  const all = Promise.all(
    instances.flatMap((instance) => [
      ...DRIVES.map((drive) => saltedDriveHash(slowHash, driveHashOf(drive), instance)),
      ...bases.flatMap(bootable).map((info) => bootHashOf(slowHash, info, instance)),
    ]),
  );
  computed.set(key, all);
  return all;
}
