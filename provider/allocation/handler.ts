/** NodeAllocation in the provider process. https://docs.openstack.org/api-ref/baremetal/#allocations-allocations */
import * as z from "zod";
import {
  CancelledError,
  type Clock,
  countTries,
  faultRow,
  IronicError,
  inTime,
  isAllocationGone,
  isFault,
  isRefusal,
  ProblemError,
  pausesMs,
} from "../core/index.ts";
import { type Client, field } from "../http/index.ts";
import {
  type Allocation,
  allocationSchema as allocationAnswer,
  allocationUuidFor,
  CONFIG_MARKER,
  identityOf,
  markOf,
} from "../node/index.ts";
import { type Call, changedArguments, defineHandler, PartialFailure, type Services, shapeOf } from "../plugin/index.ts";
import { missing, report } from "../preflight/index.ts";
import { object, parse, typesOnly } from "../schema/index.ts";
import { ALLOCATION_ARGUMENTS, type AllocationProps, DEFAULT_TIMEOUT_SECONDS } from "./arguments.ts";
import { endAllocation } from "./ending.ts";
import {
  afterTrouble,
  deleteAllocation,
  hasLeftNode,
  isOfOthers,
  readAllocation,
  readOwnAllocation,
} from "./request.ts";

const argumentsSchema = object(shapeOf(ALLOCATION_ARGUMENTS));

/** What the state holds beside the arguments: no node while Ironic has not found one. The UUID is also the id, which counts. */
const outputs = { uuid: z.string().optional(), node: z.string().optional() };
type Outputs = z.infer<z.ZodObject<typeof outputs>>;
type State = AllocationProps & Outputs;
const stateSchema: z.ZodType<State> = z.looseObject({ ...typesOnly(shapeOf(ALLOCATION_ARGUMENTS)), ...outputs });

const nodeUuids = field.object({ nodes: field.list(field.object({ uuid: field.text })) });

const INTERVAL_MS = 500;
const MAX_PAUSE_MS = 10_000;

const isUndecided = ({ state }: Allocation): boolean => state === "allocating" || state === null;

const make = (client: Client, props: AllocationProps, uuid: string, signal: AbortSignal): Promise<Allocation> =>
  client.send("POST", "/allocations", {
    shape: allocationAnswer,
    operation: `allocate a node of class ${props.resourceClass}`,
    body: {
      uuid,
      resource_class: props.resourceClass,
      ...(props.traits && { traits: props.traits }),
      ...(props.candidateNodes && { candidate_nodes: props.candidateNodes }),
      extra: { [CONFIG_MARKER]: markOf(props) },
    },
    signal,
  });

/** Under a UUID of its own it may be asked for again where it is not known whether Ironic was asked at all. */
async function findOrMake(
  client: Client,
  props: AllocationProps,
  uuid: string,
  clock: Clock,
  signal: AbortSignal,
  onTrouble: (trouble: IronicError) => void,
): Promise<Allocation> {
  const pauses = pausesMs();
  const tries = countTries();
  for (;;) {
    try {
      return await make(client, props, uuid, signal);
    } catch (error) {
      if (!(error instanceof IronicError)) throw error;
      // Ironic is busy and has made nothing, so there is nothing to look for.
      if (isFault(error, "overloaded") && tries.allowAfter(error)) {
        onTrouble(error);
        await clock.sleep(Math.max(error.retryAfterMs ?? 0, pauses.next().value), signal);
        continue;
      }
      if (isRefusal(error)) throw error;
      try {
        return await readOwnAllocation(client, uuid, props, signal);
      } catch (unread) {
        if (isOfOthers(unread)) throw unread;
        if (!isAllocationGone(unread) || !tries.allowAfter(error)) throw error;
        onTrouble(error);
      }
    }
    await clock.sleep(pauses.next().value, signal);
  }
}

async function allocate(props: AllocationProps, uuid: string, services: Services, call: Call): Promise<Outputs> {
  const client = await services.client();
  const { clock } = services;
  const ownMs = (props.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000;
  const timeoutMs = Math.min(ownMs, call.timeoutMs ?? ownMs);
  let trouble = "";
  const late = () =>
    new ProblemError({
      code: "allocation-timeout",
      problem: `Ironic did not finish the allocation ${uuid} within ${timeoutMs / 1000} s${trouble}`,
      advice: "The timeout stopped Pulumi waiting; Ironic continues, and `pulumi up` resumes.",
    });
  const startedAt = clock.now();
  const tell = (text: string) => call.progress(`${text}, ${Math.round((clock.now() - startedAt) / 1000)} s`);
  const seen: { allocation?: Allocation } = {};
  try {
    const node = await inTime(timeoutMs, late, clock, call.signal, async (signal) => {
      seen.allocation = await findOrMake(client, props, uuid, clock, signal, (error) => {
        trouble = afterTrouble(error);
        tell(`${faultRow(error.fault).label}, trying again`);
      });
      for (let pauseMs = INTERVAL_MS; isUndecided(seen.allocation); pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 1.5)) {
        tell("waiting for the allocation");
        await clock.sleep(pauseMs * (0.75 + 0.5 * services.random()), signal);
        seen.allocation = await readAllocation(client, uuid, signal);
      }
      const { state, node_uuid } = seen.allocation;
      if (state === "error" || !node_uuid) throw noNode(props, seen.allocation);
      return node_uuid;
    });
    return { node, uuid };
  } catch (error) {
    const { allocation } = seen;
    // What was refused was not made.
    if (!allocation && isRefusal(error)) throw error;
    if (isAllocationGone(error) || isOfOthers(error)) throw error;
    const cause = call.signal.aborted
      ? new CancelledError(
          "The run was interrupted while Ironic allocates a node. Ironic continues, and the next run resumes.",
        )
      : error;
    // Anything else may yet get its node, though it is not to be found now: the next run goes on with it.
    if (allocation?.state === "error" && (await remove(client, uuid, call.signal))) throw cause;
    throw new PartialFailure(uuid, { uuid }, cause as Error);
  }
}

const noNode = (props: AllocationProps, { last_error }: Allocation): ProblemError =>
  new ProblemError({
    code: "allocation-failed",
    problem: `No node of class ${props.resourceClass} could be allocated: ${last_error ?? "Ironic gives no reason"}`,
    advice:
      "Free a node, or ask for other traits or candidates. Nodes must be available, not in maintenance, without instance_uuid, and Ironic must know their power state.",
  });

/** True when the allocation is gone. */
async function remove(client: Client, uuid: string, signal: AbortSignal): Promise<boolean> {
  try {
    await deleteAllocation(client, uuid, signal);
    return true;
  } catch (error) {
    return isAllocationGone(error);
  }
}

async function isOnNode(client: Client, uuid: string, signal: AbortSignal): Promise<boolean> {
  const { nodes } = await client.get("/nodes", {
    shape: nodeUuids,
    operation: "find the allocation's node",
    query: { instance_uuid: uuid, fields: "uuid" },
    signal,
  });
  return nodes.length > 0;
}

/** Does its node show that it has ended, wherever that is not known from Ironic's silence? Then the user is told. */
async function hasEnded(uuid: string, { node }: State, client: Client, call: Call): Promise<boolean> {
  if (!(await hasLeftNode(client, uuid, node, call.signal))) return false;
  call.warn(
    "allocation-gone",
    `Allocation ${uuid} has ended, and leaves the state: its node ${node} is no longer under it. Ironic ends an allocation when its node is undeployed.`,
  );
  return true;
}

export const allocationHandler = defineHandler<AllocationProps, Outputs, State>({
  type: "NodeAllocation",
  secretOutputs: [],
  inputs: (news) => parse(argumentsSchema, news),
  state: stateSchema,
  async check(_olds, _news, services, call) {
    const needs = [{ path: "", feature: "allocations" }] as const;
    return { failures: await report("The allocation", services, call, () => missing(needs, services, call)) };
  },
  async diff(state, { value }) {
    const replaces = changedArguments(ALLOCATION_ARGUMENTS, state, value, "replaces");
    const unfinished = state.node === undefined;
    return { changes: replaces.length > 0 || unfinished, replaces };
  },
  async create(props, services, call) {
    const client = await services.client();
    await client.require("allocations", "allocate a node", call.signal);
    // A run after a crash asks for the same UUID, so it finds what it had made.
    const uuid = allocationUuidFor(props);
    return { id: uuid, outs: await allocate(props, uuid, services, call) };
  },
  async read(id, state, services, call) {
    const client = await services.client();
    try {
      const { node_uuid } = await readAllocation(client, id, call.signal);
      return { id, props: { ...state, uuid: id, node: node_uuid ?? undefined } };
    } catch (error) {
      if (!isAllocationGone(error)) throw error;
      // Ironic ends an allocation with the undeployment. A redeployment has taken the node again under the same UUID.
      if (await isOnNode(client, id, call.signal)) return { id, props: state };
      if (!(await hasEnded(id, state, client, call))) throw error;
      return undefined;
    }
  },
  async update(id, state, news, services, call) {
    const props = { ...news, ...identityOf(state) };
    const made = state.node === undefined ? await allocate(props, id, services, call) : {};
    return { outs: { ...state, ...props, ...made } };
  },
  async delete(id, state, services, call) {
    try {
      await endAllocation(id, services, call);
    } catch (error) {
      if (!isAllocationGone(error) || !(await hasEnded(id, state, await services.client(), call))) throw error;
    }
  },
});

export { endAllocation } from "./ending.ts";
