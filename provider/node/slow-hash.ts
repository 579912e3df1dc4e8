/**
 * Hashes that may stand on a node in plain text although what they are made of is secret. Everybody who reads the node sees
 * them, so they are slow to compute (guessing a short password from one is not worth it) and salted by the deployment.
 */
import type { ScryptOptions } from "node:crypto";
import { canonicalJson, type SlowHash } from "../core/index.ts";
import { hashedFields, type InstanceInfo } from "./instance-info.ts";

const DRIVE_COST: ScryptOptions = { N: 16_384, r: 8 };
/** Each deployment pays this before its first write: some 10 ms of one core, in libuv's pool, so 0.2 s for 40 machines on two. */
const BOOT_COST: ScryptOptions = { N: 4_096, r: 8 };

/** The hash of a config drive as it stands in a marker; `driveHash` is that of the state. */
export const saltedDriveHash = (slowHash: SlowHash, driveHash: string, instanceUuid: string): Promise<string> =>
  slowHash(`pulumi-ironic/1/drive\n${driveHash}`, instanceUuid, DRIVE_COST);

/** The hash of what a machine boots: of the named fields that are present. Kernel arguments may hold a token. */
export function bootHashOf(slowHash: SlowHash, info: InstanceInfo, instanceUuid: string): Promise<string> {
  const content = canonicalJson(hashedFields(info));
  return slowHash(`pulumi-ironic/1/boot\n${content}`, instanceUuid, BOOT_COST);
}
