/** What must hold whatever happens. Each rule is asked of Ironic's own account, never of the code under test. */
import { isDeepStrictEqual } from "node:util";
import { CODES } from "../../provider/core/codes.ts";
import { CancelledError, IronicError, ProblemError, printed } from "../../provider/core/errors.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Write } from "./client.ts";
import type { Boot } from "./fake-node.ts";
import { legal } from "./node-rules.ts";
import { REASON } from "./operator-actions.ts";

interface Marker {
  stackId?: string;
  instanceUuid?: string;
}
const markerOf = (node: Node, key: string): Marker | undefined => (node.extra[key] ?? undefined) as Marker | undefined;

/** Does anybody but `stackId` hold the node? `instances` are those of the stack's deployments. */
export const isForeign = (node: Node, stackId: string, instances: readonly string[]): boolean =>
  [CONFIG_MARKER, DEPLOYMENT_MARKER].some((key) => {
    const marker = markerOf(node, key);
    return marker !== undefined && marker.stackId !== stackId;
  }) ||
  (node.instance_uuid !== null && !instances.includes(node.instance_uuid));

/** A sight is no longer fresh after the longest hang of a request, twice. */
const STALE_MS = 130_000;

/** What one write did wrong, judged by what its client had last been shown. */
export function wrongWrite(write: Write, stackId: string, instances: readonly string[]): string | undefined {
  const { method, path, body, shown, shownAtMs, atMs, before } = write;
  const what = `${method} ${path} ${JSON.stringify(body)}`;
  if (!before) return undefined;
  if (!shown) return `${what}: the node had never been read`;
  if (isForeign(shown, stackId, instances)) return `${what}: the node is held by others`;
  if (atMs - shownAtMs > STALE_MS) return `${what}: the node was read ${atMs - shownAtMs} ms before`;
  if (path.endsWith("/maintenance") && shown.maintenance_reason === REASON) return `${what}: others set it`;
  const trampled = method === "PATCH" ? trampledField(body as PatchOp[], shown) : undefined;
  if (trampled) return `${what}: ${trampled} has what others gave it`;
  if (!path.endsWith("/states/provision")) return undefined;
  const { target = "" } = body as { target?: string };
  if (!legal(shown.provision_state, target)) return `${what}: illegal in "${shown.provision_state}"`;
  if (shown.maintenance && target !== "deleted" && target !== "manage") return `${what}: in maintenance`;
  if (shown.protected && target !== "manage") return `${what}: protected`;
  return undefined;
}

/** A field that is put back although it no longer has what we wrote. */
function trampledField(ops: readonly PatchOp[], shown: Node): string | undefined {
  const marker = shown.extra[CONFIG_MARKER] as { written: Props } | undefined;
  if (!marker || !ops.some(({ op, path }) => op === "remove" && path === `/extra/${CONFIG_MARKER}`)) return undefined;
  const fields = shown as unknown as Props;
  return ops
    .map(({ path }) => path.slice(1))
    .find((field) => field in marker.written && marker.written[field] !== fields[field]);
}

/** Does the last line, as the engine gets it, end with a code? */
export const hasCode = (shown: string): boolean => CODES.some((code) => shown.endsWith(` [${code}]`));

export const isKnownError = (error: Error): boolean =>
  [CancelledError, IronicError, ProblemError].some((type) => error instanceof type) &&
  hasCode(printed(error)) &&
  !printed(error).endsWith("[internal-error]");

/** What a program wants to be booted. */
export const wantedBoot = (inputs: Props) => ({
  info: {
    kernel: inputs.kernel,
    ramdisk: inputs.ramdisk,
    ...(inputs.kernelArguments !== undefined && { ramdisk_kernel_arguments: inputs.kernelArguments }),
  },
  drive: inputs.configDrive,
});

/** Does `boot` boot that and nothing else? An image_source that is the ramdisk changes nothing. */
export function boots(boot: Boot, wanted: ReturnType<typeof wantedBoot>): boolean {
  const { configdrive: _drive, image_type: _type, image_source: source, ...info } = boot.info;
  return (
    isDeepStrictEqual(info, wanted.info) &&
    (source === undefined || source === wanted.info.ramdisk) &&
    isDeepStrictEqual(boot.drive, wanted.drive)
  );
}

/** What of `stackId` is still on the node. */
export function remains(node: Node, stackId: string, instances: readonly string[]): string[] {
  return [
    ...(node.instance_uuid !== null && instances.includes(node.instance_uuid) ? ["instance_uuid"] : []),
    ...[CONFIG_MARKER, DEPLOYMENT_MARKER].filter((key) => markerOf(node, key)?.stackId === stackId),
  ];
}

export interface Settings {
  deploy_interface: string | null;
  boot_interface: string | null;
  automated_clean: boolean | null;
}
export const settingsOf = ({ deploy_interface, boot_interface, automated_clean }: Node): Settings => ({
  deploy_interface: deploy_interface ?? null,
  boot_interface: boot_interface ?? null,
  automated_clean: automated_clean ?? null,
});
