/** Making a node's settings what the program says: all that create and update share. */
import {
  type Claimant,
  type ConfigMarker,
  configMarker,
  type Decision,
  fail,
  heldByOther,
  heldMeanwhile,
  inMaintenance,
  isHeldByStep,
  isMasked,
  isOfNamesake,
  isPassing,
  markOf,
  mayChangeInterfaces,
  type Node,
  nodeLabel,
  type OtherHolder,
  type PatchOp,
  stateName,
  wait,
} from "../node/index.ts";
import { type Call, needsIn, PartialFailure, type Services } from "../plugin/index.ts";
import {
  configMarkerPatch,
  type Fields,
  fieldsPatch,
  hasOddCapabilities,
  isInterface,
  readField,
  removeConfigMarker,
  sameValue,
  wantedFields,
} from "./args.ts";
import { NODE_CONFIG_ARGUMENTS, type NodeConfigProps } from "./arguments.ts";
import type { SettingsAttempt } from "./attempt.ts";
import { otherHolderOn, type Witness, witnessFor } from "./holders.ts";
import {
  type KnownSettings,
  knownSettings,
  NOTHING_KNOWN,
  type SettingsRecord,
  warnOfDoubtful,
} from "./known-settings.ts";
import {
  type Action,
  carryOut,
  isUnwritten,
  type Outputs,
  openSettingsJournal,
  type State,
  stateBars,
  type Work,
} from "./work.ts";

/** What has to change on the node so that it shows `wanted`, and so that fields no longer wanted are as they were. */
function changesFor(node: Node, wanted: Fields, known: SettingsRecord): Fields {
  const changes: Fields = {};
  for (const [path, value] of Object.entries(wanted))
    if (!sameValue(readField(node, path), value)) changes[path] = value;
  for (const [path, value] of Object.entries(known.written)) {
    const before = known.previous[path] ?? null;
    if (path in wanted || sameValue(value, before)) continue;
    if (sameValue(readField(node, path), value)) changes[path] = before;
  }
  return changes;
}

/** What was there before we first wrote is remembered once and never overwritten. */
const previousOf = (node: Node, wanted: Fields, known: SettingsRecord): Fields =>
  Object.fromEntries(
    Object.keys(wanted).map((path) => [path, path in known.previous ? known.previous[path] : readField(node, path)]),
  );

const outputsOf = ({ uuid, name }: Node, known: SettingsRecord): Outputs => ({
  nodeUuid: uuid,
  nodeName: name ?? undefined,
  previous: known.previous,
  written: known.written,
});

/** What one call wants of one node, and what it has written there. */
class Configuration {
  readonly wanted: Fields;
  readonly #ours: Claimant;
  readonly #state: State | undefined;
  readonly #witness: Witness;
  /** The node as it was before this call wrote, and what it wrote. */
  #before: Node | undefined;
  #changes: Fields = {};
  #sent: ConfigMarker | undefined;
  #doubtful: Fields = {};

  constructor(wanted: Fields, ours: Claimant, state: State | undefined, witness: Witness) {
    this.wanted = wanted;
    this.#ours = ours;
    this.#state = state;
    this.#witness = witness;
  }

  get sent(): ConfigMarker | undefined {
    return this.#sent;
  }

  get doubtful(): Fields {
    return this.#doubtful;
  }

  known(node: Node): KnownSettings {
    const mark = configMarker(node);
    // What this call wrote itself needs no one's word, and its answer may have been lost.
    if (this.#sent && mark && sameValue(mark, this.#sent)) return { ...this.#sent, doubtful: {} };
    const state = this.#state && !isUnwritten(node, this.#state) ? this.#state : NOTHING_KNOWN;
    return knownSettings(node, mark, state, (path) => path in this.wanted);
  }

  decide(node: Node, attempt: SettingsAttempt): Decision<Action> {
    const stranger = otherHolderOn(node, this.#ours, this.#witness);
    if (stranger) return this.#giveWay(node, stranger, attempt);
    if (attempt.done) return { do: "done" };
    if (node.maintenance) return inMaintenance(node);
    const known = this.known(node);
    const changes = changesFor(node, this.wanted, known);
    const previous = previousOf(node, this.wanted, known);
    const hidden = Object.keys(changes).filter((path) => path.startsWith("driver_info/") && isMasked(previous[path]));
    if (hidden.length > 0)
      return fail(
        "driver-info-hidden",
        `Ironic hides the value of ${hidden.join(" and ")} of node ${nodeLabel(node)}, so it could not be restored`,
        "Nothing was written. Remove it here, and set it with Ironic's own client",
      );
    if (hasOddCapabilities(node) && Object.keys(changes).some((path) => path.startsWith("capabilities/")))
      return fail(
        "capabilities-malformed",
        `properties.capabilities of node ${nodeLabel(node)} does not have the form key:value,key:value, so nothing can be added to it`,
        "Nothing was written. Correct it with Ironic's own client, or remove capabilities here",
      );
    return stateBars(node, Object.keys(changes)) ?? { do: "act", action: "write" };
  }

  patch(node: Node): PatchOp[] {
    const known = this.known(node);
    const marked = configMarker(node);
    const base: ConfigMarker = marked ?? { ...markOf(this.#ours), previous: {}, written: {} };
    const { restorePending: _, ...rest } = base;
    const after = { ...rest, previous: previousOf(node, this.wanted, known), written: this.wanted };
    const changes = changesFor(node, this.wanted, known);
    this.#before ??= node;
    this.#changes = { ...this.#changes, ...changes };
    this.#sent = after;
    this.#doubtful = { ...this.#doubtful, ...known.doubtful };
    const ops = fieldsPatch(node, changes);
    return marked && sameValue(marked, after) ? ops : [...ops, configMarkerPatch(after)];
  }

  /**
   * Another stack's claim may have been on its way while these settings were written. Ironic lets one after the other in, and
   * the answer to a write shows the whole node: who finds the other there goes, or each would be in the other's way for ever.
   */
  #giveWay(node: Node, stranger: OtherHolder, attempt: SettingsAttempt): Decision<Action> {
    if (attempt.backedOut)
      return heldMeanwhile(node, stranger, `what was written to it was taken back${this.#remainder(node)}`);
    if (attempt.writesSent === 0 || this.backOut(node).length === 0 || isHeldByStep(node))
      return heldByOther(node, stranger);
    return isPassing(node) ? wait(stateName(node.provision_state)) : { do: "act", action: "backOut" };
  }

  /** Fields that have what this call wrote, with what they had before. What another's mark says that it wrote is the other's. */
  #written(node: Node): Fields {
    const before = this.#before;
    if (!before) return {};
    const mark = configMarker(node);
    const theirs = mark && !isOwn(mark, this.#ours) ? mark.written : {};
    const fields = Object.entries(this.#changes)
      .filter(([path]) => !(path in theirs))
      .filter(([path, value]) => sameValue(readField(node, path), value))
      .map(([path, value]) => ({ path, value, was: readField(before, path) }))
      .filter(({ value, was }) => !sameValue(was, value))
      // The node is another's now: its cleaning is not turned off again where it was off by this stack alone.
      .filter(({ path, was }) => path !== "automated_clean" || was !== false || this.#state?.written[path] !== false);
    return Object.fromEntries(fields.map(({ path, was }) => [path, was]));
  }

  backOut(node: Node): PatchOp[] {
    const mayChange = mayChangeInterfaces(node) || node.maintenance;
    const fields = Object.entries(this.#written(node)).filter(([path]) => mayChange || !isInterface(path));
    const marked = configMarker(node);
    const stood = this.#before && configMarker(this.#before);
    const isOurs = marked && this.#sent && sameValue(marked, this.#sent) && !(stood && sameValue(stood, marked));
    return [
      ...fieldsPatch(node, Object.fromEntries(fields)),
      ...(isOurs ? [stood ? configMarkerPatch(stood) : removeConfigMarker] : []),
    ];
  }

  #remainder(node: Node): string {
    const left = Object.keys(this.#written(node));
    return left.length > 0 ? `, but not ${left.join(", ")}` : "";
  }
}

const isOwn = (mark: ConfigMarker | undefined, ours: Claimant): boolean =>
  mark?.stackId === ours.stackId && mark.resourceId === ours.resourceId && !isOfNamesake(mark, ours);

export async function configure(
  found: Node,
  props: NodeConfigProps,
  ours: Claimant,
  state: State | undefined,
  services: Services,
  call: Call,
): Promise<Outputs> {
  const client = await services.client();
  for (const { path, feature } of needsIn(NODE_CONFIG_ARGUMENTS, props))
    await client.require(feature, `set ${path} of the node`);
  const witness = await witnessFor(found, ours, state !== undefined, services, call);
  const wanted = wantedFields(props);
  const configuration = new Configuration(wanted, ours, state, witness);
  const journal = openSettingsJournal();
  const work: Work = {
    node: found,
    operation: "set the node's interfaces and settings",
    decide: (seen, attempt) => configuration.decide(seen, attempt),
    patch: (seen) => configuration.patch(seen),
    backOut: (seen) => configuration.backOut(seen),
  };
  try {
    const node = await carryOut(work, services, call, journal);
    warnOfDoubtful(node, configuration.doubtful, call.warn);
    return outputsOf(node, configuration.sent ?? configuration.known(node));
  } catch (error) {
    const stood = configMarker(found);
    const begun = isOwn(stood, ours);
    // An answer that is lost, or not waited for, does not make the node forget: what was there before must stay known. What a
    // run that was killed had written is ours.
    const wasSent = journal.attempt.writesSent > 0;
    if (state || !(wasSent || begun)) throw error;
    const { sent } = configuration;
    const known = wasSent && sent ? sent : knownSettings(found, stood, NOTHING_KNOWN, (path) => path in wanted);
    throw new PartialFailure(
      found.uuid,
      { ...outputsOf(found, known), ...(!begun && { unsure: true }) },
      error as Error,
    );
  }
}
