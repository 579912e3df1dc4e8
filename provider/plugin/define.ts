/** Handlers as what they take and what they do: arguments and state are parsed here, once, and typed from here. */
import type * as z from "zod";
import { ProblemError } from "../core/index.ts";
import { describeFailure, failuresIn, type KnownValue, type Parsed, type PartialValue } from "../schema/index.ts";
import type { Call, CheckFailure, Handler, Props, Services } from "./handler.ts";

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
  /** `undefined` means that the resource is gone. */
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

export function defineHandler<Inputs extends object, Outputs extends object, State extends object>(
  definition: Definition<Inputs, Outputs, State>,
): Handler {
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
    async create(inputs, services, call) {
      const { id, outs } = await definition.create(complete(inputs), services, call);
      return { id, outs: asProps(outs) };
    },
    async read(id, props, services, call) {
      const found = await definition.read(id, stateOf(props), services, call);
      return found && { ...found, props: asProps(found.props) };
    },
    async update(id, olds, news, services, call) {
      const { outs } = await definition.update(id, stateOf(olds), complete(news), services, call);
      return { outs: asProps(outs) };
    },
    delete: async (id, props, services, call) => definition.delete(id, stateOf(props), services, call),
  };
}
