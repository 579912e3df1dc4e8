import type { Bridge } from "./bridge.ts";
import type { Clock } from "./clock.ts";
import type { Call, Props } from "./handler.ts";

/** The engine redraws the whole screen for each message: each resource speaks once a second, many take longer turns. */
const progressIntervalMs = 1_000;
const speakersPerInterval = 20;
let speakers = 0;

/** Passes on the newest text at most once per interval, the last one included. */
const throttled = (send: (text: string) => void, clock: Clock, ended: AbortSignal) => {
  let sent: string | undefined;
  let newest = "";
  let nextAtMs = Number.NEGATIVE_INFINITY;
  let waiting = false;
  const sendNewest = () => {
    waiting = false;
    if (ended.aborted || newest === sent) return;
    sent = newest;
    nextAtMs = clock.now() + progressIntervalMs * Math.max(1, speakers / speakersPerInterval);
    send(newest);
  };
  return (text: string): void => {
    newest = text;
    if (waiting) return;
    const restMs = nextAtMs - clock.now();
    if (restMs <= 0) {
      sendNewest();
      return;
    }
    waiting = true;
    clock.sleep(restMs, ended).then(sendNewest, () => {});
  };
};

/** The Call of one RPC whose properties are `about`; after `end` it says nothing more. */
export const callOf = (
  bridge: Bridge,
  about: Props,
  clock: Clock,
  clean: (text: string) => string,
): { call: Call; end(): Promise<void> } => {
  const finished = bridge.begin();
  speakers++;
  const ended = new AbortController();
  const { urn, timeoutMs } = bridge.about(about);
  const progress = throttled(
    (text) => bridge.log("info", clean(text).replace(/\s+/g, " "), { urn, ephemeral: true }),
    clock,
    ended.signal,
  );
  const call: Call = {
    signal: bridge.signal,
    ...(urn === undefined ? {} : { urn }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    progress,
    warn: (text) => bridge.log("warning", clean(text), { urn }),
  };
  return {
    call,
    end: () => {
      ended.abort();
      speakers--;
      return finished();
    },
  };
};
