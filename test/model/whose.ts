/** Whose a node is, asked of its marks and its instance_uuid, and which writes to a node of others are right. */
import { isDeepStrictEqual } from "node:util";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import type { Write } from "../fakes/client.ts";

interface Marker {
  stackId?: string;
  instanceUuid?: string;
}
export const markerOf = (node: Node, key: string): Marker | undefined =>
  (node.extra[key] ?? undefined) as Marker | undefined;

/** Does anybody but `stackId` hold the node? `instances` are those of the stack's deployments. */
export const isForeign = (node: Node, stackId: string, instances: readonly string[]): boolean =>
  [CONFIG_MARKER, DEPLOYMENT_MARKER].some((key) => {
    const marker = markerOf(node, key);
    return marker !== undefined && marker.stackId !== stackId;
  }) ||
  (node.instance_uuid !== null && !instances.includes(node.instance_uuid));

/** Does a deployment of the stack stand there by its own mark, whatever settings stand beside it? */
export const hasOwnDeployment = (node: Node, stackId: string, instances: readonly string[]): boolean => {
  const marker = markerOf(node, DEPLOYMENT_MARKER);
  return (
    marker?.stackId === stackId &&
    instances.includes(marker.instanceUuid ?? "") &&
    (node.instance_uuid === null || node.instance_uuid === marker.instanceUuid)
  );
};

/** What BaremetalNodeConfig manages in walks, or writes back on the word of a mark. */
const FIELDS: readonly string[] = ["deploy_interface", "boot_interface", "automated_clean", "description"];

/** Does `write` take off a mark that the run has put on, as others came at the same moment? Who gives way has to write. */
export const givesWay = (write: Write, stackId: string, earlier: readonly Write[]): boolean =>
  [CONFIG_MARKER, DEPLOYMENT_MARKER].some((key) => {
    const has = ({ method, body }: Write, op: string) =>
      method === "PATCH" && (body as PatchOp[]).some((each) => each.op === op && each.path === `/extra/${key}`);
    const isOwn = write.shown !== undefined && markerOf(write.shown, key)?.stackId === stackId;
    return isOwn && has(write, "remove") && earlier.some((each) => has(each, "add"));
  }) || putsBack(write, stackId, earlier);

type Values = Record<string, unknown>;

/** Does `write` put back what the run itself has written, and others did not, as they came at the same moment? */
function putsBack({ method, body, shown }: Write, stackId: string, earlier: readonly Write[]): boolean {
  const mark = (shown?.extra[CONFIG_MARKER] ?? {}) as { stackId?: string; written?: Values };
  const theirs = mark.stackId === stackId ? {} : (mark.written ?? {});
  const writes = earlier.filter((each) => each.method === "PATCH");
  const isAsBefore = ({ path, value = null }: PatchOp): boolean => {
    const first = writes.find((each) => (each.body as PatchOp[]).some((op) => op.path === path));
    if (path === `/extra/${CONFIG_MARKER}`)
      return mark.stackId === stackId && isDeepStrictEqual(value, first?.before?.extra[CONFIG_MARKER]);
    const field = path.slice(1);
    const before: Partial<Values> = { ...first?.before };
    return FIELDS.includes(field) && !(field in theirs) && first !== undefined && (before[field] ?? null) === value;
  };
  return method === "PATCH" && (body as PatchOp[]).every(isAsBefore);
}

/** What of a node a deployment takes off, or turns, when it is given back. */
const GIVEN_BACK =
  /^\/(instance_uuid|instance_info\/.*|protected|protected_reason|extra\/pulumi_ironic_deployment(\/.*)?)$/;

/**
 * Does `write` give back a deployment whose own mark stands on the node, beside another stack's settings? Each of two stacks
 * that came at the same moment takes off its own.
 */
export function givesBack(
  { method, path, body, shown }: Write,
  stackId: string,
  instances: readonly string[],
): boolean {
  if (!shown || !hasOwnDeployment(shown, stackId, instances)) return false;
  if (path.endsWith("/states/provision"))
    return !["active", "rebuild"].includes((body as { target?: string }).target ?? "");
  if (method !== "PATCH") return path.endsWith("/maintenance");
  return (body as PatchOp[]).every((each) => GIVEN_BACK.test(each.path));
}
