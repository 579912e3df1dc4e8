import { describeFailure, redact, systemClock, withCode } from "./core/index.ts";
import type { Call, Handler, Kind, Props, Services } from "./plugin/index.ts";
import {
  type Bridge,
  bridge,
  type ConfigureRequest,
  callOf,
  failureOf,
  isUnexpected,
  PartialFailure,
  partialFailure,
  sanitized,
  secretTexts,
  servicesFor,
  unversioned,
  versioned,
  withSecrets,
} from "./plugin/index.ts";
import { createRunContext } from "./run/index.ts";

/**
 * The one context of this process. At module level because nothing else is shared by the provider objects that Pulumi takes
 * from the states of resources: each comes to `attach` by itself.
 */
const processRun = createRunContext({ clock: systemClock, random: Math.random, env: process.env });

/** The key under which Pulumi keeps a dynamic provider's code among the properties. */
const providerKey = "__provider";

/** What tests replace. */
export interface RuntimeDeps {
  handler(): Promise<Handler>;
  services: Services;
  bridge: Bridge;
}

/** What one call works with. */
interface Context {
  readonly handler: Handler;
  readonly services: Services;
  readonly call: Call;
  /** Without any secret of this call or of the connection. */
  clean(text: string): string;
}

type Method = "check" | "diff" | "create" | "read" | "update" | "delete";

/** The user's properties. An output that is undefined arrives as null, and means that nothing was said. */
const withoutProvider = (props: Props | undefined): Props => {
  const { [providerKey]: _, ...rest } = props ?? {};
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
};

/** What a state holds, as handlers see it. */
const stored = (props: Props): Props => unversioned(withoutProvider(props));

const storable = (props: Props, handler: Handler): { props: Props; problems: string[] } => {
  const { props: clean, problems } = sanitized(props);
  return { props: withSecrets(clean, handler.secretOutputs), problems };
};

const unstorable = (problems: string[]): Error =>
  new Error(
    `The outputs cannot be stored: ${problems.join("; ")}. This is a fault of pulumi-ironic: please report it.`,
  );

/**
 * Outputs are the inputs overlaid with what the handler computed. A value that cannot be stored must not lose the
 * resource: it then stays in the state as a failed one.
 */
const outputs = (id: string, props: Props, base: Props, { handler }: Context): Props => {
  const { props: outs, problems } = storable(props, handler);
  if (problems.length > 0) throw new PartialFailure(id, props, unstorable(problems));
  return { ...versioned(outs), [providerKey]: base[providerKey] };
};

const identity = (id: unknown): string => {
  if (typeof id !== "string" || id === "") throw new Error(`The resource was created, but has no id (${typeof id}).`);
  return id;
};

/** One call of the engine, before it runs. */
interface Request {
  method: Method;
  /** The object that the SDK made for this call; the bridge knows the call by it. */
  about: Props;
  /** All properties that came with the call. */
  bags: readonly (Props | undefined)[];
  /** What the outputs of a partial failure overlay; without it there is no such thing. */
  base?: Props;
}

type Run = <T>(request: Request, work: (context: Context) => Promise<T>) => Promise<T>;

/** The provider object's methods, as the SDK calls them. */
const methodsOf = (run: Run) => ({
  check: (olds: Props | undefined, news: Props) =>
    run({ method: "check", about: news, bags: [olds, news] }, async ({ handler, services, call, clean }) => {
      const before = withoutProvider(olds);
      const had = Object.keys(before).length > 0 ? before : undefined;
      const { inputs, failures } = await handler.check(had, withoutProvider(news), services, call);
      const { props, problems } = storable(inputs, handler);
      // With a property name the engine prints that property's value, secret or not; so the path is in the reason.
      const reasons = [
        ...failures.map((failure) => withCode(clean(describeFailure(failure)), failure.code)),
        ...problems.map((problem) => withCode(clean(problem), "value-not-storable")),
      ];
      return { inputs: props, failures: reasons.map((reason) => ({ property: "", reason })) };
    }),

  diff: (id: string, olds: Props, news: Props) =>
    run({ method: "diff", about: news, bags: [olds, news] }, ({ handler, services, call }) =>
      handler.diff(id, stored(olds), withoutProvider(news), services, call),
    ),

  create: (inputs: Props) =>
    run({ method: "create", about: inputs, bags: [inputs], base: inputs }, async (context) => {
      const { handler, services, call } = context;
      const result = await handler.create(withoutProvider(inputs), services, call);
      const id = identity(result.id);
      return { id, outs: outputs(id, { ...withoutProvider(inputs), ...result.outs }, inputs, context) };
    }),

  read: (id: string, props: Props) =>
    run({ method: "read", about: props, bags: [props] }, async ({ handler, services, call }) => {
      const result = await handler.read(id, stored(props), services, call);
      // No id is how the SDK says that the resource is gone.
      if (!result) return {};
      const outs = storable(result.props, handler);
      const inputs = result.inputs && storable(result.inputs, handler);
      const problems = [...outs.problems, ...(inputs?.problems ?? [])];
      if (problems.length > 0) throw unstorable(problems);
      return { id: result.id, props: versioned(outs.props), ...(inputs ? { inputs: inputs.props } : {}) };
    }),

  update: (id: string, olds: Props, news: Props) => {
    // What a failed update did not get to keeps its old value in the state, so that the next run sees the difference.
    const base = { ...olds, [providerKey]: news[providerKey] };
    return run({ method: "update", about: news, bags: [olds, news], base }, async (context) => {
      const { handler, services, call } = context;
      const result = await handler.update(id, stored(olds), withoutProvider(news), services, call);
      return { outs: outputs(id, { ...withoutProvider(news), ...result.outs }, news, context) };
    });
  },

  delete: (id: string, props: Props) =>
    run({ method: "delete", about: props, bags: [props] }, ({ handler, services, call }) =>
      handler.delete(id, stored(props), services, call),
    ),
});

/** What is thrown so that the resource stays in the state as a failed one. */
const keptAsFailed = (error: PartialFailure, base: Props, handler: Handler, message: (reason: unknown) => string) => {
  const { props, problems } = storable({ ...withoutProvider(base), ...error.outs }, handler);
  const cause = error.cause instanceof Error ? error.cause : error;
  const reasons = [message(cause)];
  const told = problems.every((problem) => cause.message.includes(problem));
  if (!told) reasons.push(message(unstorable(problems)));
  return partialFailure(error.id, { ...versioned(props), [providerKey]: base[providerKey] }, reasons);
};

/** Runs one call: finds what belongs to it, and turns whatever is thrown into what the SDK understands. */
const runner =
  (kind: Kind, deps: RuntimeDeps): Run =>
  async ({ method, about, bags, base }, work) => {
    let handler: Handler | undefined;
    const clean = (text: string) =>
      redact(text, [...deps.services.run.secrets, ...secretTexts(bags, handler?.secretOutputs ?? [])]);
    const { call, end } = callOf(deps.bridge, about, deps.services.run, clean);
    try {
      handler = await deps.handler();
      return await work({ handler, services: deps.services, call, clean });
    } catch (error) {
      const known = (reason: unknown) => failureOf(reason, `${kind} ${method}`, clean);
      if (isUnexpected(error)) deps.bridge.log("debug", clean(String((error as Error).stack)), { urn: call.urn });
      if (!(error instanceof PartialFailure) || base === undefined || !handler) throw known(error);
      throw keptAsFailed(error, base, handler, (reason) => known(reason).message);
    } finally {
      await end();
    }
  };

/**
 * Gives `self`, the object that Pulumi took from the state, the methods of `kind`. Synchronous, does no I/O and does
 * not fail: Pulumi uses the object for other resources while this runs, and goes on using it if it throws.
 */
export const attach = (self: object, kind: Kind, request: ConfigureRequest, deps: Partial<RuntimeDeps> = {}): void => {
  const engine = deps.bridge ?? bridge();
  const full: RuntimeDeps = {
    bridge: engine,
    services:
      deps.services ??
      servicesFor(processRun, request, (code, text) => engine.log("warning", withCode(text, code), {})),
    handler: deps.handler ?? (async () => (await import("./handlers.ts")).handlers[kind]),
  };
  Object.assign(self, methodsOf(runner(kind, full)));
};
