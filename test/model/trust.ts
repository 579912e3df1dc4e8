/** What must hold among the actors (actors.ts): who else may write to nodes, hide them, or stand between them and us. */
import { CONFIG_MARKER, DEPLOYMENT_MARKER } from "../../provider/node/marker.ts";
import type { Node, PatchOp } from "../../provider/node/node.ts";
import type { Write } from "../fakes/client.ts";
import type { Outcome } from "../fakes/fake-engine.ts";
import { REASON } from "../fakes/operator-actions.ts";
import type { Actor } from "./actors.ts";
import { type Invariant, remains, type Track, type Violation, violated } from "./invariants.ts";
import { INSTANCES, PERSISTENT_KEY, STACK } from "./plan.ts";
import { isForeign } from "./whose.ts";

/** Promises that the usual troubles break as well: judged where one of these actors takes part. */
const JUDGED_WITH: Partial<Record<Invariant, readonly Actor[]>> = {
  I28: ["hands"],
  I29: ["lag", "trail", "twin"],
  I31: ["hands"],
  I32: ["glance"],
  I33: ["hands"],
  I34: ["bmc", "lessee"],
  I36: ["lag", "trail"],
};

export const isJudged = (invariant: Invariant, actors: readonly Actor[]): boolean =>
  JUDGED_WITH[invariant]?.some((actor) => actors.includes(actor)) ?? true;

/** What a write is judged by, beside itself. */
export interface WriteContext {
  track: Track | undefined;
  /** The program says so. */
  turnsCleaningOff: boolean;
  cleansByDefault: boolean;
}

type Rule = (write: Write & { before: Node }, ops: readonly PatchOp[], context: WriteContext) => string | undefined;

const opsOf = ({ method, body }: Write): readonly PatchOp[] => (method === "PATCH" ? (body as PatchOp[]) : []);
const targetOf = ({ path, body }: Write): string | undefined =>
  path.endsWith("/states/provision") ? (body as { target?: string }).target : undefined;

const isOfOthers = ({ instance_uuid }: Node): boolean => instance_uuid !== null && !INSTANCES.includes(instance_uuid);

/** In the order in which a write is held against them; each says what was wrong. */
const RULES: readonly [Invariant, Rule][] = [
  [
    "I26",
    (_write, ops) => {
      const wrong = ops.find(
        ({ path, value = "Default" }) =>
          path.startsWith("/driver_info") &&
          !(path === `/driver_info/${PERSISTENT_KEY}` && ["Default", "Always"].includes(String(value))),
      );
      return wrong && `${wrong.path} was written`;
    },
  ],
  [
    "I27",
    (_write, ops, { track, turnsCleaningOff }) => {
      const isOff = ops.some(({ path, value }) => path === "/automated_clean" && value === false);
      const isAsBefore = track?.original.automated_clean === false || track?.foundOff === true;
      return isOff && !isAsBefore && !turnsCleaningOff
        ? "neither the program nor the node at first said so"
        : undefined;
    },
  ],
  [
    "I28",
    (write, _ops, { cleansByDefault }) => {
      const { shown, path } = write;
      if (!shown?.maintenance || shown.maintenance_reason !== REASON) return undefined;
      if (path.endsWith("/states/power")) return "in others' maintenance";
      const cleans = shown.automated_clean ?? cleansByDefault;
      return targetOf(write) === "deleted" && cleans ? "in others' maintenance, and it cleans" : undefined;
    },
  ],
  [
    "I29",
    ({ before, applied }, ops) => {
      const marks = ops.some(({ op, path }) => op !== "remove" && path === `/extra/${DEPLOYMENT_MARKER}`);
      return applied && marks && isOfOthers(before)
        ? `the node had instance ${before.instance_uuid} by then`
        : undefined;
    },
  ],
  [
    "I31",
    ({ shown }, ops) => {
      const lifts = ops.some(({ path, value }) => path === "/protected" && value === false);
      const reason = shown && "protected_reason" in shown ? shown.protected_reason : undefined;
      return lifts && shown?.protected && reason === REASON ? `protected for "${reason}"` : undefined;
    },
  ],
  [
    "I33",
    (write) => {
      const { shown } = write;
      const isManual = shown?.provision_state === "clean failed" && shown.target_provision_state === "manageable";
      return isManual && targetOf(write) === "manage" ? "what failed was a manual cleaning" : undefined;
    },
  ],
  [
    "I37",
    (write) => {
      const isTheirs = write.applied && targetOf(write) === "deleted" && isOfOthers(write.before);
      return isTheirs ? `the machine had instance ${write.before.instance_uuid}` : undefined;
    },
  ],
];

/** What one write did wrong. */
export function mistrustedWrite(write: Write, context: WriteContext): Violation | undefined {
  const { before, method, path, body } = write;
  if (!before) return undefined;
  const ops = opsOf(write);
  for (const [invariant, rule] of RULES) {
    const found = rule({ ...write, before }, ops, context);
    if (found) return violated(invariant, `${method} ${path} ${JSON.stringify(body)}: ${found}`);
  }
  return undefined;
}

/** Does a write take a mark from a node, and nothing else? Of a mark that says it is ours, anybody may rid a node. */
export const onlyUnmarks = (write: Write): boolean =>
  opsOf(write).length > 0 && opsOf(write).every(({ op, path }) => op === "remove" && path.startsWith("/extra/pulumi_"));

/** Has the run itself handed the machine over: its mark taken off, and the settings told of it? */
const handedOver = (earlier: readonly Write[]): boolean =>
  earlier.some((write) => opsOf(write).some(({ path }) => path === `/extra/${CONFIG_MARKER}/keptInstanceUuid`));

/** Are settings made on a node that has none and does not clean? To leave it so in the end is right. */
export const setsUpOnOff = (write: Write): boolean =>
  write.before?.automated_clean === false &&
  !(CONFIG_MARKER in write.before.extra) &&
  opsOf(write).some(({ op, path }) => op === "add" && path === `/extra/${CONFIG_MARKER}`);

/** Was cleaning turned on again by settings that went, while a deployment of ours stood on the node? */
export function restoresCleaning(write: Write, { kept }: Track, earlier: readonly Write[] = []): boolean {
  const { before, applied } = write;
  const ops = opsOf(write);
  const turned = ops.find(({ path }) => path === "/automated_clean");
  if (
    !applied ||
    !before ||
    kept ||
    handedOver(earlier) ||
    before.automated_clean !== false ||
    !turned ||
    turned.value === false
  )
    return false;
  const left = ops.find(({ path }) => path === `/extra/${CONFIG_MARKER}`);
  const leaves = left && (left.op === "remove" || (left.value as { restorePending?: true }).restorePending === true);
  const stands = remains(before, STACK, INSTANCES).some((each) => each !== CONFIG_MARKER);
  return leaves === true && stands && !["available", "manageable"].includes(before.provision_state ?? "");
}

/** Was the machine cleaned since, be it by an operator who ends what we could not end? */
export function cleaningViolation(track: Track): Violation | undefined {
  const { fake, restoredAtMs } = track;
  const since = fake.cleanings.slice(track.seenCleanings);
  track.seenCleanings = fake.cleanings.length;
  if (restoredAtMs === undefined) return undefined;
  const wrong = since.find(({ atMs }) => atMs >= restoredAtMs);
  if (!remains(fake.node, STACK, INSTANCES).some((each) => each !== CONFIG_MARKER)) track.restoredAtMs = undefined;
  return (
    wrong &&
    violated("I34", `${fake.node.name}: cleaned by ${wrong.by} at ${wrong.atMs}, cleaning turned on at ${restoredAtMs}`)
  );
}

/** Did the run that booted the machine from `first` on start it again? */
export function restartViolation({ fake: { boots, node }, deedsAtBoots }: Track, first: number): Violation | undefined {
  for (let index = first + 1; index < boots.length; index++) {
    const [before, boot] = [boots[index - 1], boots[index]];
    if (before?.by === "us" && boot?.by === "us" && before.outcome !== "failed" && !deedsAtBoots.has(index))
      return violated("I32", `${node.name}: ${boot.verb} at ${boot.atMs}, after ${before.verb} at ${before.atMs}`);
  }
  return undefined;
}

/** What an outcome says of a node that is hidden, or was not looked at as it is. */
export function mistrustedOutcome({ kind, did, error }: Outcome, track: Track): Violation | undefined {
  const { fake, deeds, kept } = track;
  const { node, hidden } = fake;
  if (error)
    return deeds === 0 && error.message.includes("by somebody else while it was being deployed")
      ? violated("I36", error.message)
      : undefined;
  if (did === "delete" && hidden) {
    const left = remains(node, STACK, INSTANCES).filter((each) => (each === CONFIG_MARKER) === (kind === "config"));
    if (left.length > 0 && !(kept && left.every((each) => each === "instance_uuid")))
      return violated("I30", `${node.name} is ${node.provision_state} with our ${left.join(", ")}`);
  }
  const isPassing = node.reservation !== null;
  if (kind === "deployment" && did !== "nothing" && deeds === 0 && isPassing && !isForeign(node, STACK, INSTANCES))
    return violated("I36", `${node.name} is still ${node.provision_state}`);
  return undefined;
}
