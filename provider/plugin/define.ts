/** Handlers as what they take and what they do: arguments and state are parsed here, once, and typed from here. */
import type * as z from "zod";
import { ProblemError } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import { describeFailure, failuresIn, type KnownValue, type Parsed, type PartialValue } from "../schema/index.ts";
import { type Call, type CheckFailure, type Handler, PartialFailure, type Props, type Services } from "./handler.ts";
import { placeOf, verdictOn, waysOut } from "./missing.ts";

/** Arguments that were not refused. */
export type Accepted<Inputs> = KnownValue<Inputs> | PartialValue<Inputs>;

export interface Definition<Inputs extends object, Outputs extends object, State extends object> {
  /** The resource's type, as programs name it. */
  type: string;
  /** Top-level properties that are encrypted in the state whatever the program said. */
  secretOutputs: readonly string[];
  /** Parses the arguments, by their schema and by the rules between them. */
  inputs(news: Props): Parsed<Inputs>;
  /** What the state holds, arguments included. Keys that it does not know pass. */
  state: z.ZodType<State>;
  /** What else is wrong. `olds` are the arguments in the state. With `inputs`, these are stored instead of those that came. */
  check(
    olds: Props | undefined,
    news: Accepted<Inputs>,
    services: Services,
    call: Call,
  ): Promise<{ failures: CheckFailure[]; inputs?: Inputs }>;
  /** `replaces`: arguments whose change replaces. */
  diff(
    state: State,
    news: Accepted<Inputs>,
    services: Services,
    call: Call,
  ): Promise<{ changes: boolean; replaces: string[] }>;
  create(inputs: Inputs, services: Services, call: Call): Promise<{ id: string; outs: Outputs }>;
  /**
   * `undefined` means that the resource is gone, and was told. An error by which Ironic does not find the state's node or
   * allocation is judged after it: see missing.ts. So it is in `delete`.
   */
  read(
    id: string,
    state: State,
    services: Services,
    call: Call,
  ): Promise<{ id: string; props: object; inputs?: Props } | undefined>;
  update(id: string, state: State, inputs: Inputs, services: Services, call: Call): Promise<{ outs: Partial<Outputs> }>;
  delete(id: string, state: State, services: Services, call: Call): Promise<void>;
}

const asProps = (value: object): Props => ({ ...value });

/** Which resource is meant, as far as its properties tell. */
const resourceLabel = (type: string, props: Props): string =>
  typeof props.resourceName === "string" ? `${type} "${props.resourceName}"` : type;

/**
 * `work`, with where it asked in the outputs. Only where a handler asks for the connection: a resource that needs no Ironic
 * needs no connection either.
 */
async function withPlace<T extends { outs: object }>(
  services: Services,
  before: Props,
  work: (services: Services) => Promise<T>,
): Promise<Omit<T, "outs"> & { outs: Props }> {
  let client: Client | undefined;
  const connection = async () => {
    const opened = await services.connection();
    client = opened.client;
    return opened;
  };
  const placed = (outs: object): Props => {
    const place = client?.here ? placeOf(client.here) : before.connection;
    return { ...outs, ...(place !== undefined && { connection: place }) };
  };
  try {
    const done = await work({ ...services, connection, client: async () => (await connection()).client });
    return { ...done, outs: placed(done.outs) };
  } catch (error) {
    if (!(error instanceof PartialFailure)) throw error;
    throw new PartialFailure(error.id, placed(error.outs), error.cause as Error);
  }
}

/** What refresh keeps as it was made. */
const keptConnection = ({ connection }: Props): Props => (connection === undefined ? {} : { connection });

/** What came from the engine, as the handler's types. */
function parsersOf<Inputs extends object, Outputs extends object, State extends object>(
  definition: Definition<Inputs, Outputs, State>,
) {
  const { type } = definition;

  const accepted = (news: Props): Accepted<Inputs> => {
    const parsed = definition.inputs(news);
    if (parsed.kind !== "failed") return parsed;
    throw new ProblemError({
      problem: `The arguments of ${resourceLabel(type, news)} are not usable. Correct them:`,
      failures: parsed.failures,
    });
  };

  const complete = (news: Props): Inputs => {
    const parsed = accepted(news);
    if (parsed.kind === "known") return parsed.value;
    throw new ProblemError({
      code: "internal-error",
      problem: `Arguments of ${resourceLabel(type, news)} are not known yet`,
      advice: "This is a fault of pulumi-ironic: please report it.",
    });
  };

  const stateOf = (props: Props): State => {
    const result = definition.state.safeParse(props);
    if (result.success) return result.data;
    throw new ProblemError({
      code: "state-unusable",
      problem: `The state of ${resourceLabel(type, props)} is not usable: ${failuresIn(definition.state, props).map(describeFailure).join("; ")}`,
      advice: "Correct it with `pulumi stack export` and `pulumi stack import`. Nothing was touched.",
    });
  };

  return { accepted, complete, stateOf };
}

export function defineHandler<Inputs extends object, Outputs extends object, State extends object>(
  definition: Definition<Inputs, Outputs, State>,
): Handler {
  const { accepted, complete, stateOf } = parsersOf(definition);
  return {
    secretOutputs: definition.secretOutputs,
    async check(olds, news, services, call) {
      const parsed = definition.inputs(news);
      if (parsed.kind === "failed") return { inputs: news, failures: [...parsed.failures] };
      const { inputs, failures } = await definition.check(olds, parsed, services, call);
      return { inputs: inputs ? asProps(inputs) : news, failures };
    },
    async diff(_id, olds, news, services, call) {
      const found = await definition.diff(stateOf(olds), accepted(news), services, call);
      return { ...found, deleteBeforeReplace: true };
    },
    create: (inputs, services, call) =>
      withPlace(services, {}, (watched) => definition.create(complete(inputs), watched, call)),
    async read(id, props, services, call) {
      try {
        const found = await definition.read(id, stateOf(props), services, call);
        return found && { ...found, props: { ...found.props, ...keptConnection(props) } };
      } catch (error) {
        const verdict = await verdictOn(error, id, props, services, call);
        if (!verdict) throw error;
        const { gone, code, problem } = verdict;
        call.warn(
          code,
          gone ? `${problem}.` : `${problem}. The resource stays in the state as it was. ${waysOut(call)}`,
        );
        return gone ? undefined : { id, props };
      }
    },
    update: (id, olds, news, services, call) =>
      withPlace(services, olds, (watched) => definition.update(id, stateOf(olds), complete(news), watched, call)),
    async delete(id, props, services, call) {
      try {
        await definition.delete(id, stateOf(props), services, call);
      } catch (error) {
        const verdict = await verdictOn(error, id, props, services, call);
        if (!verdict) throw error;
        const { gone, code, problem } = verdict;
        if (!gone) throw new ProblemError({ code, problem, advice: waysOut(call), cause: error });
        call.warn(code, `${problem}.`);
      }
    },
  };
}
