/**
 * What must hold whatever happens, by number. Each promise is asked of Ironic's own account, never of the code under test.
 * A number stays with its promise: a new one is added at the end.
 */
import { isDeepStrictEqual } from "node:util";
import { CODES } from "../../provider/core/codes.ts";
import { CancelledError, IronicError, ProblemError, printed } from "../../provider/core/errors.ts";
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import type { Props } from "../../provider/plugin/handler.ts";
import type { Write } from "../fakes/client.ts";
import type { Boot, FakeNode } from "../fakes/fake-node.ts";
import { legal } from "../fakes/node-rules.ts";
import { REASON } from "../fakes/operator-actions.ts";
import { INSTANCES, type Settings, STACK } from "./plan.ts";
import { givesBack, givesWay, hasOwnDeployment, isForeign, markerOf } from "./whose.ts";

export const INVARIANTS = {
  I1: "a command of the engine comes to its end, without a fault of the program",
  I2: "a command that is interrupted ends within a second",
  I3: "what the engine is told, be it an error or a warning, has a code, and no error is an internal one",
  I4: "a run boots a machine once at most, and once more for each deed of others",
  I5: "what is written to has been read before, within the time in which a sight is fresh",
  I6: "a node that others hold is not written to",
  I7: "a maintenance or a protection that others set is left to them",
  I8: "a field is put back only while it has what this stack wrote",
  I9: "a provision state is left only by a verb that Ironic takes in it",
  I10: "a machine in maintenance, or protected, is given no verb that is not for it",
  I11: "the state holds nothing that is undefined",
  I12: "settings that were made are on the node",
  I13: "settings that left the stack are as they were before",
  I14: "a deployment that left the stack leaves nothing on the node, unless the machine was to be kept",
  I15: "a deployment that succeeded is active under this stack's instance_uuid",
  I16: "a machine runs what the program wants, and nothing else",
  I17: "a deployment that is to be protected is protected",
  I18: "a machine is not booted again with what it runs already",
  I19: "when the troubles are over nothing fails",
  I20: "after refresh and up the node says what the program says",
  I21: "an up with nothing to do does nothing",
  I22: "after the last destroy the state is empty",
  I23: "a machine that was to be kept goes on when its claim is released",
  I24: "at the end nothing of this stack is on a node, and the node is available",
  I25: "at the end a node has the settings that it had at first",
  I26: "driver_info gets what the program's arguments or the state say, and never an address",
  I27: "automated cleaning is turned off by the program's arguments alone",
  I28: "a machine in others' maintenance is not switched on, rebooted or cleaned",
  I29: "a node that others took since it was read gets no mark of ours",
  I30: "a node that is hidden never leaves the state, and destroy does not end well while its machine runs",
  I31: "a protection that others have given a reason is left to them",
  I32: "what a run has started, and others did not touch since, it does not start again",
  I33: "a manual cleaning that failed is left to who began it",
  I34: "no machine is cleaned because its settings were restored before its deployment had ended",
  I35: "two stacks never block each other for good",
  I36: "nothing is taken for done, or for others' doing, on a stale reading",
  I37: "a machine is undeployed only under this stack's instance_uuid, or where that is gone already",
} as const satisfies Record<`I${number}`, string>;
export type Invariant = keyof typeof INVARIANTS;

/** A promise that was broken, and by what. */
export interface Violation {
  invariant: Invariant;
  found: string;
}
export const violated = (invariant: Invariant, found: string): Violation => ({ invariant, found });

/** As it is printed: the number first. */
export const printedViolation = ({ invariant, found }: Violation, when: string): string =>
  `${invariant} ${INVARIANTS[invariant]}. ${when}: ${found}`;

/** A sight is no longer fresh after the longest hang of a request, twice. */
const STALE_MS = 130_000;

/** What one write did wrong, judged by what its client had last been shown. `earlier`: those of the same run to the same node. */
export function wrongWrite(
  write: Write,
  stackId: string,
  instances: readonly string[],
  earlier: readonly Write[] = [],
): Violation | undefined {
  const { method, path, body, shown, shownAtMs, atMs, before } = write;
  const what = `${method} ${path} ${JSON.stringify(body)}`;
  if (!before) return undefined;
  if (!shown) return violated("I5", `${what}: the node had never been read`);
  const mayWrite = givesWay(write, stackId, earlier) || givesBack(write, stackId, instances);
  if (isForeign(shown, stackId, instances) && !mayWrite) return violated("I6", `${what}: the node is held by others`);
  if (atMs - shownAtMs > STALE_MS) return violated("I5", `${what}: the node was read ${atMs - shownAtMs} ms before`);
  if (path.endsWith("/maintenance") && shown.maintenance_reason === REASON)
    return violated("I7", `${what}: others set it`);
  if (method === "PATCH" && endsProtection(body as PatchOp[]) && shown.protected_reason === REASON)
    return violated("I7", `${what}: others set it`);
  const trampled = method === "PATCH" ? trampledField(body as PatchOp[], shown) : undefined;
  if (trampled) return violated("I8", `${what}: ${trampled} has what others gave it`);
  if (!path.endsWith("/states/provision")) return undefined;
  const { target = "" } = body as { target?: string };
  if (!legal(shown.provision_state, target)) return violated("I9", `${what}: illegal in "${shown.provision_state}"`);
  if (shown.maintenance && !mayFollow(target, shown)) return violated("I10", `${what}: in maintenance`);
  if (shown.protected && target !== "manage") return violated("I10", `${what}: protected`);
  return undefined;
}

const endsProtection = (ops: readonly PatchOp[]): boolean =>
  ops.some(({ path, value }) => path === "/protected" && value !== true);

/** What a machine in maintenance may be given: nothing that boots it. A cleaning that failed sets maintenance itself. */
const mayFollow = (target: string, { automated_clean, fault }: Node): boolean =>
  target === "manage" || (target === "deleted" && (automated_clean === false || fault === "clean failure"));

/** A field that is put back although it no longer has what we wrote. */
function trampledField(ops: readonly PatchOp[], shown: Node): string | undefined {
  const marker = shown.extra[CONFIG_MARKER] as { written: Props } | undefined;
  if (!marker || !ops.some(({ op, path }) => op === "remove" && path === `/extra/${CONFIG_MARKER}`)) return undefined;
  const has = (field: string): unknown => {
    const [column = "", key] = field.split("/");
    const value = (shown as unknown as Props)[column];
    return key === undefined ? value : (value as Props | undefined)?.[key];
  };
  return ops
    .map(({ path }) => path.slice(1))
    .find((field) => field in marker.written && marker.written[field] !== has(field));
}

/** Does the last line, as the engine gets it, end with a code? */
export const hasCode = (shown: string): boolean => CODES.some((code) => shown.endsWith(` [${code}]`));

export const isKnownError = (error: Error): boolean =>
  [CancelledError, IronicError, ProblemError].some((type) => error instanceof type) &&
  hasCode(printed(error)) &&
  !printed(error).endsWith("[internal-error]");

/** What a program wants to be booted. */
const wantedBoot = (inputs: Props) => ({
  info: {
    kernel: inputs.kernel,
    ramdisk: inputs.ramdisk,
    ...(inputs.kernelArguments !== undefined && { ramdisk_kernel_arguments: inputs.kernelArguments }),
  },
  drive: inputs.configDrive,
});

/** Does `boot` boot that and nothing else? An image_source that is the ramdisk changes nothing. */
function boots(boot: Boot, wanted: ReturnType<typeof wantedBoot>): boolean {
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

const settingsOf = ({ deploy_interface, boot_interface, automated_clean }: Node): Settings => ({
  deploy_interface: deploy_interface ?? null,
  boot_interface: boot_interface ?? null,
  automated_clean: automated_clean ?? null,
});

/** What is known of a node beside what it says. */
export interface Track {
  fake: FakeNode;
  original: Settings;
  /** Others changed what the program manages, or took away what restores it: their doing, not ours to put right. */
  settingsTouched: boolean;
  /** Others did something since the machine was last booted by us. */
  touched: boolean;
  /** Programs that were tried since then. */
  tried: Set<string>;
  /** Deeds during the present run. */
  deeds: number;
  seenBoots: number;
  /** Others removed our marks at some time. */
  wiped: boolean;
  /** A machine was handed over, so that our instance_uuid rightly stays. */
  kept: boolean;
  /** How many boots there were at each deed. */
  deedsAtBoots: Set<number>;
  /** When cleaning was turned on again although a deployment of ours stood there. */
  restoredAtMs: number | undefined;
  seenCleanings: number;
  /** Settings were made anew on a node whose cleaning was off by then. */
  foundOff: boolean;
  /** Marks as the lessee's member left them. */
  forged: Map<string, string>;
  /** The user was told what is left to do by hand, as only a mark knew of it: cleaning is turned off on no mark's word. */
  leftToHand: boolean;
}

export const newTrack = (fake: FakeNode): Track => ({
  fake,
  original: settingsOf(fake.node),
  settingsTouched: false,
  touched: false,
  tried: new Set(),
  deeds: 0,
  seenBoots: 0,
  wiped: false,
  kept: false,
  deedsAtBoots: new Set(),
  restoredAtMs: undefined,
  seenCleanings: 0,
  foundOff: false,
  forged: new Map(),
  leftToHand: false,
});

/** The settings that the node had at first, as far as they are to be there again. */
const restorable = ({ original, leftToHand, fake }: Track): Settings =>
  leftToHand && original.automated_clean === false
    ? { ...original, automated_clean: fake.node.automated_clean ?? null }
    : original;

/** What making settings, or giving them up, did to the node. */
export function settingsViolation(isDeleted: boolean, track: Track, inputs?: Props): Violation | undefined {
  const { fake, settingsTouched } = track;
  const { node } = fake;
  const [has, was] = [JSON.stringify(settingsOf(node)), JSON.stringify(restorable(track))];
  if (isDeleted) {
    const stranded = node.extra[DEPLOYMENT_MARKER] !== undefined;
    const active = node.instance_uuid !== null || stranded;
    if (isForeign(node, STACK, INSTANCES) || settingsTouched || active || has === was) return undefined;
    return violated("I13", `left ${has}, before it was ${was}`);
  }
  const { bootInterface = node.boot_interface, automatedCleaning = node.automated_clean } = inputs ?? {};
  const wanted = { deploy_interface: "ramdisk", boot_interface: bootInterface, automated_clean: automatedCleaning };
  return has === JSON.stringify(wanted) ? undefined : violated("I12", `${has}, wanted ${JSON.stringify(wanted)}`);
}

export function releaseViolation({ fake: { node }, kept }: Track): Violation | undefined {
  if (isForeign(node, STACK, INSTANCES) && !hasOwnDeployment(node, STACK, INSTANCES)) return undefined;
  const left = remains(node, STACK, INSTANCES).filter((each) => each !== CONFIG_MARKER);
  if (left.length === 0 || kept) return undefined;
  return violated("I14", `${left.join(", ")} is left on a node that is ${node.provision_state}`);
}

export function deploymentViolation({ fake: { node, runs } }: Track, inputs: Props): Violation | undefined {
  if (node.provision_state !== "active" || !INSTANCES.includes(node.instance_uuid ?? ""))
    return violated("I15", `the node is ${node.provision_state} with instance ${node.instance_uuid}`);
  const wanted = wantedBoot(inputs);
  if (!runs || !boots(runs, wanted))
    return violated("I16", `runs ${JSON.stringify(runs)}, wanted ${JSON.stringify(wanted)}`);
  return inputs.protected && !node.protected ? violated("I17", "not protected") : undefined;
}

/** Was the machine booted with what it was running already? */
export function rebootViolation(
  before: Boot | undefined,
  boot: Boot | undefined,
  { touched, tried }: Track,
): Violation | undefined {
  const isSame = before && JSON.stringify([before.info, before.drive]) === JSON.stringify([boot?.info, boot?.drive]);
  if (!isSame || boot?.verb !== "rebuild" || before.outcome !== "active" || touched || tried.size >= 2)
    return undefined;
  return violated("I18", `rebuilt with what ran already: ${JSON.stringify(boot.info)}`);
}

/** What is left when all is over. `isUntold`: without a state and without marks there is nothing to tell ours by. */
export function* endViolations(track: Track, isUntold: boolean): Generator<Violation> {
  const { fake, settingsTouched, kept } = track;
  const { node } = fake;
  const left = remains(node, STACK, INSTANCES);
  if (left.length > 0 && !kept && !isUntold) yield violated("I24", `${node.name}: ${left.join(", ")} is left`);
  if (!kept && !isUntold && node.provision_state !== "available")
    yield violated("I24", `${node.name}: ends ${node.provision_state}`);
  const [has, was] = [JSON.stringify(settingsOf(node)), JSON.stringify(restorable(track))];
  if (!settingsTouched && !kept && has !== was) yield violated("I25", `${node.name}: ${has}, before it was ${was}`);
}
