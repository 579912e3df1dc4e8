// All that depends on internals of Pulumi's Node.js SDK, and of Node's HTTP/2 server, is in this file. Each part is tried by
// itself and left out when it is not as expected; the provider is correct without any of them.
import { subscribe } from "node:diagnostics_channel";
import { setMaxListeners } from "node:events";
import { fstatSync } from "node:fs";
import { createRequire } from "node:module";
import { CancelledError, printable } from "../core/index.ts";
import type { Props } from "./handler.ts";

/** Numbers of `LogSeverity`: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/engine.proto */
const severities = { debug: 0, info: 1, warning: 2 } as const;
export type Severity = keyof typeof severities;

export interface About {
  urn?: string;
  timeoutMs?: number;
}

/** What the SDK does not pass on to a dynamic provider. Each part may be missing. */
export interface Bridge {
  /** Aborts when the user interrupts the run or the engine ends. */
  readonly signal: AbortSignal;
  /** What the engine sent beside `props`, the object that the SDK made for this very call. */
  about(props: Props): About;
  log(severity: Severity, text: string, options: { urn?: string | undefined; ephemeral?: boolean }): void;
  /** Counts a call in flight; the returned function ends it and waits shortly for what it logged. */
  begin(): () => Promise<void>;
}

/** Messages must be with the engine before the call's answer is, but a stuck engine must not hold the answer back. */
const flushTimeoutMs = 1_000;
/** How long calls may take to end after the engine has ended. */
const orphanTimeoutMs = 2_000;
/** Time for the last answer to leave the process. */
const answerMs = 100;
const logTimeoutMs = 5_000;

/** `work`'s result, or nothing where the SDK or Node is not as expected. */
const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

/** The SDK's own `require`, so that we get its instances of its modules; undefined outside a provider process. */
const sdkRequire = (): NodeJS.Require | undefined => {
  const script = process.argv[1] ?? "";
  if (!/[\\/]cmd[\\/]dynamic-provider([\\/]index(\.js)?)?[\\/]?$/.test(script)) return undefined;
  return attempt(() => createRequire(script.endsWith(".js") ? script : `${script}/index.js`));
};

interface StructMessage {
  toJavaScript(): Props;
}
interface RequestMessage {
  getUrn?(): string;
  getTimeout?(): number;
  getProperties?(): StructMessage | undefined;
  getNews?(): StructMessage | undefined;
}
interface RequestType {
  deserializeBinary(bytes: Uint8Array): RequestMessage;
}

const requestNames = ["Check", "Diff", "Create", "Read", "Update", "Delete"].map((name) => `${name}Request`);

const remember = (message: RequestMessage, known: WeakMap<object, About>): void => {
  const struct = message.getNews?.() ?? message.getProperties?.();
  const urn = message.getUrn?.();
  if (!struct || !urn) return;
  const seconds = message.getTimeout?.() ?? 0;
  const about: About = { urn, ...(seconds > 0 ? { timeoutMs: seconds * 1000 } : {}) };
  const convert = struct.toJavaScript;
  struct.toJavaScript = function () {
    const props = convert.call(this);
    known.set(props, about);
    return props;
  };
};

/** From now on, remembers what came with the properties of each request. The process's very first one is missed. */
const watchRequests = (require: NodeJS.Require, known: WeakMap<object, About>): void => {
  const proto = require("@pulumi/pulumi/proto/provider_pb.js") as Record<string, RequestType | undefined>;
  for (const name of requestNames) {
    const type = proto[name];
    if (!type) continue;
    const original = type.deserializeBinary;
    type.deserializeBinary = function (bytes) {
      const message = original.call(this, bytes);
      attempt(() => remember(message, known));
      return message;
    };
  }
};

type Headers = Record<string, unknown>;

/** The SDK answers the engine's Cancel call and does nothing; so its arrival is observed in the HTTP/2 server. */
const watchCancel = (cancelled: () => void): void => {
  const look = (headers: Headers | undefined) => {
    if (headers?.[":path"] === "/pulumirpc.ResourceProvider/Cancel") cancelled();
  };
  // https://nodejs.org/api/diagnostics_channel.html#http2
  attempt(() => subscribe("http2.server.stream.start", (message) => look((message as { headers?: Headers }).headers)));
  // A Node without that channel: the server itself.
  attempt(() => {
    const handles = (process as { _getActiveHandles?(): object[] })._getActiveHandles?.() ?? [];
    for (const handle of handles) {
      if (handle.constructor.name !== "Http2Server") continue;
      (handle as NodeJS.EventEmitter).on("stream", (_stream: unknown, headers: Headers) => look(headers));
    }
  });
};

/** The engine holds the other end of our standard input; when that closes, the engine has ended, and nothing else would end this process. */
const watchEngine = (died: () => void): void => {
  const { stdin } = process;
  const stat = fstatSync(0);
  if (!stat.isFIFO() && !stat.isSocket()) return;
  stdin.once("end", died);
  stdin.once("error", died);
  stdin.resume();
  (stdin as { unref?(): void }).unref?.();
};

type Send = (severity: number, text: string, urn: string, ephemeral: boolean) => Promise<void>;

interface LogRequest {
  setSeverity(value: number): void;
  setMessage(value: string): void;
  setUrn(value: string): void;
  setEphemeral(value: boolean): void;
}
interface EngineClient {
  log(request: LogRequest, options: { deadline: number }, done: (error: unknown) => void): void;
}

/** Writes to the engine's own log, as the SDK's `pulumi.log` does in programs but not in dynamic providers. */
const engineLog = (require: NodeJS.Require): Send | undefined => {
  const address = process.argv.slice(2).findLast((argument) => /^[\w.[\]:-]+:\d+$/.test(argument));
  if (address === undefined) return undefined;
  const grpc = require("@grpc/grpc-js");
  const { EngineClient } = require("@pulumi/pulumi/proto/engine_grpc_pb.js");
  const { LogRequest } = require("@pulumi/pulumi/proto/engine_pb.js");
  const client: EngineClient = new EngineClient(address, grpc.credentials.createInsecure());
  return (severity, text, urn, ephemeral) =>
    new Promise((resolve) => {
      const request: LogRequest = new LogRequest();
      request.setSeverity(severity);
      request.setMessage(text);
      request.setUrn(urn);
      request.setEphemeral(ephemeral);
      client.log(request, { deadline: Date.now() + logTimeoutMs }, () => resolve());
    });
};

const inert: Bridge = {
  signal: new AbortController().signal,
  about: () => ({}),
  log: () => {},
  begin: () => async () => {},
};

const built = (require: NodeJS.Require): Bridge => {
  const known = new WeakMap<object, About>();
  const warned = new Set<string>();
  const unsent = new Set<Promise<void>>();
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  let inFlight = 0;
  let orphaned = false;
  const leave = () => process.exit(0);

  attempt(() => watchRequests(require, known));
  watchCancel(() => controller.abort(new CancelledError("The run was interrupted")));
  attempt(() =>
    watchEngine(() => {
      orphaned = true;
      controller.abort(new CancelledError("Pulumi's engine ended"));
      setTimeout(leave, inFlight === 0 ? answerMs : orphanTimeoutMs);
    }),
  );
  const send = attempt(() => engineLog(require));

  return {
    signal: controller.signal,
    about: (props) => known.get(props) ?? {},
    log: (severity, said, { urn = "", ephemeral = false }) => {
      const text = printable(said);
      if (severity === "warning") {
        const key = `${urn}\n${text}`;
        if (warned.has(key)) return;
        warned.add(key);
      }
      if (!send) {
        // The engine shows a plugin's standard error below the stack.
        if (severity === "warning") process.stderr.write(`warning: ${text}\n`);
        return;
      }
      const sent = attempt(() => send(severities[severity], text, urn, ephemeral));
      if (!sent || ephemeral) return;
      unsent.add(sent);
      void sent.finally(() => unsent.delete(sent));
    },
    begin: () => {
      inFlight++;
      return async () => {
        if (unsent.size > 0) {
          const { promise, resolve } = Promise.withResolvers<void>();
          const timer = setTimeout(resolve, flushTimeoutMs);
          await Promise.race([Promise.all(unsent), promise]);
          clearTimeout(timer);
        }
        inFlight--;
        if (orphaned && inFlight === 0) setTimeout(leave, answerMs);
      };
    },
  };
};

// At module level: it changes the SDK's own modules, and listens to the process, which is to happen once.
let instance: Bridge | undefined;

/** The one bridge of this process; one that does nothing where there is no engine. */
export const bridge = (): Bridge => {
  if (instance) return instance;
  const require = sdkRequire();
  instance = (require && attempt(() => built(require))) ?? inert;
  return instance;
};
