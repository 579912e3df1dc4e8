import { type Clock, printable, withCode } from "../core/index.ts";
import type { RunContext } from "../run/index.ts";
import type { Bridge } from "./bridge.ts";
import type { Call, Props } from "./handler.ts";

/** The engine redraws the whole screen for each message: each resource sends once a second, less often where many do. */
const progressIntervalMs = 1_000;
/** Where there is no screen, as in CI, each message is a line of the log: a text of which only the seconds changed is repeated less often. */
const repeatIntervalMs = 10_000;
const speakersPerInterval = 20;

const isRepeat = (text: string, sent: string): boolean => withoutSeconds(text) === withoutSeconds(sent);
const withoutSeconds = (text: string): string => text.replace(/(?<!\d)\d+ s$/, "");

/** Passes on the newest text, news at most once per interval, the last one included. */
const throttled = (send: (text: string) => void, clock: Clock, calls: ReadonlySet<object>, ended: AbortSignal) => {
  let sent = "";
  let newest = "";
  let sentAtMs = Number.NEGATIVE_INFINITY;
  let waiting = false;
  const restMs = (intervalMs: number): number =>
    sentAtMs + intervalMs * Math.max(1, calls.size / speakersPerInterval) - clock.now();
  const sendNewest = () => {
    waiting = false;
    if (ended.aborted || newest === sent || (isRepeat(newest, sent) && restMs(repeatIntervalMs) > 0)) return;
    sent = newest;
    sentAtMs = clock.now();
    send(newest);
  };
  return (text: string): void => {
    newest = text;
    if (waiting) return;
    const ms = restMs(progressIntervalMs);
    if (ms <= 0) {
      sendNewest();
      return;
    }
    waiting = true;
    clock.sleep(ms, ended).then(sendNewest, () => {});
  };
};

/** The Call of one RPC whose properties are `about`; after `end` it says nothing more. */
export const callOf = (
  bridge: Bridge,
  about: Props,
  { clock, calls }: Pick<RunContext, "clock" | "calls">,
  clean: (text: string) => string,
): { call: Call; end(): Promise<void> } => {
  const finished = bridge.begin();
  const ended = new AbortController();
  calls.add(ended);
  const { urn, timeoutMs } = bridge.about(about);
  // Without a URN, as in a process's first call, the engine shows it at the stack: then it has to say whose it is.
  const whose = urn === undefined && typeof about.resourceName === "string" ? `${about.resourceName}: ` : "";
  const progress = throttled(
    (text) => bridge.log("info", printable(clean(`${whose}${text}`).replace(/\s+/g, " ")), { urn, ephemeral: true }),
    clock,
    calls,
    ended.signal,
  );
  const call: Call = {
    signal: bridge.signal,
    ...(urn === undefined ? {} : { urn }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    progress,
    warn: (code, text) => bridge.log("warning", withCode(clean(text), code), { urn }),
  };
  return {
    call,
    end: () => {
      ended.abort();
      calls.delete(ended);
      return finished();
    },
  };
};
