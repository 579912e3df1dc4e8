import type { Props } from "./handler.ts";

export type Severity = "debug" | "info" | "warning";

/** What the SDK does not pass on to a dynamic provider. Each part may be missing. */
export interface Bridge {
  /** Aborts when the user interrupts the run or the engine dies. */
  readonly signal: AbortSignal;
  /** What the engine sent beside `props`, an object that it made for this very call. */
  about(props: Props): { urn?: string; timeoutMs?: number };
  log(severity: Severity, text: string, options: { urn?: string | undefined; ephemeral?: boolean }): void;
  /** Counts a call in flight until the returned function is called. */
  begin(): () => void;
}

const silent: Bridge = {
  signal: new AbortController().signal,
  about: () => ({}),
  log: () => {},
  begin: () => () => {},
};

export const bridge = (): Bridge => silent;
