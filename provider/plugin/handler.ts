import type { ConfigGetter } from "../connection/index.ts";
import type { Clock, Code, Failure } from "../core/index.ts";
import type { Client } from "../http/index.ts";
import type { ConnectionContext, RunContext } from "../run/index.ts";

/** Properties as the engine sends and stores them: JSON values, secrets in plain, unknowns as the sentinel string. */
export type Props = Record<string, unknown>;

/** What one call of the engine carries beside its properties. All of it may be missing: see bridge.ts. */
export interface Call {
  /** Aborts when the user interrupts the run or the engine ends. */
  readonly signal: AbortSignal;
  /** The resource's logical name and URN, where the SDK lets us see them. */
  readonly urn?: string;
  /** `customTimeouts` of the resource, where the SDK lets us see them. */
  readonly timeoutMs?: number;
  /** Shows `text` on the resource's own line in `pulumi up`, not stored: news within a second, new seconds every ten. */
  progress(text: string): void;
  /** An engine warning at the resource. */
  warn(code: Code, text: string): void;
}

/** What a handler works with: the run's context, and the connection that belongs to its resource's provider. */
export interface Services {
  readonly run: RunContext;
  /** Rejects with a ProblemError when the configuration is not usable. */
  connection(): Promise<ConnectionContext>;
  /** That of the connection. */
  client(): Promise<Client>;
  /** Those of the run. */
  readonly clock: Clock;
  random(): number;
  /** Stack configuration below `ironic:`. */
  readonly get: ConfigGetter;
}

export type CheckFailure = Failure;

/** The kinds of resources. They name files in shells/, which states refer to: never rename one. */
export type Kind = "stack-identity" | "node-config" | "config-drive" | "deployment" | "allocation";

/** One kind of resource, as the provider process sees it. */
export interface Handler {
  /** Top-level properties that are encrypted in state whatever the program said. */
  readonly secretOutputs: readonly string[];
  check(
    olds: Props | undefined,
    news: Props,
    services: Services,
    call: Call,
  ): Promise<{ inputs: Props; failures: CheckFailure[] }>;
  /** Pure. `olds` are the old outputs. */
  diff(
    id: string,
    olds: Props,
    news: Props,
    services: Services,
    call: Call,
  ): Promise<{ changes: boolean; replaces: string[]; deleteBeforeReplace: boolean }>;
  create(inputs: Props, services: Services, call: Call): Promise<{ id: string; outs: Props }>;
  /** `undefined` means that the resource is gone. */
  read(
    id: string,
    props: Props,
    services: Services,
    call: Call,
  ): Promise<{ id: string; props: Props; inputs?: Props } | undefined>;
  update(id: string, olds: Props, news: Props, services: Services, call: Call): Promise<{ outs: Props }>;
  delete(id: string, props: Props, services: Services, call: Call): Promise<void>;
}

/** Thrown by create and update when the resource must stay in the state although the operation failed. */
export class PartialFailure extends Error {
  override readonly name = "PartialFailure";
  readonly id: string;
  readonly outs: Props;
  constructor(id: string, outs: Props, cause: Error) {
    super(cause.message, { cause });
    this.id = id;
    this.outs = outs;
  }
}
