import type { Bridge } from "./bridge.ts";
import type { Call, Props } from "./handler.ts";

/** The logical name is the last part of a URN. https://www.pulumi.com/docs/iac/concepts/resources/names/#urns */
const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

/** The Call of one RPC whose properties are `about`; `end` silences it. */
export const callOf = (bridge: Bridge, about: Props, clean: (text: string) => string): { call: Call; end(): void } => {
  const finished = bridge.begin();
  const { urn, timeoutMs } = bridge.about(about);
  const call: Call = {
    signal: bridge.signal,
    ...(urn === undefined ? {} : { urn, name: nameOf(urn) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    progress: (text) => bridge.log("info", clean(text), { urn, ephemeral: true }),
    warn: (text) => bridge.log("warning", clean(text), { urn }),
  };
  return { call, end: finished };
};
